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
import { formatIp } from '../../src/contract/ip.ts';
import type { SendFailure, Underlay } from '../underlay/underlay.ts';
import { SOURCE_PORT_LANES } from '../underlay/underlay.ts';
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
import type { DatagramBatch, PacketBatch, PacketMemory } from '../wire/packet-batch.ts';
import { hasVni, readVni, VXLAN_HEADER_LENGTH, writeVxlan } from '../wire/vxlan.ts';
import { AddressTable } from './address-table.ts';
import { COUNTER, CounterBlocks } from './counters.ts';
import { completeChecksum, DELIVER_TOO_BIG, prepareDelivery } from './delivery.ts';
import { hashFlow } from './flow-hash.ts';
import { isLocal, localPlace, NOWHERE, portOf } from './mac-table.ts';
import type { Network } from './network.ts';

const SEND_FAILURE_COUNTER: Readonly<Record<SendFailure, number>> = {
  tooBig: COUNTER.dropTooBig,
  busy: COUNTER.dropUnderlayBusy,
  unreachable: COUNTER.dropUnreachable,
};

export class Forwarder {
  readonly networks = new Map<number, Network>();
  readonly addresses = new AddressTable();
  readonly counterBlocks: CounterBlocks;
  readonly #memory: PacketMemory;
  readonly #underlay: Underlay;
  readonly #counters: Float64Array;
  readonly #vxlanPort: number;
  readonly #onSendFailure: (tag: number, failure: SendFailure) => void;

  /**
   * @param options `memory` is where every batch's packets lie; `counters` from `createCounterMemory`; `vxlanPort` is where a VTEP
   *   is answered that the registry does not know (only with anti-spoofing off).
   */
  constructor(options: {
    readonly memory: PacketMemory;
    readonly underlay: Underlay;
    readonly counters: Float64Array;
    readonly vxlanPort: number;
  }) {
    this.#memory = options.memory;
    this.#underlay = options.underlay;
    this.#counters = options.counters;
    this.counterBlocks = new CounterBlocks(options.counters);
    this.#vxlanPort = options.vxlanPort;
    this.#onSendFailure = (base, failure) => this.#count(base, SEND_FAILURE_COUNTER[failure]);
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
    for (let i = 0; i < batch.count; i++) this.#fromUnderlay(batch, i, now);
  }

  #fromPort(network: Network, port: number, offset: number, length: number, now: number): void {
    const view = this.#memory.view;
    const base = network.counterBase;
    this.#countFrame(base, COUNTER.portRxFrames, length);
    if (length < ETHERNET_HEADER_LENGTH) return this.#count(base, COUNTER.dropInnerRunt);

