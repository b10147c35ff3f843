/** What a packet carries in a few words: TCP, UDP, ICMP, and the messages by which hosts find each other. */
import { formatIp } from '../../src/contract/ip.ts';
import { formatMac, type Mac } from '../../src/contract/mac.ts';
import { readMac } from '../wire/ethernet.ts';
import {
  ICMP_ECHO_LENGTH,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  readEchoIdentifier,
  readEchoSequence,
  readIcmpType,
} from '../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP } from '../wire/ipv4.ts';
import { NEIGHBOR_ADVERTISEMENT, NEIGHBOR_SOLICITATION, NEIGHBOR_TARGET } from '../wire/neighbor.ts';
import { findTcpOption, TCP_OPTION_MSS, TCP_OPTION_MSS_LENGTH, tcpHeaderLength } from '../wire/tcp.ts';
import { UDP_HEADER_LENGTH } from '../wire/udp.ts';

export interface Ends {
  readonly family: 'IPv4' | 'IPv6';
  readonly from: string;
  readonly to: string;
}

/** From the lowest bit, as tcpdump has them. */
const TCP_FLAGS = ['F', 'S', 'R', 'P', '.', 'U', 'E', 'W'];
const FRAGMENTATION_NEEDED = 0x0304;
const ICMP_NAMES: Readonly<Record<number, string>> = {
  3: 'destination unreachable',
  5: 'redirect',
  11: 'time exceeded',
};
const ICMPV6_PACKET_TOO_BIG = 2;
const ICMPV6_NAMES: Readonly<Record<number, string>> = {
  1: 'destination unreachable',
  3: 'time exceeded',
  130: 'multicast listener query',
  131: 'multicast listener report',
  133: 'router solicitation',
  134: 'router advertisement',
  143: 'multicast listener report v2',
};

/** @param at where the transport header starts. @param length of header and payload, as the IP header says. */
export function summarizeTransport(view: DataView, at: number, protocol: number, length: number, ends: Ends): string[] {
  const left = Math.min(length, view.byteLength - at);
  switch (protocol) {
    case PROTOCOL_TCP:
      return tcp(view, at, left, length, ends);
    case PROTOCOL_UDP:
      if (left < UDP_HEADER_LENGTH) return [between(ends), 'truncated UDP'];
      return [between(ends, view, at), `UDP, length ${length - UDP_HEADER_LENGTH}`];
    case PROTOCOL_ICMP:
      return [between(ends), `ICMP ${left < ICMP_ECHO_LENGTH ? 'truncated' : icmp(view, at)}`];
    case PROTOCOL_ICMPV6:
      return [between(ends), `ICMPv6 ${left < ICMP_ECHO_LENGTH ? 'truncated' : icmpv6(view, at, left)}`];
    default:
      return [between(ends), `protocol ${protocol}`];
  }
}

function between({ family, from, to }: Ends, view?: DataView, at = 0): string {
  if (view === undefined) return `${family} ${from} > ${to}`;
  const name = (address: string, port: number): string =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  return `${family} ${name(from, view.getUint16(at))} > ${name(to, view.getUint16(at + 2))}`;
}

function tcp(view: DataView, at: number, left: number, length: number, ends: Ends): string[] {
  // Options may be cut off, but not what comes before them.
  if (left < 20) return [between(ends), 'truncated TCP'];
  const bits = view.getUint8(at + 13);
  const flags = TCP_FLAGS.filter((_, bit) => (bits & (1 << bit)) !== 0).join('');
  const said = [`TCP [${flags}] seq ${view.getUint32(at + 4)}`];
  if ((bits & 0x10) !== 0) said.push(`ack ${view.getUint32(at + 8)}`);
  said.push(`win ${view.getUint16(at + 14)}`);
  const headerLength = tcpHeaderLength(view, at, left);
  const mss = headerLength === 0 ? 0 : findTcpOption(view, at, headerLength, TCP_OPTION_MSS, TCP_OPTION_MSS_LENGTH);
  if (mss !== 0) said.push(`mss ${view.getUint16(mss)}`);
  said.push(`length ${Math.max(0, length - (view.getUint8(at + 12) >> 4) * 4)}`);
  return [between(ends, view, at), ...said];
}

function icmp(view: DataView, at: number): string {
  const type = readIcmpType(view, at);
  if (type === ICMP_ECHO_REQUEST) return `echo request, ${echo(view, at)}`;
  if (type === ICMP_ECHO_REPLY) return `echo reply, ${echo(view, at)}`;
  if (view.getUint16(at) === FRAGMENTATION_NEEDED) return `fragmentation needed, mtu ${view.getUint16(at + 6)}`;
  const code = view.getUint8(at + 1);
  return `${ICMP_NAMES[type] ?? `type ${type}`}, code ${code}`;
}

function icmpv6(view: DataView, at: number, left: number): string {
  const type = readIcmpType(view, at);
  if (type === ICMPV6_ECHO_REQUEST) return `echo request, ${echo(view, at)}`;
  if (type === ICMPV6_ECHO_REPLY) return `echo reply, ${echo(view, at)}`;
  if (type === ICMPV6_PACKET_TOO_BIG) return `packet too big, mtu ${view.getUint32(at + 4)}`;
  if (type === NEIGHBOR_SOLICITATION || type === NEIGHBOR_ADVERTISEMENT) return neighbor(view, at, left, type);
  return ICMPV6_NAMES[type] ?? `type ${type}, code ${view.getUint8(at + 1)}`;
}

function neighbor(view: DataView, at: number, left: number, type: number): string {
  const what = type === NEIGHBOR_SOLICITATION ? 'neighbor solicitation' : 'neighbor advertisement';
  if (left < NEIGHBOR_TARGET + 16) return `${what}, truncated`;
  const target = formatIp(new Uint8Array(view.buffer, view.byteOffset + at + NEIGHBOR_TARGET, 16));
  if (type === NEIGHBOR_SOLICITATION) return `${what}, who has ${target}`;
  // "Target link-layer address" is the one option that it has as a rule (RFC 4861 §4.4).
  const option = at + NEIGHBOR_TARGET + 16;
  if (left < NEIGHBOR_TARGET + 24 || view.getUint16(option) !== 0x0201) return `${what}, ${target}`;
  return `${what}, ${target} is-at ${formatMac(readMac(view, option + 2) as Mac)}`;
}

function echo(view: DataView, at: number): string {
  return `id ${readEchoIdentifier(view, at)}, seq ${readEchoSequence(view, at)}`;
}
