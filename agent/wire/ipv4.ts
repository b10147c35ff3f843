/**
 * IPv4 (RFC 791), as far as a switch looks into it.
 *
 *      0      1        2              4        6              8     9        10         12       16            20
 *     +------+--------+--------------+--------+--------------+-----+--------+----------+--------+-------------+
 *     |ver,hl| TOS    | total length |   id   |flags,fragment| TTL |protocol| checksum | source | destination |
 *     +------+--------+--------------+--------+--------------+-----+--------+----------+--------+-------------+
 */
import { finishChecksum, sumBytes } from './checksum.ts';

export const IPV4_MIN_LENGTH = 20;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

const TOTAL_LENGTH = 2;
const FRAGMENT = 6;
const TTL = 8;
const PROTOCOL = 9;
export const IPV4_CHECKSUM = 10;
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;
const DF = 0x4000;
/** More-fragments, and the offset. */
const FRAGMENT_BITS = 0x3fff;

/** Header length in bytes, or 0 where the packet of `length` bytes does not hold a valid IPv4 header. */
export function ipv4HeaderLength(view: DataView, offset: number, length: number): number {
  if (length < IPV4_MIN_LENGTH) return 0;
  const first = view.getUint8(offset);
  const headerLength = (first & 0x0f) * 4;
  return first >> 4 === 4 && headerLength >= IPV4_MIN_LENGTH && headerLength <= length ? headerLength : 0;
}

export const readIpv4TotalLength = (view: DataView, offset: number): number => view.getUint16(offset + TOTAL_LENGTH);
export const readIpv4Protocol = (view: DataView, offset: number): number => view.getUint8(offset + PROTOCOL);
export const readIpv4Source = (view: DataView, offset: number): number => view.getUint32(offset + IPV4_SOURCE);
export const readIpv4Destination = (view: DataView, offset: number): number =>
  view.getUint32(offset + IPV4_DESTINATION);

/** True for every fragment, the first included. */
export const isIpv4Fragment = (view: DataView, offset: number): boolean =>
  (view.getUint16(offset + FRAGMENT) & FRAGMENT_BITS) !== 0;

export const isIpv4DontFragment = (view: DataView, offset: number): boolean =>
  (view.getUint16(offset + FRAGMENT) & DF) !== 0;

/** Unfolded sum of the pseudo-header (RFC 9293 §3.1) for a segment of `length` bytes. */
export function sumIpv4PseudoHeader(view: DataView, offset: number, protocol: number, length: number): number {
  return sumBytes(view, offset + IPV4_SOURCE, 8, protocol + length);
}

/** Writes a header without options, DF set, with its checksum. Addresses are 32-bit numbers. */
export function writeIpv4(
  view: DataView,
  offset: number,
  protocol: number,
  source: number,
  destination: number,
  payloadLength: number,
): void {
  view.setUint16(offset, 0x4500);
  view.setUint16(offset + TOTAL_LENGTH, IPV4_MIN_LENGTH + payloadLength);
  view.setUint16(offset + 4, 0);
  view.setUint16(offset + FRAGMENT, DF);
  view.setUint8(offset + TTL, 64);
  view.setUint8(offset + PROTOCOL, protocol);
  view.setUint16(offset + IPV4_CHECKSUM, 0);
  view.setUint32(offset + IPV4_SOURCE, source);
  view.setUint32(offset + IPV4_DESTINATION, destination);
  view.setUint16(offset + IPV4_CHECKSUM, finishChecksum(sumBytes(view, offset, IPV4_MIN_LENGTH, 0)));
}
