/**
 * Telling a host that its packet is too big for the network: ICMP "fragmentation needed" (RFC 1191 §4) and ICMPv6 "packet too big"
 * (RFC 4443 §3.2), so that large transfers shrink instead of hanging.
 *
 * A switch has no IP address of its own, so the answer comes from the address that the packet was sent to, as the Linux kernel's VXLAN
 * does for bridged traffic. Nothing is answered to a group, to a fragment that is not the first, to an ICMP error, or to an IPv4 packet
 * that may be fragmented.
 */
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  isGroup,
  readDestinationHigh,
  readEtherType,
  readMac,
  writeEthernet,
} from '../wire/ethernet.ts';
import { isIcmpError, isIcmpv6Error, writeIcmpChecksum } from '../wire/icmp.ts';
import {
  IPV4_MIN_LENGTH,
  ipv4HeaderLength,
  isIpv4DontFragment,
  isIpv4Fragment,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  readIpv4Destination,
  readIpv4Protocol,
  readIpv4Source,
  writeIpv4,
} from '../wire/ipv4.ts';
import {
  IPV6_DESTINATION,
  IPV6_HEADER_LENGTH,
  IPV6_SOURCE,
  isIpv6,
  readIpv6NextHeader,
  sumIpv6PseudoHeader,
  writeIpv6Start,
} from '../wire/ipv6.ts';
import type { PacketMemory } from '../wire/packet-batch.ts';
import { VIRTIO_NET_HEADER_LENGTH, writePlainVirtioNet } from '../wire/virtio-net.ts';

const ICMP_HEADER_LENGTH = 8;
/** Type 3, code 4; and ICMPv6's type 2. */
const FRAGMENTATION_NEEDED = 0x0304;
const PACKET_TOO_BIG = 0x0200;
/** How much of the packet goes back: enough for any header (RFC 1812 §4.3.2.3), and for IPv6 up to its minimum MTU. */
const QUOTED_IPV4 = 548;
const QUOTED_IPV6 = 1280 - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH;

/**
 * Writes the answer over the frame.
 * @param mtu of the network, in bytes of IP packet.
 * @returns its length, to be given back to the port that the frame came from; 0 where none is due.
 */
export function answerTooBig(memory: PacketMemory, offset: number, length: number, mtu: number): number {
  if (isGroup(readDestinationHigh(memory.view, offset))) return 0;
  switch (readEtherType(memory.view, offset)) {
    case ETHERTYPE_IPV4:
      return answerIpv4(memory, offset, length, mtu);
    case ETHERTYPE_IPV6:
      return answerIpv6(memory, offset, length, mtu);
    default:
      return 0;
  }
}

function answerIpv4({ bytes, view }: PacketMemory, offset: number, length: number, mtu: number): number {
  const ip = offset + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  const headerLength = ipv4HeaderLength(view, ip, left);
  if (headerLength === 0 || isIpv4Fragment(view, ip) || !isIpv4DontFragment(view, ip)) return 0;
  if (readIpv4Protocol(view, ip) === PROTOCOL_ICMP && isIcmpError(view, ip + headerLength, left - headerLength))
    return 0;
  const quoted = Math.min(left, QUOTED_IPV4);
  const source = readIpv4Source(view, ip);
  const destination = readIpv4Destination(view, ip);
  const icmp = ip + IPV4_MIN_LENGTH;
  bytes.copyWithin(icmp + ICMP_HEADER_LENGTH, ip, ip + quoted);
  turnEthernet(view, offset, ETHERTYPE_IPV4);
  writeIpv4(view, ip, PROTOCOL_ICMP, destination, source, ICMP_HEADER_LENGTH + quoted);
  view.setUint16(icmp, FRAGMENTATION_NEEDED);
  view.setUint32(icmp + 4, mtu);
  writeIcmpChecksum(view, icmp, ICMP_HEADER_LENGTH + quoted, 0);
  return ETHERNET_HEADER_LENGTH + IPV4_MIN_LENGTH + ICMP_HEADER_LENGTH + quoted;
}

function answerIpv6({ bytes, view }: PacketMemory, offset: number, length: number, mtu: number): number {
  const ip = offset + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  if (!isIpv6(view, ip, left)) return 0;
  const icmp = ip + IPV6_HEADER_LENGTH;
  if (readIpv6NextHeader(view, ip) === PROTOCOL_ICMPV6 && isIcmpv6Error(view, icmp, left - IPV6_HEADER_LENGTH))
    return 0;
  const quoted = Math.min(left, QUOTED_IPV6);
  const message = ICMP_HEADER_LENGTH + quoted;
  const quote = icmp + ICMP_HEADER_LENGTH;
  bytes.copyWithin(quote, ip, ip + quoted);
  turnEthernet(view, offset, ETHERTYPE_IPV6);
  writeIpv6Start(view, ip, PROTOCOL_ICMPV6, message);
  bytes.copyWithin(ip + IPV6_SOURCE, quote + IPV6_DESTINATION, quote + IPV6_DESTINATION + 16);
  bytes.copyWithin(ip + IPV6_DESTINATION, quote + IPV6_SOURCE, quote + IPV6_SOURCE + 16);
  view.setUint16(icmp, PACKET_TOO_BIG);
  view.setUint32(icmp + 4, mtu);
  writeIcmpChecksum(view, icmp, message, sumIpv6PseudoHeader(view, ip, PROTOCOL_ICMPV6, message));
  return ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + message;
}

/** Back to whom the frame came from, plain: nothing is left to be done to it. */
function turnEthernet(view: DataView, offset: number, etherType: number): void {
  writeEthernet(view, offset, readMac(view, offset + 6), readMac(view, offset), etherType);
  writePlainVirtioNet(view, offset - VIRTIO_NET_HEADER_LENGTH);
}
