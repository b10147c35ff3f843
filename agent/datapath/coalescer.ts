/**
 * Putting consecutive TCP segments of one flow together again, so that the host takes in one large segment instead of forty small
 * ones: what a kernel does with GRO, and the other half of `segmenter.ts`.
 *
 * One segment is *pending*. One that continues it (the same headers, the next sequence number, no flag but ACK and PSH) has its
 * payload moved up behind the pending one's, within the same receive slot; anything else sends the pending one on first, so a flow's
 * order is kept, and nothing waits longer than the batch it came in. Every segment's checksum is verified before it is merged, since
 * the merged one goes to the host as "checksum still to be made".
 */
import { foldSum, sumBytes } from '../wire/checksum.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from '../wire/ethernet.ts';
import {
  IPV4_MIN_LENGTH,
  isIpv4Fragment,
  PROTOCOL_TCP,
  readIpv4Protocol,
  readIpv4TotalLength,
  sumIpv4PseudoHeader,
} from '../wire/ipv4.ts';
import {
  IPV6_HEADER_LENGTH,
  isIpv6,
  readIpv6NextHeader,
  readIpv6PayloadLength,
  sumIpv6PseudoHeader,
} from '../wire/ipv6.ts';
import { TCP_CHECKSUM, tcpHeaderLength } from '../wire/tcp.ts';
import {
  VIRTIO_NET_GSO_TCPV4,
  VIRTIO_NET_GSO_TCPV6,
  VIRTIO_NET_HEADER_LENGTH,
  VIRTIO_NET_NEEDS_CSUM,
  writeVirtioNet,
} from '../wire/virtio-net.ts';

const IPV4_TOTAL_LENGTH = 2;
const IPV4_ID = 4;
const IPV4_CHECKSUM = 10;
const IPV6_PAYLOAD_LENGTH = 4;
const TCP_SEQUENCE = 4;
const TCP_FLAGS = 13;
const TCP_URGENT = 18;
const ACK = 0x10;
const PSH = 0x08;
/** The largest length an IP packet can say. */
const MAX_IP_LENGTH = 65_535;

export class Coalescer {
  /** The pending frame, or -1; how long it is, and how many segments are in it. */
  frame = -1;
  length = 0;
  segments = 0;
  readonly #memory: ChecksumMemory;
  #isIpv4 = false;
  #ipLength = 0;
  #headerLength = 0;
  #segmentSize = 0;
  #nextSequence = 0;
  /** A segment shorter than the first, or one with PSH, is the last of its train. */
  #isComplete = false;
  #isVerified = false;

  constructor(memory: ChecksumMemory) {
    this.#memory = memory;
  }

