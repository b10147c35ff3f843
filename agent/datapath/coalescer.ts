/**
 * Putting consecutive TCP segments, or UDP datagrams of one size, of one flow together again, so that the host takes in one large packet
 * instead of forty small ones: what a kernel does with GRO, and the other half of `segmenter.ts`.
 *
 * One segment is *pending*. One that continues it (the same headers; in TCP the next sequence number, and no flag but ACK and PSH) has
 * its payload moved up behind the pending one's, within the same receive slot; anything else sends the pending one on first, so a flow's
 * order is kept, and nothing waits longer than the batch it came in. Every segment's checksum is verified before it is merged, since
 * the merged one goes to the host as "checksum still to be made". The host cuts a large UDP packet into the very datagrams that came.
 */
import { foldSum, sumBytes } from '../wire/checksum.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from '../wire/ethernet.ts';
import {
  IPV4_MIN_LENGTH,
  isIpv4DontFragment,
  isIpv4Fragment,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
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
import { MAX_TRAIN_SEGMENTS } from '../wire/packet-batch.ts';
import { TCP_CHECKSUM, tcpHeaderLength } from '../wire/tcp.ts';
import { UDP_CHECKSUM, UDP_HEADER_LENGTH, UDP_LENGTH } from '../wire/udp.ts';
import {
  VIRTIO_NET_GSO_TCPV4,
  VIRTIO_NET_GSO_TCPV6,
  VIRTIO_NET_GSO_UDP_L4,
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
  #isTcp = false;
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
   * Begins with a frame where it is a TCP segment or UDP datagram that others could continue.
   * @param takesUdp whether the port takes large UDP packets.
   * @returns false where it is not: then it goes to the host as it is.
   */
  begin(frame: number, length: number, takesUdp: boolean): boolean {
    if (!this.#parse(frame, length, takesUdp)) return false;
    const view = this.#memory.view;
    const tcp = frame + ETHERNET_HEADER_LENGTH + this.#ipLength;
    const payload = length - this.#headerLength;
    this.frame = frame;
    this.length = length;
    this.segments = 1;
    this.#segmentSize = payload;
    this.#isVerified = false;
    this.#isComplete = false;
    if (!this.#isTcp) return true;
    this.#nextSequence = (view.getUint32(tcp + TCP_SEQUENCE) + payload) >>> 0;
    this.#isComplete = (view.getUint8(tcp + TCP_FLAGS) & PSH) !== 0;
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

    this.#isComplete = payload < this.#segmentSize;
    if (this.#isTcp) {
      const flags = ETHERNET_HEADER_LENGTH + this.#ipLength + TCP_FLAGS;
      const push = view.getUint8(frame + flags) & PSH;
      view.setUint8(this.frame + flags, view.getUint8(this.frame + flags) | push);
      this.#nextSequence = (this.#nextSequence + payload) >>> 0;
      this.#isComplete ||= push !== 0;
    }
    // Last, since it may write over this frame's own headers.
    memory.copy(this.frame + this.length, frame + headerLength, payload);
    this.length += payload;
    this.segments++;
    if (!this.#isTcp && this.segments === MAX_TRAIN_SEGMENTS) this.#isComplete = true;
    return true;
  }

  /** Makes one large packet of several: lengths, checksums and the virtio-net header. For `segments` of two or more. */
  finish(): void {
    const view = this.#memory.view;
    const ip = this.frame + ETHERNET_HEADER_LENGTH;
    const transport = ip + this.#ipLength;
    const segment = this.length - ETHERNET_HEADER_LENGTH - this.#ipLength;
    const checksum = this.#isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
    if (this.#isIpv4) {
      view.setUint16(ip + IPV4_TOTAL_LENGTH, this.#ipLength + segment);
      view.setUint16(ip + IPV4_CHECKSUM, 0);
      view.setUint16(ip + IPV4_CHECKSUM, ~foldSum(sumBytes(view, ip, this.#ipLength, 0)) & 0xffff);
    } else {
      view.setUint16(ip + IPV6_PAYLOAD_LENGTH, segment);
    }
    if (!this.#isTcp) view.setUint16(transport + UDP_LENGTH, segment);
    view.setUint16(transport + checksum, foldSum(this.#sumPseudoHeader(ip, segment)));
    writeVirtioNet(
      view,
      this.frame - VIRTIO_NET_HEADER_LENGTH,
      VIRTIO_NET_NEEDS_CSUM,
      this.#gsoType(),
      this.#headerLength,
      this.#segmentSize,
      transport - this.frame,
      checksum,
    );
  }

  #gsoType(): number {
    if (!this.#isTcp) return VIRTIO_NET_GSO_UDP_L4;
    return this.#isIpv4 ? VIRTIO_NET_GSO_TCPV4 : VIRTIO_NET_GSO_TCPV6;
  }

  /** Finds the headers of a plain TCP segment or UDP datagram with payload: no IP options or fragments, in TCP no flag but ACK and PSH. */
  #parse(frame: number, length: number, takesUdp: boolean): boolean {
    const view = this.#memory.view;
    const ip = frame + ETHERNET_HEADER_LENGTH;
    const left = length - ETHERNET_HEADER_LENGTH;
    const etherType = readEtherType(view, frame);
    let protocol: number;
    if (etherType === ETHERTYPE_IPV4) {
      if (left < IPV4_MIN_LENGTH || view.getUint8(ip) !== 0x45) return false;
      if (readIpv4TotalLength(view, ip) !== left || isIpv4Fragment(view, ip)) return false;
      protocol = readIpv4Protocol(view, ip);
      // Cut again, datagrams get other identifications: what may still be fragmented needs its own.
      if (protocol === PROTOCOL_UDP && !isIpv4DontFragment(view, ip)) return false;
      this.#isIpv4 = true;
      this.#ipLength = IPV4_MIN_LENGTH;
    } else if (etherType === ETHERTYPE_IPV6) {
      if (!isIpv6(view, ip, left)) return false;
      if (readIpv6PayloadLength(view, ip) !== left - IPV6_HEADER_LENGTH) return false;
      protocol = readIpv6NextHeader(view, ip);
      this.#isIpv4 = false;
      this.#ipLength = IPV6_HEADER_LENGTH;
    } else {
      return false;
    }
    const transport = ip + this.#ipLength;
    const segment = left - this.#ipLength;
    this.#isTcp = protocol === PROTOCOL_TCP;
    if (this.#isTcp) {
      const tcpLength = tcpHeaderLength(view, transport, segment);
      if (tcpLength === 0 || (view.getUint8(transport + TCP_FLAGS) & ~PSH) !== ACK) return false;
      this.#headerLength = ETHERNET_HEADER_LENGTH + this.#ipLength + tcpLength;
    } else {
      if (protocol !== PROTOCOL_UDP || !takesUdp || !isWholeUdp(view, transport, segment)) return false;
      this.#headerLength = ETHERNET_HEADER_LENGTH + this.#ipLength + UDP_HEADER_LENGTH;
    }
    return length > this.#headerLength;
  }

  /** True where all that must not differ is the same, and in TCP the sequence is the next. */
  #continues(frame: number, length: number): boolean {
    const view = this.#memory.view;
    const ip = ETHERNET_HEADER_LENGTH;
    const transport = ip + this.#ipLength;
    const tcp = frame + transport;
    if (this.#isTcp) {
      if (view.getUint32(tcp + TCP_SEQUENCE) !== this.#nextSequence) return false;
      if ((view.getUint8(tcp + TCP_FLAGS) & ~PSH) !== ACK) return false;
    } else if (!isWholeUdp(view, frame + transport, length - transport)) {
      return false;
    }
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
    if (!this.#same(frame, transport, 4)) return false;
    return (
      !this.#isTcp ||
      (this.#same(frame, transport + 8, 5) &&
        this.#same(frame, transport + 14, 2) &&
        this.#same(frame, transport + TCP_URGENT, this.#headerLength - transport - TCP_URGENT))
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

  /** True where the checksums are right: `finish` makes both anew, and would bless what is not. */
  #verify(frame: number, length: number): boolean {
    const ip = frame + ETHERNET_HEADER_LENGTH;
    if (this.#isIpv4 && this.#memory.sum(ip, IPV4_MIN_LENGTH) !== 0xffff) return false;
    const segment = length - ETHERNET_HEADER_LENGTH - this.#ipLength;
    return foldSum(this.#sumPseudoHeader(ip, segment) + this.#memory.sum(ip + this.#ipLength, segment)) === 0xffff;
  }

  #sumPseudoHeader(ip: number, segment: number): number {
    const view = this.#memory.view;
    const protocol = this.#isTcp ? PROTOCOL_TCP : PROTOCOL_UDP;
    return this.#isIpv4
      ? sumIpv4PseudoHeader(view, ip, protocol, segment)
      : sumIpv6PseudoHeader(view, ip, protocol, segment);
  }
}

/** True for a datagram that fills the `segment` bytes and has a checksum. */
function isWholeUdp(view: DataView, udp: number, segment: number): boolean {
  if (segment < UDP_HEADER_LENGTH) return false;
  return view.getUint16(udp + UDP_LENGTH) === segment && view.getUint16(udp + UDP_CHECKSUM) !== 0;
}
