/**
 * Cutting a large segment of the host into frames that fit: what a network card does with TSO and USO.
 *
 * The host gives one TCP segment of up to 64 KiB (or UDP payloads of one size) with its headers once. The segmenter writes a *train*:
 * frame after frame, each with its own VXLAN, Ethernet, IP and TCP or UDP header, all of one size but the last, for the kernel to
 * send in one call (`UDP_SEGMENT`). Per frame the IP length, id and checksum change, the TCP sequence, flags and checksum; FIN and
 * PSH stay on the last only, CWR on the first only (RFC 3168 §6.1.2).
 */
import { foldSum, sumBytes } from '../wire/checksum.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from '../wire/ethernet.ts';
import { ipv4HeaderLength, PROTOCOL_TCP, PROTOCOL_UDP, readIpv4Protocol } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, IPV6_SOURCE, isIpv6, readIpv6NextHeader } from '../wire/ipv6.ts';
import { HEADROOM, MAX_TRAIN_BYTES } from '../wire/packet-batch.ts';
import { TCP_CHECKSUM, TCP_FLAG_CWR, tcpHeaderLength } from '../wire/tcp.ts';
import { UDP_CHECKSUM, UDP_HEADER_LENGTH, UDP_LENGTH } from '../wire/udp.ts';
import { VXLAN_HEADER_LENGTH, writeVxlan } from '../wire/vxlan.ts';

/** Room for one train, and for a virtio-net header before its first frame. */
export const SCRATCH_BYTES = HEADROOM + MAX_TRAIN_BYTES;

const TCP_SEQUENCE = 4;
const TCP_FLAGS = 13;
const TCP_FLAGS_LAST_ONLY = 0x09;
const IPV4_TOTAL_LENGTH = 2;
const IPV4_ID = 4;
const IPV4_CHECKSUM = 10;
const IPV4_SOURCE = 12;
const IPV6_PAYLOAD_LENGTH = 4;

export class Segmenter {
  /** The train that `next` wrote: its first byte is a VXLAN header. */
  length = 0;
  /** Bytes of every datagram of the train but the last. */
  segmentSize = 0;
  segments = 0;
  readonly offset: number;
  readonly #memory: ChecksumMemory;
  #frame = 0;
  #frameLength = 0;
  #vni = 0;
  #isIpv4 = false;
  #isTcp = false;
  #headerLength = 0;
  #ipLength = 0;
  #transportLength = 0;
  #gsoSize = 0;
  #position = 0;
  #index = 0;
  /** Sums of what stays the same in every segment. */
  #ipSum = 0;
  #transportSum = 0;

  /** @param scratch where `SCRATCH_BYTES` of the memory are free. */
  constructor(memory: ChecksumMemory, scratch: number) {
    this.#memory = memory;
    this.offset = scratch + HEADROOM;
  }

  /** Bytes of every frame but the last. */
  get frameSize(): number {
    return this.segmentSize - VXLAN_HEADER_LENGTH;
  }

