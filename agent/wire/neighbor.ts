/**
 * Neighbour solicitation and advertisement (RFC 4861 §4.3, §4.4): ICMPv6 messages that ask for, and tell, who has an address.
 *
 *      0      1      2          4                  8                 24
 *     +------+------+----------+------------------+-----------------+---------
 *     | type | code | checksum | flags, reserved  | target address  | options
 *     +------+------+----------+------------------+-----------------+---------
 */
import { finishChecksum, sumBytes } from './checksum.ts';
import { writeMac } from './ethernet.ts';
import { PROTOCOL_ICMPV6 } from './ipv4.ts';
import { IPV6_HEADER_LENGTH, isIpv6, readIpv6NextHeader, sumIpv6PseudoHeader } from './ipv6.ts';

export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;
export const NEIGHBOR_TARGET = 8;
const NEIGHBOR_MIN_LENGTH = 24;
/** With the one option that we write. */
export const NEIGHBOR_ADVERTISEMENT_LENGTH = 32;
const FLAG_SOLICITED = 0x4000_0000;
const FLAG_OVERRIDE = 0x2000_0000;
/** "Target Link-layer Address", 8 bytes long (RFC 4861 §4.6.1). */
const TARGET_LINK_LAYER_OPTION = 0x0201;
const HOP_LIMIT = 7;

/** The ICMPv6 type where the packet is one of the two and well-formed (hop limit 255, code 0), else 0. */
export function neighborType(view: DataView, ip: number, length: number): number {
  if (!isIpv6(view, ip, length) || readIpv6NextHeader(view, ip) !== PROTOCOL_ICMPV6) return 0;
  if (length < IPV6_HEADER_LENGTH + NEIGHBOR_MIN_LENGTH || view.getUint8(ip + HOP_LIMIT) !== 255) return 0;
  const type = view.getUint8(ip + IPV6_HEADER_LENGTH);
  const isOne = type === NEIGHBOR_SOLICITATION || type === NEIGHBOR_ADVERTISEMENT;
  return isOne && view.getUint8(ip + IPV6_HEADER_LENGTH + 1) === 0 ? type : 0;
}

/**
 * Writes the ICMPv6 part of a solicited advertisement behind the IPv6 header at `ip`, whose addresses and length are already in place:
 * `mac` has the address that is in the target field.
 */
export function writeNeighborAdvertisement(view: DataView, ip: number, mac: number): void {
  const at = ip + IPV6_HEADER_LENGTH;
  view.setUint32(at, NEIGHBOR_ADVERTISEMENT << 24);
  view.setUint32(at + 4, FLAG_SOLICITED | FLAG_OVERRIDE);
  view.setUint16(at + NEIGHBOR_MIN_LENGTH, TARGET_LINK_LAYER_OPTION);
  writeMac(view, at + NEIGHBOR_MIN_LENGTH + 2, mac);
  view.setUint8(ip + HOP_LIMIT, 255);
  const pseudo = sumIpv6PseudoHeader(view, ip, PROTOCOL_ICMPV6, NEIGHBOR_ADVERTISEMENT_LENGTH);
  view.setUint16(at + 2, finishChecksum(sumBytes(view, at, NEIGHBOR_ADVERTISEMENT_LENGTH, pseudo)));
}