    const sourceHigh = readSourceHigh(view, offset);
    const sourceLow = readSourceLow(view, offset);
    if (!isStation(sourceHigh, sourceLow)) return this.#count(base, COUNTER.dropBadSource);
    if (network.macs.learn(sourceHigh, sourceLow, localPlace(port), now)) this.#count(base, COUNTER.macsMoved);

    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) return this.#floodFromPort(network, port, offset, length);
    if (!isLocal(place)) {
      const frame = this.#encapsulate(network, offset, length);
      if (frame < 0) return;
      const datagramLength = offset + length - frame;
      this.#send(network, frame, datagramLength, network.destinations[place]!, this.#laneOf(frame, datagramLength));
    } else if (portOf(place) === port) {
      this.#count(base, COUNTER.dropSamePort);
    } else {
      this.#give(network, portOf(place), offset, length);
    }
  }

  #floodFromPort(network: Network, port: number, offset: number, length: number): void {
    const destinations = network.floodDestinations;
    if (destinations.length === 0 && network.ports.length === 1) {
      return this.#count(network.counterBase, COUNTER.dropNoDestination);
    }
    this.#count(network.counterBase, COUNTER.floodedFrames);
    // The other ports first: encapsulation writes over what precedes the frame.
    for (let other = 0; other < network.ports.length; other++) {
      if (other !== port) this.#give(network, other, offset, length);
    }
    if (destinations.length === 0) return;
    const frame = this.#encapsulate(network, offset, length);
    if (frame < 0) return;
    const datagramLength = offset + length - frame;
    const lane = this.#laneOf(frame, datagramLength);
    // Head-end replication: the same bytes, once per VTEP.
    for (let i = 0; i < destinations.length; i++) this.#send(network, frame, datagramLength, destinations[i]!, lane);
  }

  /**
   * Readies the frame for the wire and writes the VXLAN header before it.
   * @returns where the VXLAN header starts, or -1 where the frame was dropped. The end of the frame stays where it was.
   */
  #encapsulate(network: Network, offset: number, length: number): number {
    const { bytes, view } = this.#memory;
    const base = network.counterBase;
    if (!completeChecksum(view, offset, length)) {
      this.#count(base, COUNTER.dropBadChecksum);
      return -1;
    }
    let frame = offset;
    // "a VTEP SHOULD NOT include an inner VLAN tag ... unless configured otherwise" (RFC 7348 §6.1): nor a second one.
    while (isVlanType(readEtherType(view, frame))) {
      if (offset + length - frame < ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH) {
        this.#count(base, COUNTER.dropInnerRunt);
        return -1;
      }
      frame = stripVlanTag(bytes, frame);
      this.#count(base, COUNTER.vlanTagsStripped);
    }
    if (offset + length - frame > network.mtu + ETHERNET_HEADER_LENGTH) {
      this.#count(base, COUNTER.dropTooBig);
      return -1;
    }
    writeVxlan(view, frame - VXLAN_HEADER_LENGTH, network.vni);
    return frame - VXLAN_HEADER_LENGTH;
  }

  #laneOf(datagram: number, length: number): number {
    const hash = hashFlow(this.#memory.view, datagram + VXLAN_HEADER_LENGTH, length - VXLAN_HEADER_LENGTH);
    return hash & (SOURCE_PORT_LANES - 1);
  }

  #send(network: Network, datagram: number, length: number, destination: number, lane: number): void {
    this.#countFrame(network.counterBase, COUNTER.vtepTxFrames, length - VXLAN_HEADER_LENGTH);
    this.#underlay.send(datagram, length, destination, lane, network.counterBase);
  }

  #fromUnderlay(batch: DatagramBatch, i: number, now: number): void {
    const view = this.#memory.view;
    const datagram = batch.offset[i]!;
    const length = batch.length[i]! - VXLAN_HEADER_LENGTH;
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
    this.#countFrame(base, COUNTER.vtepRxFrames, length);
    if (network.macs.learn(sourceHigh, sourceLow, slot, now)) this.#count(base, COUNTER.macsMoved);

    if (network.ports.length === 0) return this.#count(base, COUNTER.dropNoPort);
    const high = readDestinationHigh(view, offset);
    const place = isGroup(high) ? NOWHERE : network.macs.lookup(high, readDestinationLow(view, offset), now);
    if (place === NOWHERE) {
      for (let port = 0; port < network.ports.length; port++) this.#deliver(network, port, offset, length);
    } else if (isLocal(place)) {
      this.#deliver(network, portOf(place), offset, length);
    } else {
      this.#count(base, COUNTER.dropSplitHorizon);
    }
  }

  /** The allow-list: which VTEP of this network sent the datagram, or -1. */
  #slotOf(network: Network, source: Uint32Array, at: number): number {
    const address = this.addresses.lookup(source, at);
    const slot = address >= 0 && address < network.slotByAddress.length ? network.slotByAddress[address]! : -1;
    if (slot >= 0 || !network.hasRoomForStranger) return slot;
    return network.adoptStranger(formatSource(source, at), this.#vxlanPort);
  }

  #deliver(network: Network, port: number, offset: number, length: number): void {
    const verdict = prepareDelivery(this.#memory.view, offset, length, network.mtu);
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
}

/** Only for a VTEP seen for the first time. */
function formatSource(words: Uint32Array, at: number): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setUint32(i * 4, words[at + i]!);
  const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff;
  return formatIp(isIpv4 ? bytes.subarray(12) : bytes);
}