  /**
   * Begins with a frame.
   * @param gsoSize payload bytes per segment, as the virtio-net header says.
   * @returns false where it is no TCP or UDP over IP that can be cut so.
   */
  begin(frame: number, length: number, gsoSize: number, vni: number): boolean {
    const view = this.#memory.view;
    const ip = frame + ETHERNET_HEADER_LENGTH;
    const left = length - ETHERNET_HEADER_LENGTH;
    const etherType = readEtherType(view, frame);
    this.#isIpv4 = etherType === ETHERTYPE_IPV4;
    let protocol: number;
    if (this.#isIpv4) {
      this.#ipLength = ipv4HeaderLength(view, ip, left);
      if (this.#ipLength === 0) return false;
      protocol = readIpv4Protocol(view, ip);
    } else {
      if (etherType !== ETHERTYPE_IPV6 || !isIpv6(view, ip, left)) return false;
      this.#ipLength = IPV6_HEADER_LENGTH;
      protocol = readIpv6NextHeader(view, ip);
    }
    const transport = ip + this.#ipLength;
    this.#isTcp = protocol === PROTOCOL_TCP;
    if (this.#isTcp) this.#transportLength = tcpHeaderLength(view, transport, left - this.#ipLength);
    else if (protocol === PROTOCOL_UDP && left - this.#ipLength >= UDP_HEADER_LENGTH) {
      this.#transportLength = UDP_HEADER_LENGTH;
    } else return false;
    this.#headerLength = ETHERNET_HEADER_LENGTH + this.#ipLength + this.#transportLength;
    // A header may speak of larger parts than there is payload, or of parts of nothing.
    const part = Math.min(gsoSize, length - this.#headerLength);
    const datagram = VXLAN_HEADER_LENGTH + this.#headerLength + part;
    if (this.#transportLength === 0 || part <= 0 || datagram > MAX_TRAIN_BYTES) return false;

    this.#frame = frame;
    this.#frameLength = length;
    this.#vni = vni;
    this.#gsoSize = part;
    this.#position = this.#headerLength;
    this.#index = 0;
    this.segmentSize = datagram;

    if (this.#isIpv4) {
      this.#ipSum =
        sumBytes(view, ip, this.#ipLength, 0) -
        view.getUint16(ip + IPV4_TOTAL_LENGTH) -
        view.getUint16(ip + IPV4_ID) -
        view.getUint16(ip + IPV4_CHECKSUM);
    }
    const addresses = this.#isIpv4
      ? sumBytes(view, ip + IPV4_SOURCE, 8, protocol)
      : sumBytes(view, ip + IPV6_SOURCE, 32, protocol);
    // The header less what changes from segment to segment.
    if (this.#isTcp) {
      this.#transportSum =
        sumBytes(view, transport, this.#transportLength, addresses) -
        view.getUint32(transport + TCP_SEQUENCE) -
        view.getUint8(transport + TCP_FLAGS) -
        view.getUint16(transport + TCP_CHECKSUM);
    } else {
      this.#transportSum = addresses + view.getUint32(transport);
    }
    return true;
  }

  /**
   * Writes the next train, of at most so many frames.
   * @returns false where all of the frame has been written.
   */
  next(maxSegments: number): boolean {
    let at = this.offset;
    const end = this.offset + MAX_TRAIN_BYTES;
    this.segments = 0;
    while (
      this.#position < this.#frameLength &&
      this.segments < maxSegments &&
      at + VXLAN_HEADER_LENGTH + this.#headerLength + this.#nextPayload() <= end
    ) {
      at = this.#writeSegment(at);
      this.segments++;
    }
    this.length = at - this.offset;
    return this.segments > 0;
  }

  #nextPayload(): number {
    return Math.min(this.#gsoSize, this.#frameLength - this.#position);
  }

  /** @returns where the segment ends. */
  #writeSegment(at: number): number {
    const memory = this.#memory;
    const { view } = memory;
    const payload = this.#nextPayload();
    const isFirst = this.#index === 0;
    const isLast = this.#position + payload === this.#frameLength;
    const frame = at + VXLAN_HEADER_LENGTH;
    const ip = frame + ETHERNET_HEADER_LENGTH;
    const transport = ip + this.#ipLength;
    const body = frame + this.#headerLength;

    writeVxlan(view, at, this.#vni);
    memory.copy(frame, this.#frame, this.#headerLength);
    const payloadSum = memory.copy(body, this.#frame + this.#position, payload);

    const transportLength = this.#transportLength + payload;
    if (this.#isIpv4) {
      const total = this.#ipLength + transportLength;
      const id = (view.getUint16(ip + IPV4_ID) + this.#index) & 0xffff;
      view.setUint16(ip + IPV4_TOTAL_LENGTH, total);
      view.setUint16(ip + IPV4_ID, id);
      view.setUint16(ip + IPV4_CHECKSUM, ~foldSum(this.#ipSum + total + id) & 0xffff);
    } else {
      view.setUint16(ip + IPV6_PAYLOAD_LENGTH, transportLength);
    }

    const sum = this.#transportSum + transportLength + payloadSum;
    if (this.#isTcp) {
      const sequence = (view.getUint32(transport + TCP_SEQUENCE) + this.#index * this.#gsoSize) >>> 0;
      let flags = view.getUint8(transport + TCP_FLAGS);
      if (!isLast) flags &= ~TCP_FLAGS_LAST_ONLY;
      if (!isFirst) flags &= ~TCP_FLAG_CWR;
      view.setUint32(transport + TCP_SEQUENCE, sequence);
      view.setUint8(transport + TCP_FLAGS, flags);
      view.setUint16(transport + TCP_CHECKSUM, ~foldSum(sum + sequence + flags) & 0xffff);
    } else {
      view.setUint16(transport + UDP_LENGTH, transportLength);
      const checksum = ~foldSum(sum + transportLength) & 0xffff;
      view.setUint16(transport + UDP_CHECKSUM, checksum === 0 ? 0xffff : checksum);
    }
    this.#position += payload;
    this.#index++;
    return body + payload;
  }
}
