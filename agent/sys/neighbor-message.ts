/**
 * Route netlink's neighbour messages (linux/neighbour.h): an entry of a bridge's or a vxlan device's forwarding database, or a
 * neighbour's address. Pure.
 *
 *      0        1     2     4         8       10      11     12
 *     +--------+-----------+---------+-------+-------+------+----------------
 *     | family |           | ifindex | state | flags | type | attributes ...
 *     +--------+-----------+---------+-------+-------+------+----------------
 */
import { formatIp, parseIp } from '../../src/contract/ip.ts';
import { formatMac, type Mac, parseMac } from '../../src/contract/mac.ts';
import { decodeAttributes, encodeAttribute, encodeUint32 } from './rtnetlink.ts';

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

export const AF_BRIDGE = 7;
const AF_INET = 2;
const AF_INET6 = 10;

export const NUD_REACHABLE = 0x02;
export const NUD_NOARP = 0x40;
export const NUD_PERMANENT = 0x80;

/** The device's own table, or that of the bridge it is in. */
export const NTF_SELF = 0x02;
export const NTF_MASTER = 0x04;
export const NTF_EXT_LEARNED = 0x10;
export const NTF_STICKY = 0x40;

const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_CACHEINFO = 3;
const NDA_PORT = 6;
const NDA_IFINDEX = 8;
const NDA_MASTER = 9;
const NDA_PROTOCOL = 12;

const HEADER_LENGTH = 12;

export interface NeighborMessage {
  readonly family: number;
  readonly index: number;
  readonly state: number;
  readonly flags: number;
  /** Lower case with colons, or empty. */
  readonly mac: string;
  /** In canonical text: where the station is, by IP, or the VTEP that it is behind. */
  readonly address?: string | undefined;
  /** UDP, where it is not the device's own. */
  readonly port?: number | undefined;
  /** The index of the interface that what goes there leaves by, where it is not the route's to say. */
  readonly via?: number | undefined;
  /** The bridge of the device. */
  readonly master?: number | undefined;
  /** Who made the entry. */
  readonly protocol?: number | undefined;
  /** Since it was heard. */
  readonly ageSeconds?: number | undefined;
}

/** @returns the header and the attributes, for `encodeMessage`. */
export function encodeNeighbor(entry: NeighborMessage): Uint8Array[] {
  const header = new Uint8Array(HEADER_LENGTH);
  const view = new DataView(header.buffer);
  header[0] = entry.family;
  view.setInt32(4, entry.index, true);
  view.setUint16(8, entry.state, true);
  header[10] = entry.flags;
  const parts = [header, encodeAttribute(NDA_LLADDR, macBytes(entry.mac))];
  if (entry.address !== undefined) parts.push(encodeAttribute(NDA_DST, parseIp(entry.address)!));
  if (entry.port !== undefined)
    parts.push(encodeAttribute(NDA_PORT, Uint8Array.of(entry.port >> 8, entry.port & 0xff)));
  if (entry.via !== undefined) parts.push(encodeAttribute(NDA_IFINDEX, encodeUint32(entry.via)));
  if (entry.protocol !== undefined) parts.push(encodeAttribute(NDA_PROTOCOL, Uint8Array.of(entry.protocol)));
  return parts;
}

/** A dump's question. @param family AF_BRIDGE, or 0 for the neighbours of every family. */
export function encodeNeighborQuestion(family: number): Uint8Array {
  const header = new Uint8Array(HEADER_LENGTH);
  header[0] = family;
  return header;
}

export function familyOf(address: string): number {
  return address.includes(':') ? AF_INET6 : AF_INET;
}

/** @param body after the message's header. @returns null where it is too short. */
export function decodeNeighbor(body: Uint8Array): NeighborMessage | null {
  if (body.length < HEADER_LENGTH) return null;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = decodeAttributes(body, HEADER_LENGTH);
  const mac = attributes.get(NDA_LLADDR);
  const destination = attributes.get(NDA_DST);
  const cache = attributes.get(NDA_CACHEINFO);
  return {
    family: body[0]!,
    index: view.getInt32(4, true),
    state: view.getUint16(8, true),
    flags: body[10]!,
    mac: mac === undefined ? '' : macText(mac),
    address: destination?.length === 4 || destination?.length === 16 ? formatIp(destination) : undefined,
    port: numberOf(attributes.get(NDA_PORT), 2, false),
    via: numberOf(attributes.get(NDA_IFINDEX), 4, true),
    master: numberOf(attributes.get(NDA_MASTER), 4, true),
    protocol: attributes.get(NDA_PROTOCOL)?.[0],
    // `struct nda_cacheinfo`: confirmed, used, updated, in hundredths of a second (USER_HZ).
    ageSeconds:
      cache === undefined || cache.length < 12 ? undefined : Math.floor(numberOf(cache.subarray(8), 4, true)! / 100),
  };
}

function numberOf(bytes: Uint8Array | undefined, length: 2 | 4, littleEndian: boolean): number | undefined {
  if (bytes === undefined || bytes.length < length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return length === 2 ? view.getUint16(0, littleEndian) : view.getUint32(0, littleEndian);
}

/** @param mac as text. @returns its 6 bytes. */
export function macBytes(mac: string): Uint8Array {
  const number = parseMac(mac)!;
  return Uint8Array.from({ length: 6 }, (_, i) => Math.floor(number / 2 ** (40 - 8 * i)) % 256);
}

/** @returns a MAC as text; empty where the address is of another kind. */
export function macText(bytes: Uint8Array): string {
  if (bytes.length !== 6) return '';
  return formatMac(bytes.reduce((number, byte) => number * 256 + byte, 0) as Mac);
}
