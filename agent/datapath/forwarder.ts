/**
 * The VTEP: what happens to a frame. Everything here is per packet, so it allocates nothing and throws nothing; a bad packet is a
 * counter and a drop.
 *
 *     host ── port ──▶ fromPort ──▶ learn, look up ──┬─▶ another port
 *                                                    └─▶ VXLAN ──▶ one VTEP, or the flood list
 *     host ◀── port ◀── look up, learn ◀── allow-list ◀── VNI ◀── fromUnderlay ◀── VXLAN
 *
 * Split horizon: a frame that came through the tunnel never goes back into it. VNIs have tables of their own, and no path in this
 * file leads from one to another.
 */
import type { SendFailure, Underlay } from '../underlay/underlay.ts';
import { SOURCE_PORT_LANES } from '../underlay/underlay.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { CE, ECN_MASK, ECT_1, MARK_DROP, MARK_TAKEN, readTrafficClass, takeMark } from '../wire/ecn.ts';
import {
  ETHERNET_HEADER_LENGTH,
  isGroup,
  isStation,
  isVlanType,
  readDestinationHigh,
  readDestinationLow,
  readEtherType,
  readSourceHigh,
  readSourceLow,
  stripVlanTag,
  VLAN_TAG_LENGTH,
} from '../wire/ethernet.ts';
import type { DatagramBatch, PacketBatch } from '../wire/packet-batch.ts';
import {
  readVirtioGsoSize,
  readVirtioGsoType,
  VIRTIO_NET_GSO_NONE,
  VIRTIO_NET_HEADER_LENGTH,
} from '../wire/virtio-net.ts';
import { hasVni, readVni, VXLAN_HEADER_LENGTH, writeVxlan } from '../wire/vxlan.ts';
import { AddressTable, formatAddressWords } from './address-table.ts';
import { clampMss } from './clamp-mss.ts';
import { Coalescer } from './coalescer.ts';
import { COUNTER, CounterBlocks } from './counters.ts';
import { completeChecksum, DELIVER_TOO_BIG, prepareDelivery } from './delivery.ts';
import { hashFlow } from './flow-hash.ts';
import type { ForwardingRules } from './forwarding-rules.ts';
import { LocalStations } from './local-stations.ts';
import {
  isLocal,
  LEARN_CONTESTED,
  LEARN_CONTRADICTED,
  LEARN_MOVED,
  LEARN_SAME,
  localPlace,
  NOWHERE,
  portOf,
} from './mac-table.ts';
import { NeighborProxy } from './neighbor-proxy.ts';
import type { Network } from './network.ts';
import { PEER_COUNTER, PEER_NETWORK, PeerCounterBlocks } from './peer-counters.ts';
import { Segmenter } from './segmenter.ts';
import { answerTooBig } from './too-big.ts';

/** By what failed: the counter of the network and the peer's. */
const SEND_FAILURE_COUNTERS: Readonly<Record<SendFailure, readonly [network: number, peer: number]>> = {
  tooBig: [COUNTER.dropTooBig, PEER_COUNTER.dropTooBig],
  busy: [COUNTER.dropUnderlayBusy, PEER_COUNTER.dropUnderlayBusy],
  unreachable: [COUNTER.dropUnreachable, PEER_COUNTER.dropUnreachable],
};

export class Forwarder {
  readonly networks = new Map<number, Network>();
  readonly addresses = new AddressTable();
  /** Who is on this host's own ports. */
  readonly stations = new LocalStations();
  readonly counterBlocks: CounterBlocks;
  readonly peerCounterBlocks: PeerCounterBlocks;
  readonly #memory: ChecksumMemory;
  readonly #underlay: Underlay;
  readonly #counters: Float64Array;
  readonly #peerCounters: Float64Array;
  readonly #vxlanPort: number;
  /** Of the inner traffic class, what the outer one takes over. */
  readonly #outerBits: number;
  readonly #clampsMss: boolean;
  readonly #onSendFailure: (tag: number, failure: SendFailure) => void;
  readonly #segmenter: Segmenter;
  readonly #coalescer: Coalescer;
  readonly #neighborProxy: NeighborProxy;
  /** The one VTEP of a unicast frame, and where its counters start. */
  readonly #unicast = new Int32Array(1);
  readonly #unicastPeer = new Int32Array(1);
  /** Whose the pending segment is: it came in that datagram, and goes to that port. */
  #pendingNetwork: Network | null = null;
  #pendingPort = 0;
  /** Where the counters start of the VTEP that sent that datagram. */
  #pendingPeer = 0;
  #pendingDatagram = -1;

