/**
 * IPv6 (RFC 8200), as far as a switch looks into it. Extension headers are not followed: a flow that has them is told apart by its
 * addresses alone, and its checksums are left as they are.
 *
 *      0                4                6             7           8          24             40
 *     +----------------+----------------+-------------+-----------+----------+--------------+
 *     | ver,class,flow | payload length | next header | hop limit |  source  | destination  |
 *     +----------------+----------------+-------------+-----------+----------+--------------+
 */
import { sumBytes } from './checksum.ts';

export const IPV6_HEADER_LENGTH = 40;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;

/** True where `length` bytes at `offset` hold an IPv6 header. */
export function isIpv6(view: DataView, offset: number, length: number): boolean {
  return length >= IPV6_HEADER_LENGTH && view.getUint8(offset) >> 4 === 6;
}

export const readIpv6PayloadLength = (view: DataView, offset: number): number =>
  view.getUint16(offset + PAYLOAD_LENGTH);
export const readIpv6NextHeader = (view: DataView, offset: number): number => view.getUint8(offset + NEXT_HEADER);

export const writeIpv6PayloadLength = (view: DataView, offset: number, length: number): void =>
  view.setUint16(offset + PAYLOAD_LENGTH, length);

/** Unfolded sum of the pseudo-header (RFC 8200 §8.1) for a segment of `length` bytes. */
export function sumIpv6PseudoHeader(view: DataView, offset: number, protocol: number, length: number): number {
  return sumBytes(view, offset + IPV6_SOURCE, 32, protocol + length);
}

/** Writes all of a header but its addresses. */
export function writeIpv6Start(view: DataView, offset: number, nextHeader: number, payloadLength: number): void {
  view.setUint32(offset, 0x60000000);
  view.setUint16(offset + PAYLOAD_LENGTH, payloadLength);
  view.setUint8(offset + NEXT_HEADER, nextHeader);
  view.setUint8(offset + HOP_LIMIT, 64);
}