  /**
   * Begins with a frame where it is a TCP segment that others could continue.
   * @returns false where it is not: then it goes to the host as it is.
   */
  begin(frame: number, length: number): boolean {
    if (!this.#parse(frame, length)) return false;
    const view = this.#memory.view;
    const tcp = frame + ETHERNET_HEADER_LENGTH + this.#ipLength;
    const payload = length - this.#headerLength;
    this.frame = frame;
    this.length = length;
    this.segments = 1;
    this.#segmentSize = payload;
    this.#nextSequence = (view.getUint32(tcp + TCP_SEQUENCE) + payload) >>> 0;
    this.#isComplete = (view.getUint8(tcp + TCP_FLAGS) & PSH) !== 0;
    this.#isVerified = false;
    return !this.#isComplete;
  }

  /** Takes the frame in behind the pending one. @returns false, with nothing changed, where it does not continue it. */
  append(frame: number, length: number): boolean {
    const memory = this.#memory;
    const { view } = memory;
    const headerLength = this.#headerLength;
    const payload = length - headerLength;
    if (this.#isComplete || payload <= 0 || payload > this.#segmentSize) return false;
    if (this.length + payload - ETHERNET_HEADER_LENGTH > MAX_IP_LENGTH) return false;
    if (!this.#continues(frame, length)) return false;
    if (!this.#isVerified) {
      if (!this.#verify(this.frame, this.length)) return false;
      this.#isVerified = true;
    }
    if (!this.#verify(frame, length)) return false;

    const tcp = ETHERNET_HEADER_LENGTH + this.#ipLength;
    const flags = view.getUint8(frame + tcp + TCP_FLAGS);
    memory.copy(this.frame + this.length, frame + headerLength, payload);
    view.setUint8(this.frame + tcp + TCP_FLAGS, view.getUint8(this.frame + tcp + TCP_FLAGS) | (flags & PSH));
    this.length += payload;
    this.segments++;
    this.#nextSequence = (this.#nextSequence + payload) >>> 0;
    this.#isComplete = (flags & PSH) !== 0 || payload < this.#segmentSize;
    return true;
  }

  /** Makes one large segment of several: lengths, checksums and the virtio-net header. For `segments` of two or more. */
  finish(): void {
    const view = this.#memory.view;
    const ip = this.frame + ETHERNET_HEADER_LENGTH;
    const tcp = ip + this.#ipLength;
    const segment = this.length - ETHERNET_HEADER_LENGTH - this.#ipLength;
    if (this.#isIpv4) {
      view.setUint16(ip + IPV4_TOTAL_LENGTH, this.#ipLength + segment);
      view.setUint16(ip + IPV4_CHECKSUM, 0);
      view.setUint16(ip + IPV4_CHECKSUM, ~foldSum(sumBytes(view, ip, this.#ipLength, 0)) & 0xffff);
    } else {
      view.setUint16(ip + IPV6_PAYLOAD_LENGTH, segment);
    }
    view.setUint16(tcp + TCP_CHECKSUM, foldSum(this.#sumPseudoHeader(ip, segment)));
    writeVirtioNet(
      view,
      this.frame - VIRTIO_NET_HEADER_LENGTH,
      VIRTIO_NET_NEEDS_CSUM,
      this.#isIpv4 ? VIRTIO_NET_GSO_TCPV4 : VIRTIO_NET_GSO_TCPV6,
      this.#headerLength,
      this.#segmentSize,
      tcp - this.frame,
      TCP_CHECKSUM,
    );
  }

  /** Finds the headers of a plain TCP segment with payload: no IP options or fragments, no flag but ACK and PSH. */
  #parse(frame: number, length: number): boolean {
    const view = this.#memory.view;
    const ip = frame + ETHERNET_HEADER_LENGTH;
    const left = length - ETHERNET_HEADER_LENGTH;
    const etherType = readEtherType(view, frame);
    if (etherType === ETHERTYPE_IPV4) {
      if (left < IPV4_MIN_LENGTH || view.getUint8(ip) !== 0x45 || readIpv4Protocol(view, ip) !== PROTOCOL_TCP)
        return false;
      if (readIpv4TotalLength(view, ip) !== left || isIpv4Fragment(view, ip)) return false;
      this.#isIpv4 = true;
      this.#ipLength = IPV4_MIN_LENGTH;
    } else if (etherType === ETHERTYPE_IPV6) {
      if (!isIpv6(view, ip, left) || readIpv6NextHeader(view, ip) !== PROTOCOL_TCP) return false;
      if (readIpv6PayloadLength(view, ip) !== left - IPV6_HEADER_LENGTH) return false;
      this.#isIpv4 = false;
      this.#ipLength = IPV6_HEADER_LENGTH;
    } else {
      return false;
    }
    const tcp = ip + this.#ipLength;
    const tcpLength = tcpHeaderLength(view, tcp, left - this.#ipLength);
    if (tcpLength === 0) return false;
    this.#headerLength = ETHERNET_HEADER_LENGTH + this.#ipLength + tcpLength;
    return length > this.#headerLength && (view.getUint8(tcp + TCP_FLAGS) & ~PSH) === ACK;
  }

  /** True where all that must not differ is the same, and the sequence is the next. */
  #continues(frame: number, length: number): boolean {
    const view = this.#memory.view;
    const ip = ETHERNET_HEADER_LENGTH;
    const tcp = ip + this.#ipLength;
    if (view.getUint32(frame + tcp + TCP_SEQUENCE) !== this.#nextSequence) return false;
    if ((view.getUint8(frame + tcp + TCP_FLAGS) & ~PSH) !== ACK) return false;
    // Ethernet, and the IP version and class of service.
    if (!this.#same(frame, 0, 16)) return false;
    if (this.#isIpv4) {
      if (readIpv4TotalLength(view, frame + ip) !== length - ETHERNET_HEADER_LENGTH) return false;
      // Flags, TTL and protocol; then the addresses.
      if (!this.#same(frame, ip + IPV4_ID + 2, 4) || !this.#same(frame, ip + 12, 8)) return false;
    } else {
      if (readIpv6PayloadLength(view, frame + ip) !== length - ETHERNET_HEADER_LENGTH - IPV6_HEADER_LENGTH)
        return false;
      if (!this.#same(frame, ip, 4) || !this.#same(frame, ip + 6, 34)) return false;
    }
    // Ports; acknowledgment and data offset; window; urgent pointer and options.
    return (
      this.#same(frame, tcp, 4) &&
      this.#same(frame, tcp + 8, 5) &&
      this.#same(frame, tcp + 14, 2) &&
      this.#same(frame, tcp + TCP_URGENT, this.#headerLength - tcp - TCP_URGENT)
    );
  }

  /** True where `length` bytes at `at` are the same in the pending frame and in this one. */
  #same(frame: number, at: number, length: number): boolean {
    const view = this.#memory.view;
    let a = this.frame + at;
    let b = frame + at;
    const end = a + length;
    for (; a + 4 <= end; a += 4, b += 4) if (view.getUint32(a) !== view.getUint32(b)) return false;
    for (; a < end; a++, b++) if (view.getUint8(a) !== view.getUint8(b)) return false;
    return true;
  }

  #verify(frame: number, length: number): boolean {
    const ip = frame + ETHERNET_HEADER_LENGTH;
    const segment = length - ETHERNET_HEADER_LENGTH - this.#ipLength;
    return foldSum(this.#sumPseudoHeader(ip, segment) + this.#memory.sum(ip + this.#ipLength, segment)) === 0xffff;
  }

  #sumPseudoHeader(ip: number, segment: number): number {
    const view = this.#memory.view;
    return this.#isIpv4
      ? sumIpv4PseudoHeader(view, ip, PROTOCOL_TCP, segment)
      : sumIpv6PseudoHeader(view, ip, PROTOCOL_TCP, segment);
  }
}