  /**
   * @param options `memory` is where every batch's packets lie; `counters` from `createCounterMemory`, `peerCounters` from
   *   `createPeerCounterMemory`; `vxlanPort` is where a VTEP is answered that the registry does not know (only with anti-spoofing off);
   *   `scratch` is where in the memory `MAX_TRAIN_BYTES` are free for trains; `rules` are the defaults unless given.
   */
  constructor(options: {
    readonly memory: ChecksumMemory;
    readonly underlay: Underlay;
    readonly counters: Float64Array;
    readonly peerCounters: Float64Array;
    readonly vxlanPort: number;
    readonly scratch: number;
    readonly rules?: ForwardingRules;
  }) {
    this.#memory = options.memory;
    this.#underlay = options.underlay;
    this.#counters = options.counters;
    this.#peerCounters = options.peerCounters;
    this.counterBlocks = new CounterBlocks(options.counters);
    this.peerCounterBlocks = new PeerCounterBlocks(options.peerCounters, options.counters);
    this.#vxlanPort = options.vxlanPort;
    this.#outerBits = options.rules?.dscp === 'copy' ? 0xff : ECN_MASK;
    this.#clampsMss = options.rules?.clampMss ?? false;
    this.#segmenter = new Segmenter(options.memory, options.scratch);
    this.#coalescer = new Coalescer(options.memory);
    this.#neighborProxy = new NeighborProxy(options.memory, this.stations);
    this.#onSendFailure = (peer, failure) => {
      const [counter, peerCounter] = SEND_FAILURE_COUNTERS[failure];
      this.#peerCounters[peer + peerCounter]! += 1;
      this.#count(this.#peerCounters[peer + PEER_NETWORK]!, counter);
    };
  }

  /**
   * Forwards the frames that came from a port of this host, and sends what they queued.
   * @param now seconds on a clock that never goes back.
   */
  fromPort(network: Network, port: number, batch: PacketBatch, now: number): void {
    for (let i = 0; i < batch.count; i++) this.#fromPort(network, port, batch.offset[i]!, batch.length[i]!, now);
    this.#underlay.flush(this.#onSendFailure);
  }

  /** Takes in the datagrams that came from the underlay. */
  fromUnderlay(batch: DatagramBatch, now: number): void {
    for (let i = 0; i < batch.count; i++) {
      const end = batch.offset[i]! + batch.length[i]!;
      const size = Math.max(batch.segmentSize[i]!, 1);
      let at = batch.offset[i]!;
      // Once for a datagram of length 0, too.
      do {
        const length = Math.min(size, end - at);
        if (!this.#continuesPending(batch, i, at, length)) this.#fromUnderlay(batch, i, at, length, now);
        at += length;
      } while (at < end);
    }
    this.#deliverPending();
  }

  #fromPort(network: Network, port: number, offset: number, length: number, now: number): void {
    const view = this.#memory.view;
    const base = network.counterBase;
    this.#countFrame(base, COUNTER.portRxFrames, length);
    if (length < ETHERNET_HEADER_LENGTH) return this.#count(base, COUNTER.dropInnerRunt);

    const sourceHigh = readSourceHigh(view, offset);
    const sourceLow = readSourceLow(view, offset);
    if (!isStation(sourceHigh, sourceLow)) return this.#count(base, COUNTER.dropBadSource);
    const learned = network.macs.learn(sourceHigh, sourceLow, localPlace(port), now);
    if (learned !== LEARN_SAME) {
      // New here, or the registry has it elsewhere: the gateway shall hear of it.
      const mac = sourceHigh * 2 ** 32 + sourceLow;
      if (learned === LEARN_CONTRADICTED) this.stations.heardAgainstRegistry(network.vni, mac, now);
      else this.stations.heard(network.vni, mac);
      if (learned === LEARN_MOVED) this.#count(base, COUNTER.macsMoved);
    }
    const answer = this.#neighborProxy.look(network, offset, length, now);
    if (answer > 0) {
      this.#count(base, COUNTER.neighborsAnswered);
      return this.#give(network, port, offset, answer);
    }

    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) return this.#floodFromPort(network, port, offset, length, now);
    if (!isLocal(place)) {
      this.#unicast[0] = network.destinations[place]!;
      this.#unicastPeer[0] = network.peerCounters[place]!;
      this.#tunnel(network, port, offset, length, this.#unicast, this.#unicastPeer, now);
    } else if (portOf(place) === port) {
      this.#count(base, COUNTER.dropSamePort);
    } else {
      this.#give(network, portOf(place), offset, length);
    }
  }

  #floodFromPort(network: Network, port: number, offset: number, length: number, now: number): void {
    const destinations = network.floodDestinations;
    if (destinations.length === 0 && network.ports.length === 1) {
      return this.#count(network.counterBase, COUNTER.dropNoDestination);
    }
    if (!network.floodLimit.take(now)) return this.#count(network.counterBase, COUNTER.dropFloodLimit);
    this.#count(network.counterBase, COUNTER.floodedFrames);
    // The other ports first: encapsulation writes over what precedes the frame.
    for (let other = 0; other < network.ports.length; other++) {
      if (other !== port) this.#give(network, other, offset, length);
    }
    if (destinations.length === 0) return;
    this.#tunnel(network, port, offset, length, destinations, network.floodPeerCounters, now);
  }

  /** Encapsulates a frame and sends it to each of the destinations: head-end replication is the same bytes, once per VTEP. */
  #tunnel(
    network: Network,
    port: number,
    offset: number,
    length: number,
    destinations: Int32Array,
    peers: Int32Array,
    now: number,
  ): void {
    const { view } = this.#memory;
    const base = network.counterBase;
    const header = offset - VIRTIO_NET_HEADER_LENGTH;
    const gsoSize = readVirtioGsoType(view, header) === VIRTIO_NET_GSO_NONE ? 0 : readVirtioGsoSize(view, header);
    // A large segment's checksums are made as it is cut.
    if (gsoSize === 0 && !completeChecksum(this.#memory, offset, length))
      return this.#count(base, COUNTER.dropBadChecksum);
    const frame = this.#stripVlanTags(network, offset, length);
    if (frame < 0) return;
    const frameLength = offset + length - frame;
    const lane = hashFlow(view, frame, frameLength) & (SOURCE_PORT_LANES - 1);
    if (this.#clampsMss) this.#clampMss(network, frame, frameLength);
    const trafficClass = readTrafficClass(view, frame, frameLength) & this.#outerBits;
    if (gsoSize > 0) {
      this.#sendCut(network, port, frame, frameLength, gsoSize, destinations, peers, lane, trafficClass, now);
      return;
    }

    if (frameLength > network.mtu + ETHERNET_HEADER_LENGTH) {
      return this.#refuseTooBig(network, port, frame, frameLength, now);
    }
    const datagram = frame - VXLAN_HEADER_LENGTH;
    writeVxlan(view, datagram, network.vni);
    for (let i = 0; i < destinations.length; i++) {
      const peer = peers[i]!;
      this.#countFrame(base, COUNTER.vtepTxFrames, frameLength);
      this.#countForPeer(peer, PEER_COUNTER.txFrames, 1, frameLength);
      this.#underlay.send(datagram, frameLength + VXLAN_HEADER_LENGTH, destinations[i]!, lane, trafficClass, peer);
    }
  }

  /** Cuts a large segment of the host into frames, and sends them in trains. */
  #sendCut(
    network: Network,
    port: number,
    frame: number,
    length: number,
    gsoSize: number,
    destinations: Int32Array,
    peers: Int32Array,
    lane: number,
    trafficClass: number,
    now: number,
  ): void {
    const base = network.counterBase;
    const segmenter = this.#segmenter;
    if (!segmenter.begin(frame, length, gsoSize, network.vni)) return this.#count(base, COUNTER.dropBadChecksum);
    if (segmenter.segmentSize - VXLAN_HEADER_LENGTH > network.mtu + ETHERNET_HEADER_LENGTH) {
      return this.#refuseTooBig(network, port, frame, length, now);
    }
    while (segmenter.next()) {
      const { offset, length: trainLength, segmentSize, segments } = segmenter;
      const bytes = trainLength - segments * VXLAN_HEADER_LENGTH;
      for (let i = 0; i < destinations.length; i++) {
        const peer = peers[i]!;
        this.#counters[base + COUNTER.vtepTxFrames]! += segments;
        this.#counters[base + COUNTER.vtepTxFrames + 1]! += bytes;
        this.#countForPeer(peer, PEER_COUNTER.txFrames, segments, bytes);
        this.#underlay.sendTrain(
          offset,
          trainLength,
          segmentSize,
          destinations[i]!,
          lane,
          trafficClass,
          peer,
          this.#onSendFailure,
        );
      }
    }
  }

  #clampMss(network: Network, frame: number, length: number): void {
    if (clampMss(this.#memory.view, frame, length, network.mtu)) this.#count(network.counterBase, COUNTER.mssClamped);
  }

  /** Drops a frame that does not fit, and tells its sender what would. */
  #refuseTooBig(network: Network, port: number, frame: number, length: number, now: number): void {
    this.#count(network.counterBase, COUNTER.dropTooBig);
    if (!network.tooBigLimit.take(now)) return;
    const answer = answerTooBig(this.#memory, frame, length, network.mtu);
    if (answer === 0) return;
    this.#count(network.counterBase, COUNTER.tooBigAnswered);
    this.#give(network, port, frame, answer);
  }

  /** @returns where the frame begins without its tags, or -1 where it was dropped. Its end stays where it was. */
  #stripVlanTags(network: Network, offset: number, length: number): number {
    const { bytes, view } = this.#memory;
    let frame = offset;
    // "a VTEP SHOULD NOT include an inner VLAN tag ... unless configured otherwise" (RFC 7348 §6.1): nor a second one.
    while (isVlanType(readEtherType(view, frame))) {
      if (offset + length - frame < ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH) {
        this.#count(network.counterBase, COUNTER.dropInnerRunt);
        return -1;
      }
      frame = stripVlanTag(bytes, frame);
      this.#count(network.counterBase, COUNTER.vlanTagsStripped);
    }
    return frame;
  }

  /**
   * The short way for a train: a datagram of the one that the pending segment came in, whose frame continues it. All that was looked
   * up for the first holds for it too, since sender, VNI and addresses are the same.
   */
  #continuesPending(batch: DatagramBatch, i: number, datagram: number, length: number): boolean {
    const network = this.#pendingNetwork;
    if (network === null || i !== this.#pendingDatagram || length < VXLAN_HEADER_LENGTH) return false;
    const view = this.#memory.view;
    if (!hasVni(view, datagram) || readVni(view, datagram) !== network.vni) return false;
    const inner = length - VXLAN_HEADER_LENGTH;
    if (!this.#takeMark(network, batch, i, datagram + VXLAN_HEADER_LENGTH, inner)) return false;
    if (!this.#coalescer.append(datagram + VXLAN_HEADER_LENGTH, inner)) return false;
    this.#countFrame(network.counterBase, COUNTER.vtepRxFrames, inner);
    this.#countForPeer(this.#pendingPeer, PEER_COUNTER.rxFrames, 1, inner);
    return true;
  }

  #fromUnderlay(batch: DatagramBatch, i: number, datagram: number, datagramLength: number, now: number): void {
    const view = this.#memory.view;
    const length = datagramLength - VXLAN_HEADER_LENGTH;
    if (length < 0) return this.#count(0, COUNTER.dropTruncatedHeader);
    if (!hasVni(view, datagram)) return this.#count(0, COUNTER.dropNoVniFlag);
    const network = this.networks.get(readVni(view, datagram));
    if (network === undefined) return this.#count(0, COUNTER.dropUnknownVni);

    const base = network.counterBase;
    const slot = this.#slotOf(network, batch.source, i * 4);
    if (slot < 0) return this.#count(base, COUNTER.dropUnlistedVtep);
    if (length < ETHERNET_HEADER_LENGTH) return this.#count(base, COUNTER.dropInnerRunt);
    const offset = datagram + VXLAN_HEADER_LENGTH;
    if (isVlanType(readEtherType(view, offset))) return this.#count(base, COUNTER.dropInnerVlan);

    const sourceHigh = readSourceHigh(view, offset);
    const sourceLow = readSourceLow(view, offset);
    if (!isStation(sourceHigh, sourceLow)) return this.#count(base, COUNTER.dropBadSource);
    if (network.settings.antiSpoof === 'strict' && !network.isRegisteredAt(sourceHigh, sourceLow, slot)) {
      return this.#count(base, COUNTER.dropSpoofedSource);
    }
    if (!this.#takeMark(network, batch, i, offset, length)) return this.#count(base, COUNTER.dropCongested);
    this.#countFrame(base, COUNTER.vtepRxFrames, length);
    const peer = network.peerCounters[slot]!;
    this.#countForPeer(peer, PEER_COUNTER.rxFrames, 1, length);
    this.#learnFromVtep(network, sourceHigh, sourceLow, slot, now);
    if (this.#clampsMss) this.#clampMss(network, offset, length);

    if (network.ports.length === 0) return this.#count(base, COUNTER.dropNoPort);
    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) {
      this.#deliverPending();
      for (let port = 0; port < network.ports.length; port++) this.#deliver(network, port, offset, length);
    } else if (isLocal(place)) {
      this.#coalesce(network, portOf(place), peer, i, offset, length);
    } else {
      this.#count(base, COUNTER.dropSplitHorizon);
    }
  }

  /** @returns false where the underlay's congestion mark can't be told to the inner packet's ends, so that losing it must do. */
  #takeMark(network: Network, batch: DatagramBatch, i: number, frame: number, length: number): boolean {
    const outer = batch.trafficClass[i]! & ECN_MASK;
    if (outer !== ECT_1 && outer !== CE) return true;
    const mark = takeMark(this.#memory.view, frame, length, outer);
    if (mark === MARK_TAKEN) this.#count(network.counterBase, COUNTER.ecnMarkedFrames);
    return mark !== MARK_DROP;
  }

  #learnFromVtep(network: Network, high: number, low: number, slot: number, now: number): void {
    const learned = network.macs.learn(high, low, slot, now);
    if (learned === LEARN_SAME) return;
    if (learned === LEARN_CONTESTED) {
      // A station that the registry says is here is not taken away by a frame: whoever sent it may be lying.
      if (network.isOwn(high * 2 ** 32 + low)) return;
      network.macs.move(high, low, slot, now);
      this.#count(network.counterBase, COUNTER.macsMoved);
    } else if (learned === LEARN_MOVED) {
      this.#count(network.counterBase, COUNTER.macsMoved);
    }
  }

  /** The allow-list: which VTEP of this network sent the datagram, or -1. */
  #slotOf(network: Network, source: Uint32Array, at: number): number {
    const address = this.addresses.lookup(source, at);
    const slot = address >= 0 && address < network.slotByAddress.length ? network.slotByAddress[address]! : -1;
    if (slot >= 0 || !network.hasRoomForStranger) return slot;
    return network.adoptStranger(formatAddressWords(source, at), this.#vxlanPort);
  }

  /** Merges the frame with the pending one, or makes it the pending one, or sends both on. */
  #coalesce(network: Network, port: number, peer: number, datagram: number, offset: number, length: number): void {
    const isSamePath = this.#pendingNetwork === network && this.#pendingPort === port;
    if (isSamePath && this.#coalescer.append(offset, length)) {
      // What comes behind it in this datagram may go the short way too: its sender has been let in for this very frame.
      this.#pendingDatagram = datagram;
      this.#pendingPeer = peer;
      return;
    }
    this.#deliverPending();
    const takesUdp = network.ports[port]?.takesLargeUdp === true;
    if (!this.#coalescer.begin(offset, length, takesUdp)) return this.#deliver(network, port, offset, length);
    this.#pendingNetwork = network;
    this.#pendingPort = port;
    this.#pendingDatagram = datagram;
    this.#pendingPeer = peer;
  }

  #deliverPending(): void {
    const network = this.#pendingNetwork;
    if (network === null) return;
    const { frame, length, segments } = this.#coalescer;
    this.#pendingNetwork = null;
    if (segments === 1) return this.#deliver(network, this.#pendingPort, frame, length);
    this.#coalescer.finish();
    this.#give(network, this.#pendingPort, frame, length);
  }

  #deliver(network: Network, port: number, offset: number, length: number): void {
    const verdict = prepareDelivery(this.#memory, offset, length, network.mtu);
    if (verdict === 0) return this.#give(network, port, offset, length);
    this.#count(network.counterBase, verdict === DELIVER_TOO_BIG ? COUNTER.dropTooBig : COUNTER.dropBadChecksum);
  }

  /** Gives a frame, whose virtio-net header is in place, to a port. */
  #give(network: Network, port: number, offset: number, length: number): void {
    const to = network.ports[port];
    // A port that went while its entries age: nobody is there.
    if (to === undefined) return this.#count(network.counterBase, COUNTER.dropNoPort);
    if (to.send(this.#memory, offset, length)) this.#countFrame(network.counterBase, COUNTER.portTxFrames, length);
    else this.#count(network.counterBase, COUNTER.dropPortBusy);
  }

  #count(base: number, counter: number): void {
    this.#counters[base + counter]! += 1;
  }

  /** Counts a frame and, in the counter that follows, its bytes. */
  #countFrame(base: number, counter: number, length: number): void {
    this.#counters[base + counter]! += 1;
    this.#counters[base + counter + 1]! += length;
  }

  /** Counts frames and, in the counter that follows, their bytes. */
  #countForPeer(peer: number, counter: number, frames: number, bytes: number): void {
    this.#peerCounters[peer + counter]! += frames;
    this.#peerCounters[peer + counter + 1]! += bytes;
  }
}
