/**
 * ICMP echo, for IPv4 (RFC 792) and IPv6 (RFC 4443 §4.1, §4.2).
 *
 *      0      1      2          4            6          8
 *     +------+------+----------+------------+----------+--------
 *     | type | code | checksum | identifier | sequence | data
 *     +------+------+----------+------------+----------+--------
 */
import { finishChecksum, sumBytes } from './checksum.ts';

export const ICMP_ECHO_LENGTH = 8;
export const ICMP_ECHO_REPLY = 0;
export const ICMP_ECHO_REQUEST = 8;
export const ICMPV6_ECHO_REQUEST = 128;
export const ICMPV6_ECHO_REPLY = 129;

const CHECKSUM = 2;
const IDENTIFIER = 4;
const SEQUENCE = 6;

/** Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 1122 §3.2.2); what is cut short counts too. */
export function isIcmpError(view: DataView, offset: number, length: number): boolean {
  if (length < ICMP_ECHO_LENGTH) return true;
  const type = readIcmpType(view, offset);
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** "The high-order bit of the message Type value" is zero for an error (RFC 4443 §2.1); what is cut short counts too. */
export function isIcmpv6Error(view: DataView, offset: number, length: number): boolean {
  return length < ICMP_ECHO_LENGTH || readIcmpType(view, offset) < 128;
}

export const readIcmpType = (view: DataView, offset: number): number => view.getUint8(offset);
export const readEchoIdentifier = (view: DataView, offset: number): number => view.getUint16(offset + IDENTIFIER);
export const readEchoSequence = (view: DataView, offset: number): number => view.getUint16(offset + SEQUENCE);

/** Writes the 8 bytes before the data, the checksum zero: `writeIcmpChecksum` fills it when the data is there. */
export function writeEcho(view: DataView, offset: number, type: number, identifier: number, sequence: number): void {
  view.setUint16(offset, type << 8);
  view.setUint16(offset + CHECKSUM, 0);
  view.setUint16(offset + IDENTIFIER, identifier);
  view.setUint16(offset + SEQUENCE, sequence);
}

/** @param pseudoHeader `sumIpv6PseudoHeader` for IPv6; 0 for IPv4, whose ICMP has no pseudo-header. */
export function writeIcmpChecksum(view: DataView, offset: number, length: number, pseudoHeader: number): void {
  view.setUint16(offset + CHECKSUM, 0);
  view.setUint16(offset + CHECKSUM, finishChecksum(sumBytes(view, offset, length, pseudoHeader)));
}

/** @returns whether the checksum of the whole message is right. */
export function isIcmpValid(view: DataView, offset: number, length: number, pseudoHeader: number): boolean {
  return finishChecksum(sumBytes(view, offset, length, pseudoHeader)) === 0;
}
