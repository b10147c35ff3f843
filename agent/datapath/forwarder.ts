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
import type { Underlay } from '../underlay/underlay.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { CE, ECN_MASK, ECT_1, MARK_DROP, MARK_TAKEN, takeMark } from '../wire/ecn.ts';
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
} from '../wire/ethernet.ts';
import type { DatagramBatch, PacketBatch } from '../wire/packet-batch.ts';
import { isProbe } from '../wire/probe.ts';
import { VIRTIO_NET_HEADER_LENGTH, writePlainVirtioNet } from '../wire/virtio-net.ts';
import { hasVni, readVni, VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import { AddressTable } from './address-table.ts';
import { Captures } from './captures.ts';
import { clampMss } from './clamp-mss.ts';
import { Coalescer } from './coalescer.ts';
import { COUNTER, CounterBlocks } from './counters.ts';
import { DELIVER_TOO_BIG, prepareDelivery } from './delivery.ts';
import { Encapsulator } from './encapsulator.ts';
import type { ForwardingRules } from './forwarding-rules.ts';
import { LEARN_CONTESTED, LEARN_MOVED, LEARN_SAME } from './learned-macs.ts';
import { NeighborProxy } from './neighbor-proxy.ts';
import type { Network } from './network.ts';
import { PEER_COUNTER, PeerCounterBlocks } from './peer-counters.ts';
import { isLocal, localPlace, NOWHERE, portOf } from './places.ts';
import { ProbeInbox } from './probe-inbox.ts';
import { AMBIGUOUS, lookAtTrain, ONE_FRAME, TRAIN } from './received-train.ts';
import { Segmenter } from './segmenter.ts';
import type { Stations } from './stations.ts';
import { Tally } from './tally.ts';

export class Forwarder {
  readonly networks = new Map<number, Network>();
  readonly addresses = new AddressTable();
  /** Told who is on this host's own ports. */
  readonly stations: Stations;
  /** What other agents asked and answered of the path. */
  readonly probes: ProbeInbox;
  /** Who watches passing frames. */
  readonly captures = new Captures();
  /** Where a VTEP is answered that the registry does not know (only with anti-spoofing off). */
  readonly vxlanPort: number;
  readonly counterBlocks: CounterBlocks;
  readonly peerCounterBlocks: PeerCounterBlocks;
  readonly #memory: ChecksumMemory;
  readonly #underlay: Underlay;
  readonly #tally: Tally;
  readonly #clampsMss: boolean;
  readonly #segmenter: Segmenter;
  readonly #encapsulator: Encapsulator;
  readonly #coalescer: Coalescer;
  readonly #neighborProxy: NeighborProxy;
  /** Whose the pending segment is: it came in that datagram, and goes to that port. */
  #pendingNetwork: Network | null = null;
  #pendingPort = 0;
  /** The slot of the VTEP that sent that datagram. */
  #pendingSlot = 0;
  #pendingDatagram = -1;

  /**
   * @param options `memory` is where every batch's packets lie; `counters` from `createCounterMemory`, `peerCounters` from
   *   `createPeerCounterMemory`; `scratch` is where in the memory `SCRATCH_BYTES` are free; `seed` is 32 bits that nobody can
   *   guess; `rules` are the defaults unless given.
   */
  constructor(options: {
    readonly memory: ChecksumMemory;
    readonly underlay: Underlay;
    readonly stations: Stations;
    readonly counters: Float64Array;
    readonly peerCounters: Float64Array;
    readonly vxlanPort: number;
    readonly scratch: number;
    readonly seed: number;
    readonly rules?: ForwardingRules;
  }) {
    this.#memory = options.memory;
    this.probes = new ProbeInbox(options.seed);
    this.#underlay = options.underlay;
    this.#tally = new Tally(options.counters, options.peerCounters);
    this.counterBlocks = new CounterBlocks(options.counters);
    this.peerCounterBlocks = new PeerCounterBlocks(options.peerCounters, options.counters);
    this.stations = options.stations;
    this.vxlanPort = options.vxlanPort;
    this.#clampsMss = options.rules?.clampMss ?? false;
    this.#segmenter = new Segmenter(options.memory, options.scratch);
    this.#encapsulator = new Encapsulator({
      memory: options.memory,
      underlay: options.underlay,
      tally: this.#tally,
      captures: this.captures,
      segmenter: this.#segmenter,
      rules: options.rules ?? {},
    });
    this.#coalescer = new Coalescer(options.memory);
    this.#neighborProxy = new NeighborProxy(options.memory, this.stations);
  }

  /**
   * Forwards the frames that came from a port of this host, and sends what they queued.
   * @param now seconds on a clock that never goes back.
   */
  fromPort(network: Network, port: number, batch: PacketBatch, now: number): void {
    for (let i = 0; i < batch.count; i++) this.#fromPort(network, port, batch.offset[i]!, batch.length[i]!, now);
    this.#underlay.flush(this.#tally.onSendFailure);
  }

  /** Takes in the datagrams that came from the underlay. */
  fromUnderlay(batch: DatagramBatch, now: number): void {
    for (let i = 0; i < batch.count; i++) {
      const end = batch.offset[i]! + batch.length[i]!;
      const size = Math.max(batch.segmentSize[i]!, 1);
      let at = batch.offset[i]!;
      if (at + size < end) {
        const kind = lookAtTrain(this.#memory.view, at, end - at, size);
        if (kind === AMBIGUOUS) this.#tally.count(0, COUNTER.dropAmbiguousTrain);
        if (kind === ONE_FRAME) this.#fromUnderlay(batch, i, at, end - at, size, now);
        if (kind !== TRAIN) continue;
      }
      // Once for a datagram of length 0, too.
      do {
        const length = Math.min(size, end - at);
        if (!this.#continuesPending(batch, i, at, length)) this.#fromUnderlay(batch, i, at, length, 0, now);
        at += length;
      } while (at < end);
    }
    this.#deliverPending();
  }

  #fromPort(network: Network, port: number, offset: number, length: number, now: number): void {
    const view = this.#memory.view;
    const base = network.counterBase;
    this.#tally.countFrames(base, COUNTER.portRxFrames, 1, length);
    if (length < ETHERNET_HEADER_LENGTH) return this.#tally.count(base, COUNTER.dropInnerRunt);

    const sourceHigh = readSourceHigh(view, offset);
    const sourceLow = readSourceLow(view, offset);
    if (!isStation(sourceHigh, sourceLow)) return this.#tally.count(base, COUNTER.dropBadSource);
    const learned = network.macs.learn(sourceHigh, sourceLow, localPlace(port), now);
    if (learned !== LEARN_SAME) {
      // New here, or the registry has it elsewhere: the gateway shall hear of it.
      this.stations.heard(network.vni, sourceHigh * 2 ** 32 + sourceLow, now);
      if (learned === LEARN_MOVED) this.#tally.count(base, COUNTER.macsMoved);
    }
    const answer = this.#neighborProxy.look(network, offset, length, now);
    if (answer > 0) {
      this.#tally.count(base, COUNTER.neighborsAnswered);
      return this.#give(network, NOWHERE, port, offset, answer);
    }

    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) return this.#floodFromPort(network, port, offset, length, now);
    if (!isLocal(place)) {
      const slot = network.slotToSendTo(place);
      if (slot < 0) return this.#tally.count(base, COUNTER.dropNoDestination);
      this.#tunnel(network, port, slot, offset, length, now);
    } else if (portOf(place) === port) {
      this.#tally.count(base, COUNTER.dropSamePort);
    } else {
      this.#give(network, localPlace(port), portOf(place), offset, length);
    }
  }

  #floodFromPort(network: Network, port: number, offset: number, length: number, now: number): void {
    const destinations = network.floodDestinations;
    if (destinations.length === 0 && network.ports.length === 1) {
      return this.#tally.count(network.counterBase, COUNTER.dropNoDestination);
    }
    if (!network.floodLimit.take(now)) return this.#tally.count(network.counterBase, COUNTER.dropFloodLimit);
    this.#tally.count(network.counterBase, COUNTER.floodedFrames);
    const others = network.ports.length - 1;
    this.#tally.add(network.counterBase, COUNTER.copiedFrames, destinations.length > 0 ? others : others - 1);
    // The other ports first: encapsulation writes over what precedes the frame.
    for (let other = 0; other < network.ports.length; other++) {
      if (other !== port) this.#give(network, localPlace(port), other, offset, length);
    }
    if (destinations.length > 0) this.#tunnel(network, port, NOWHERE, offset, length, now);
  }

  #tunnel(network: Network, port: number, to: number, offset: number, length: number, now: number): void {
    const answer = this.#encapsulator.send(network, port, to, offset, length, now);
    if (answer > 0) this.#give(network, NOWHERE, port, this.#encapsulator.answer, answer);
  }

  /**
   * The short way for a train: a datagram of the one that the pending segment came in, whose frame continues it. All that was looked
   * up for the first holds for it too, since sender, VNI and addresses are the same.
   */
  #continuesPending(batch: DatagramBatch, i: number, datagram: number, length: number): boolean {
    const network = this.#pendingNetwork;
    const inner = length - VXLAN_HEADER_LENGTH;
    if (network === null || i !== this.#pendingDatagram || inner < ETHERNET_HEADER_LENGTH) return false;
    const view = this.#memory.view;
    if (!hasVni(view, datagram) || readVni(view, datagram) !== network.vni) return false;
    if (!this.#takeMark(network, batch, i, datagram + VXLAN_HEADER_LENGTH, inner)) return false;
    if (!this.#coalescer.append(datagram + VXLAN_HEADER_LENGTH, inner)) return false;
    this.#tally.countFrames(network.counterBase, COUNTER.vtepRxFrames, 1, inner);
    this.#tally.countPeerFrames(network.peerCounters[this.#pendingSlot]!, PEER_COUNTER.rxFrames, 1, inner);
    return true;
  }

  /** @param gsoSize where the frame is a large UDP segment, not yet cut: payload bytes of each part; else 0. */
  #fromUnderlay(
    batch: DatagramBatch,
    i: number,
    datagram: number,
    datagramLength: number,
    gsoSize: number,
    now: number,
  ): void {
    const view = this.#memory.view;
    const length = datagramLength - VXLAN_HEADER_LENGTH;
    if (length < 0) return this.#tally.count(0, COUNTER.dropTruncatedHeader);
    if (!hasVni(view, datagram)) return this.#takeProbe(batch, i, datagram, datagramLength, now);
    const network = this.networks.get(readVni(view, datagram));
    if (network === undefined) return this.#tally.count(0, COUNTER.dropUnknownVni);

    const base = network.counterBase;
    const slot = this.#slotOf(network, batch.source, i * 4);
    if (slot < 0) return this.#tally.count(base, COUNTER.dropUnlistedVtep);
    if (length < ETHERNET_HEADER_LENGTH) return this.#tally.count(base, COUNTER.dropInnerRunt);
    const offset = datagram + VXLAN_HEADER_LENGTH;
    if (isVlanType(readEtherType(view, offset))) return this.#tally.count(base, COUNTER.dropInnerVlan);

    const sourceHigh = readSourceHigh(view, offset);
    const sourceLow = readSourceLow(view, offset);
    if (!isStation(sourceHigh, sourceLow)) return this.#tally.count(base, COUNTER.dropBadSource);
    if (network.settings.antiSpoof === 'strict' && !network.isRegisteredAt(sourceHigh, sourceLow, slot)) {
      return this.#tally.count(base, COUNTER.dropSpoofedSource);
    }
    if (!this.#takeMark(network, batch, i, offset, length)) return this.#tally.count(base, COUNTER.dropCongested);
    this.#tally.countFrames(base, COUNTER.vtepRxFrames, 1, length);
    this.#tally.countPeerFrames(network.peerCounters[slot]!, PEER_COUNTER.rxFrames, 1, length);
    this.#learnFromVtep(network, sourceHigh, sourceLow, slot, now);
    if (this.#clampsMss && clampMss(view, offset, length, network.mtu)) this.#tally.count(base, COUNTER.mssClamped);

    if (network.ports.length === 0) return this.#tally.count(base, COUNTER.dropNoPort);
    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) {
      this.#deliverPending();
      this.#tally.add(base, COUNTER.copiedFrames, network.ports.length - 1);
      for (let port = 0; port < network.ports.length; port++) {
        this.#deliver(network, slot, port, offset, length, gsoSize);
      }
    } else if (!isLocal(place)) {
      this.#tally.count(base, COUNTER.dropSplitHorizon);
    } else if (gsoSize > 0) {
      this.#deliverPending();
      this.#deliver(network, slot, portOf(place), offset, length, gsoSize);
    } else {
      this.#coalesce(network, slot, portOf(place), i, offset, length);
    }
  }

  /** What has no I flag is a probe, or nothing of ours. */
  #takeProbe(batch: DatagramBatch, i: number, offset: number, length: number, now: number): void {
    const view = this.#memory.view;
    if (!isProbe(view, offset, length)) return this.#tally.count(0, COUNTER.dropNoVniFlag);
    if (this.addresses.lookup(batch.source, i * 4) < 0) return this.#tally.count(0, COUNTER.dropUnlistedProbe);
    const isTaken = this.probes.take(view, offset, length, batch.source, i * 4, now);
    if (!isTaken) this.#tally.count(0, COUNTER.dropProbeLimit);
  }

  /** @returns false where the underlay's congestion mark can't be told to the inner packet's ends, so that losing it must do. */
  #takeMark(network: Network, batch: DatagramBatch, i: number, frame: number, length: number): boolean {
    const outer = batch.trafficClass[i]! & ECN_MASK;
    if (outer !== ECT_1 && outer !== CE) return true;
    const mark = takeMark(this.#memory.view, frame, length, outer);
    if (mark === MARK_TAKEN) this.#tally.count(network.counterBase, COUNTER.ecnMarkedFrames);
    return mark !== MARK_DROP;
  }

  #learnFromVtep(network: Network, high: number, low: number, slot: number, now: number): void {
    const learned = network.macs.learn(high, low, slot, now);
    if (learned === LEARN_SAME) return;
    if (learned === LEARN_CONTESTED) {
      // A station that the registry says is here is not taken away by a frame: whoever sent it may be lying.
      if (network.isOwn(high * 2 ** 32 + low)) return;
      network.macs.move(high, low, slot, now);
      this.#tally.count(network.counterBase, COUNTER.macsMoved);
    } else if (learned === LEARN_MOVED) {
      this.#tally.count(network.counterBase, COUNTER.macsMoved);
    }
  }

  /** The allow-list: which VTEP of this network sent the datagram, or -1. */
  #slotOf(network: Network, source: Uint32Array, at: number): number {
    const address = this.addresses.lookup(source, at);
    const slot = address >= 0 && address < network.slotByAddress.length ? network.slotByAddress[address]! : -1;
    return slot >= 0 ? slot : network.adoptStranger(source, at);
  }

  /** Merges the frame with the pending one, or makes it that, or sends both on: one beyond the MTU is to be cut, not made larger. */
  #coalesce(network: Network, slot: number, port: number, datagram: number, offset: number, length: number): void {
    const isSamePath = this.#pendingNetwork === network && this.#pendingPort === port;
    if (isSamePath && this.#coalescer.append(offset, length)) {
      // What comes behind it in this datagram may go the short way too: its sender has been let in for this very frame.
      this.#pendingDatagram = datagram;
      this.#pendingSlot = slot;
      return;
    }
    this.#deliverPending();
    const takesUdp = network.ports[port]?.takesLargeUdp === true;
    const fits = length <= network.mtu + ETHERNET_HEADER_LENGTH;
    const begins = fits && this.#coalescer.begin(offset, length, takesUdp);
    if (!begins) return this.#deliver(network, slot, port, offset, length, 0);
    this.#pendingNetwork = network;
    this.#pendingPort = port;
    this.#pendingDatagram = datagram;
    this.#pendingSlot = slot;
  }

  #deliverPending(): void {
    const network = this.#pendingNetwork;
    if (network === null) return;
    const { frame, length, segments } = this.#coalescer;
    this.#pendingNetwork = null;
    if (segments === 1) return this.#deliver(network, this.#pendingSlot, this.#pendingPort, frame, length, 0);
    this.#coalescer.finish();
    this.#tally.add(network.counterBase, COUNTER.mergedFrames, segments - 1);
    this.#give(network, this.#pendingSlot, this.#pendingPort, frame, length);
  }

  #deliver(network: Network, slot: number, port: number, offset: number, length: number, gsoSize: number): void {
    if (gsoSize > 0) return this.#deliverCut(network, slot, port, offset, length, gsoSize);
    const verdict = prepareDelivery(this.#memory, offset, length, network.mtu);
    if (verdict === 0) return this.#give(network, slot, port, offset, length);
    this.#tally.count(network.counterBase, verdict === DELIVER_TOO_BIG ? COUNTER.dropTooBig : COUNTER.dropBadChecksum);
  }

  /** Cuts the large UDP segment of a kernel VTEP for the host: not every kernel takes one from a TAP. */
  #deliverCut(network: Network, slot: number, port: number, offset: number, length: number, gsoSize: number): void {
    const segmenter = this.#segmenter;
    const base = network.counterBase;
    if (!segmenter.begin(offset, length, gsoSize, network.vni)) return this.#tally.count(base, COUNTER.dropBadChecksum);
    if (segmenter.frameSize > network.mtu + ETHERNET_HEADER_LENGTH) return this.#tally.count(base, COUNTER.dropTooBig);
    let frames = 0;
    for (; segmenter.next(1); frames++) {
      const frame = segmenter.offset + VXLAN_HEADER_LENGTH;
      writePlainVirtioNet(this.#memory.view, frame - VIRTIO_NET_HEADER_LENGTH);
      this.#give(network, slot, port, frame, segmenter.length - VXLAN_HEADER_LENGTH);
    }
    this.#tally.add(base, COUNTER.cutFrames, frames - 1);
  }

  /**
   * Gives a frame, whose virtio-net header is in place, to a port.
   * @param from the place that it came from; NOWHERE for what was made here.
   */
  #give(network: Network, from: number, port: number, offset: number, length: number): void {
    const to = network.ports[port];
    // A port that went while its entries age: nobody is there.
    if (to === undefined) return this.#tally.count(network.counterBase, COUNTER.dropNoPort);
    if (this.captures.isActive) this.captures.take(network, from, localPlace(port), this.#memory, offset, length);
    if (to.send(this.#memory, offset, length))
      this.#tally.countFrames(network.counterBase, COUNTER.portTxFrames, 1, length);
    else this.#tally.count(network.counterBase, COUNTER.dropPortBusy);
  }
}
