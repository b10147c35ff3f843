/**
 * A frame in one line, in the words of tcpdump. Pure, and for any bytes: what is cut short or makes no sense is said as far as it can be
 * read.
 */
import { formatIp } from '../../src/contract/ip.ts';
import { formatMac, type Mac } from '../../src/contract/mac.ts';
import {
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SENDER_IP,
  ARP_TARGET_IP,
  isArp,
  readArpOperation,
  readArpSenderMacHigh,
  readArpSenderMacLow,
} from '../wire/arp.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  isVlanType,
  readMac,
  VLAN_TAG_LENGTH,
} from '../wire/ethernet.ts';
import {
  IPV4_DESTINATION,
  IPV4_SOURCE,
  ipv4HeaderLength,
  isIpv4Fragment,
  readIpv4Protocol,
  readIpv4TotalLength,
} from '../wire/ipv4.ts';
import {
  IPV6_DESTINATION,
  IPV6_HEADER_LENGTH,
  IPV6_SOURCE,
  isIpv6,
  readIpv6NextHeader,
  readIpv6PayloadLength,
} from '../wire/ipv6.ts';
import { summarizeTransport } from './transport-summary.ts';

/**
 * @param bytes of the frame, from its start; perhaps not all of them.
 * @param length of the whole frame.
 */
export function summarize(bytes: Uint8Array, length: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < ETHERNET_HEADER_LENGTH) return `truncated Ethernet frame, ${length} bytes`;
  const macs = `${macAt(view, 6)} > ${macAt(view, 0)}`;
  return [macs, ...describe(view, 12), `${length} bytes`].join(', ');
}

/** @param at where the EtherType is. */
function describe(view: DataView, at: number): string[] {
  const etherType = view.getUint16(at);
  const next = at + 2;
  if (isVlanType(etherType)) {
    if (view.byteLength < at + VLAN_TAG_LENGTH + 2) return ['truncated VLAN tag'];
    return [`vlan ${view.getUint16(next) & 0xfff}`, ...describe(view, at + VLAN_TAG_LENGTH)];
  }
  const left = view.byteLength - next;
  switch (etherType) {
    case ETHERTYPE_ARP:
      return [describeArp(view, next, left)];
    case ETHERTYPE_IPV4:
      return describeIpv4(view, next, left);
    case ETHERTYPE_IPV6:
      return describeIpv6(view, next, left);
    default:
      return [`ethertype 0x${etherType.toString(16).padStart(4, '0')}`];
  }
}

function describeArp(view: DataView, at: number, left: number): string {
  if (!isArp(view, at, left)) return 'ARP, truncated or not of IPv4';
  const sender = ipAt(view, at + ARP_SENDER_IP, 4);
  const target = ipAt(view, at + ARP_TARGET_IP, 4);
  switch (readArpOperation(view, at)) {
    case ARP_REQUEST:
      return `ARP who-has ${target} tell ${sender}`;
    case ARP_REPLY: {
      const mac = readArpSenderMacHigh(view, at) * 2 ** 32 + readArpSenderMacLow(view, at);
      return `ARP ${sender} is-at ${formatMac(mac as Mac)}`;
    }
    default:
      return `ARP operation ${readArpOperation(view, at)}`;
  }
}

function describeIpv4(view: DataView, at: number, left: number): string[] {
  const headerLength = ipv4HeaderLength(view, at, left);
  if (headerLength === 0) return ['truncated IPv4'];
  const mark = ecnOf(view.getUint8(at + 1));
  const [from, to] = [ipAt(view, at + IPV4_SOURCE, 4), ipAt(view, at + IPV4_DESTINATION, 4)];
  const protocol = readIpv4Protocol(view, at);
  if (isIpv4Fragment(view, at)) {
    const offset = (view.getUint16(at + 6) & 0x1fff) * 8;
    return [`IPv4 ${from} > ${to}`, `fragment at ${offset}, protocol ${protocol}`, ...mark];
  }
  const payload = Math.max(0, readIpv4TotalLength(view, at) - headerLength);
  return [...summarizeTransport(view, at + headerLength, protocol, payload, { family: 'IPv4', from, to }), ...mark];
}

function describeIpv6(view: DataView, at: number, left: number): string[] {
  if (!isIpv6(view, at, left)) return ['truncated IPv6'];
  const [from, to] = [ipAt(view, at + IPV6_SOURCE, 16), ipAt(view, at + IPV6_DESTINATION, 16)];
  const payload = readIpv6PayloadLength(view, at);
  const mark = ecnOf(view.getUint16(at) >> 4);
  const transport = at + IPV6_HEADER_LENGTH;
  const protocol = readIpv6NextHeader(view, at);
  return [...summarizeTransport(view, transport, protocol, payload, { family: 'IPv6', from, to }), ...mark];
}

/** Only what is worth a word: that the packet met congestion. */
function ecnOf(trafficClass: number): string[] {
  return (trafficClass & 3) === 3 ? ['CE'] : [];
}

function macAt(view: DataView, at: number): string {
  return formatMac(readMac(view, at) as Mac);
}

function ipAt(view: DataView, at: number, length: number): string {
  return formatIp(new Uint8Array(view.buffer, view.byteOffset + at, length));
}
