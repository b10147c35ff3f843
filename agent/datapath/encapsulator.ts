/**
 * From a port's frame to the datagrams that carry it: checksums completed, VLAN tags off, cut where it is a large segment, a VXLAN header
 * before it, once for each VTEP that it goes to. Per packet, so it allocates nothing and throws nothing.
 */
import { SOURCE_PORT_LANES, type Underlay } from '../underlay/underlay.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { ECN_MASK, readTrafficClass } from '../wire/ecn.ts';
import { ETHERNET_HEADER_LENGTH, isVlanType, readEtherType, stripVlanTag, VLAN_TAG_LENGTH } from '../wire/ethernet.ts';
import { MAX_TRAIN_SEGMENTS } from '../wire/packet-batch.ts';
import {
  readVirtioGsoSize,
  readVirtioGsoType,
  VIRTIO_NET_GSO_NONE,
  VIRTIO_NET_HEADER_LENGTH,
} from '../wire/virtio-net.ts';
import { VXLAN_HEADER_LENGTH, writeVxlan } from '../wire/vxlan.ts';
import type { Captures } from './captures.ts';
import { clampMss } from './clamp-mss.ts';
import { COUNTER } from './counters.ts';
import { completeChecksum } from './delivery.ts';
import { hashFlow } from './flow-hash.ts';
import type { ForwardingRules } from './forwarding-rules.ts';
import type { Network } from './network.ts';
import { PEER_COUNTER } from './peer-counters.ts';
import { localPlace, NOWHERE } from './places.ts';
import type { Segmenter } from './segmenter.ts';
import type { Tally } from './tally.ts';
import { answerTooBig } from './too-big.ts';

export class Encapsulator {
  /** Where the answer lies that `send` speaks of. */
  answer = 0;
  readonly #memory: ChecksumMemory;
  readonly #underlay: Underlay;
  readonly #tally: Tally;
  readonly #segmenter: Segmenter;
  /** Of the inner traffic class, what the outer one takes over: RFC 6040 §4.1, normal mode. */
  readonly #outerBits: number;
  readonly #clampsMss: boolean;
  readonly #captures: Captures;
  /** Whom the frame at hand goes to, and where the counters of each start. */
  #destinations = new Int32Array(0);
  #peers = new Int32Array(0);
  /** The same where it is one. */
  readonly #unicast = new Int32Array(1);
  readonly #unicastPeer = new Int32Array(1);

  constructor(options: {
    readonly memory: ChecksumMemory;
    readonly underlay: Underlay;
    readonly tally: Tally;
    readonly captures: Captures;
    readonly segmenter: Segmenter;
    readonly rules: ForwardingRules;
  }) {
    this.#memory = options.memory;
    this.#underlay = options.underlay;
    this.#tally = options.tally;
    this.#captures = options.captures;
    this.#segmenter = options.segmenter;
    this.#outerBits = options.rules.dscp === 'copy' ? 0xff : ECN_MASK;
    this.#clampsMss = options.rules.clampMss ?? false;
  }

