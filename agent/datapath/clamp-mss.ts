/**
 * MSS clamping: the largest segment that a TCP connection's ends tell each other in their SYNs (RFC 9293 §3.7.1) is brought down to what
 * the network carries, for paths on which the ICMP that would tell them is lost.
 */
import { foldSum, updateChecksum } from '../wire/checksum.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from '../wire/ethernet.ts';
import {
  IPV4_MIN_LENGTH,
  ipv4HeaderLength,
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
import {
  findTcpOption,
  readTcpFlags,
  TCP_CHECKSUM,
  TCP_FLAG_SYN,
  TCP_MIN_LENGTH,
  TCP_OPTION_MSS,
  TCP_OPTION_MSS_LENGTH,
  tcpHeaderLength,
} from '../wire/tcp.ts';

/**
 * Lowers the MSS of a SYN. A value that is low enough, options that are malformed, and what is no SYN stay as they are.
 * @param mtu of the network, in bytes of IP packet.
 * @returns true where it was lowered.
 */
export function clampMss(view: DataView, frame: number, length: number, mtu: number): boolean {
  const ip = frame + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  const etherType = readEtherType(view, frame);
  let ipLength: number;
  let segmentLength: number;
  let isIpv4 = false;
  if (etherType === ETHERTYPE_IPV4) {
    ipLength = ipv4HeaderLength(view, ip, left);
    if (ipLength === 0 || readIpv4Protocol(view, ip) !== PROTOCOL_TCP || isIpv4Fragment(view, ip)) return false;
    segmentLength = readIpv4TotalLength(view, ip) - ipLength;
    isIpv4 = true;
  } else {
    if (etherType !== ETHERTYPE_IPV6 || !isIpv6(view, ip, left) || readIpv6NextHeader(view, ip) !== PROTOCOL_TCP) {
      return false;
    }
    ipLength = IPV6_HEADER_LENGTH;
    segmentLength = readIpv6PayloadLength(view, ip);
  }
  if (segmentLength > left - ipLength) return false;
  const tcp = ip + ipLength;
  const tcpLength = tcpHeaderLength(view, tcp, segmentLength);
  if (tcpLength === 0 || (readTcpFlags(view, tcp) & TCP_FLAG_SYN) === 0) return false;

  // "The MSS value to be sent in an MSS option should be equal to the effective MTU minus the fixed IP and TCP headers" (RFC 6691 §2).
  const limit = mtu - (isIpv4 ? IPV4_MIN_LENGTH : IPV6_HEADER_LENGTH) - TCP_MIN_LENGTH;
  const at = findTcpOption(view, tcp, tcpLength, TCP_OPTION_MSS, TCP_OPTION_MSS_LENGTH);
  if (at === 0 || limit <= 0) return false;
  const before = view.getUint16(at);
  if (before <= limit) return false;
  const pseudo = isIpv4
    ? sumIpv4PseudoHeader(view, ip, PROTOCOL_TCP, segmentLength)
    : sumIpv6PseudoHeader(view, ip, PROTOCOL_TCP, segmentLength);
  view.setUint16(at, limit);
  const checksum = view.getUint16(tcp + TCP_CHECKSUM);
  // One that is incomplete is of the pseudo-header alone: who completes it sums what is there then (delivery.ts).
  if (checksum !== foldSum(pseudo)) {
    view.setUint16(tcp + TCP_CHECKSUM, sumChange(checksum, before, limit, (at - tcp) % 2 === 1));
  }
  return true;
}

/** At an odd place the value's bytes are halves of two words, which sum as the value with its bytes swapped (RFC 1071 §2.B). */
function sumChange(checksum: number, before: number, after: number, isOdd: boolean): number {
  return isOdd ? updateChecksum(checksum, swap(before), swap(after)) : updateChecksum(checksum, before, after);
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8);
}