  /**
   * Sends a port's frame to where it belongs: head-end replication is the same bytes, once per VTEP.
   * @param to the slot of a VTEP, or NOWHERE for all of the flood list.
   * @returns how long the answer is that is due to who sent the frame; 0 where none is.
   */
  send(network: Network, port: number, to: number, offset: number, length: number, now: number): number {
    this.#aim(network, to);
    const { view } = this.#memory;
    const base = network.counterBase;
    const header = offset - VIRTIO_NET_HEADER_LENGTH;
    const gsoSize = readVirtioGsoType(view, header) === VIRTIO_NET_GSO_NONE ? 0 : readVirtioGsoSize(view, header);
    // A large segment's checksums are made as it is cut.
    if (gsoSize === 0 && !completeChecksum(this.#memory, offset, length))
      return this.#drop(base, COUNTER.dropBadChecksum);
    const frame = this.#stripVlanTags(base, offset, length);
    if (frame < 0) return this.#drop(base, COUNTER.dropInnerRunt);
    const frameLength = offset + length - frame;
    const lane = hashFlow(view, frame, frameLength) & (SOURCE_PORT_LANES - 1);
    if (this.#clampsMss && clampMss(view, frame, frameLength, network.mtu)) this.#tally.count(base, COUNTER.mssClamped);
    const trafficClass = readTrafficClass(view, frame, frameLength) & this.#outerBits;
    let largest = frameLength;
    if (gsoSize > 0) {
      if (!this.#segmenter.begin(frame, frameLength, gsoSize, network.vni))
        return this.#drop(base, COUNTER.dropBadChecksum);
      largest = this.#segmenter.frameSize;
    }
    if (largest > network.mtu + ETHERNET_HEADER_LENGTH) return this.#refuseTooBig(network, frame, frameLength, now);
    if (this.#captures.isActive) this.#captures.take(network, localPlace(port), to, this.#memory, frame, frameLength);
    if (gsoSize > 0) this.#sendCut(base, lane, trafficClass);
    else this.#sendWhole(network, frame, frameLength, lane, trafficClass);
    return 0;
  }

  /** Whom the frame goes to, and where their counters start. */
  #aim(network: Network, to: number): void {
    if (to === NOWHERE) {
      this.#destinations = network.floodDestinations;
      this.#peers = network.floodPeerCounters;
    } else {
      this.#unicast[0] = network.destinations[to]!;
      this.#unicastPeer[0] = network.peerCounters[to]!;
      this.#destinations = this.#unicast;
      this.#peers = this.#unicastPeer;
    }
  }

  #sendWhole(network: Network, frame: number, length: number, lane: number, trafficClass: number): void {
    const tally = this.#tally;
    const datagram = frame - VXLAN_HEADER_LENGTH;
    writeVxlan(this.#memory.view, datagram, network.vni);
    tally.add(network.counterBase, COUNTER.copiedFrames, this.#destinations.length - 1);
    for (let i = 0; i < this.#destinations.length; i++) {
      const peer = this.#peers[i]!;
      tally.countFrames(network.counterBase, COUNTER.vtepTxFrames, 1, length);
      tally.countPeerFrames(peer, PEER_COUNTER.txFrames, 1, length);
      this.#underlay.send(datagram, length + VXLAN_HEADER_LENGTH, this.#destinations[i]!, lane, trafficClass, peer);
    }
  }

  /** Cuts a large segment of the host into frames, and sends them in trains. */
  #sendCut(base: number, lane: number, trafficClass: number): void {
    const tally = this.#tally;
    const segmenter = this.#segmenter;
    let frames = 0;
    while (segmenter.next(MAX_TRAIN_SEGMENTS)) {
      const { offset, length, segmentSize, segments } = segmenter;
      const bytes = length - segments * VXLAN_HEADER_LENGTH;
      frames += segments;
      for (let i = 0; i < this.#destinations.length; i++) {
        const to = this.#destinations[i]!;
        const peer = this.#peers[i]!;
        tally.countFrames(base, COUNTER.vtepTxFrames, segments, bytes);
        tally.countPeerFrames(peer, PEER_COUNTER.txFrames, segments, bytes);
        this.#underlay.sendTrain(offset, length, segmentSize, to, lane, trafficClass, peer, tally.onSendFailure);
      }
    }
    tally.add(base, COUNTER.cutFrames, frames - 1);
    tally.add(base, COUNTER.copiedFrames, frames * (this.#destinations.length - 1));
  }

  #drop(base: number, counter: number): number {
    this.#tally.count(base, counter);
    return 0;
  }

  /** Drops a frame that does not fit, and writes over it what would. */
  #refuseTooBig(network: Network, frame: number, length: number, now: number): number {
    this.#tally.count(network.counterBase, COUNTER.dropTooBig);
    if (!network.tooBigLimit.take(now)) return 0;
    this.answer = frame;
    const answer = answerTooBig(this.#memory, frame, length, network.mtu);
    if (answer > 0) this.#tally.count(network.counterBase, COUNTER.tooBigAnswered);
    return answer;
  }

  /** @returns where the frame begins without its tags, or -1 where it ends within one. Its end stays where it was. */
  #stripVlanTags(base: number, offset: number, length: number): number {
    const { bytes, view } = this.#memory;
    let frame = offset;
    // "a VTEP SHOULD NOT include an inner VLAN tag ... unless configured otherwise" (RFC 7348 §6.1): nor a second one.
    while (isVlanType(readEtherType(view, frame))) {
      if (offset + length - frame < ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH) return -1;
      frame = stripVlanTag(bytes, frame);
      this.#tally.count(base, COUNTER.vlanTagsStripped);
    }
    return frame;
  }
}
