/**
 * Route netlink messages as bytes (linux/netlink.h, linux/rtnetlink.h, linux/if_link.h): pure, host order, which is little-endian on
 * every platform that this runs on.
 *
 *      0        4      6       8          12        16
 *     +--------+------+-------+----------+---------+------------------+----------------
 *     | length | type | flags | sequence | port id | family's header  | attributes ...
 *     +--------+------+-------+----------+---------+------------------+----------------
 */

const HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
/** Of a dump: things changed under it, so that it may have some twice and others not at all. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
/** What a request to make something does with what is there: takes its place, fails, adds. */
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
/** In an attribute's type: it consists of attributes. */
export const NLA_F_NESTED = 0x8000;

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_SETLINK = 19;
export const RTM_NEWQDISC = 36;
export const TC_H_ROOT = 0xffff_ffff;
export const TCA_KIND = 1;
export const RTM_NEWADDR = 20;
export const RTM_GETADDR = 22;
/** Who hears of what changes. */
export const RTNLGRP_LINK = 1;
export const RTNLGRP_NEIGH = 3;
export const RTNLGRP_IPV4_IFADDR = 5;
export const RTNLGRP_IPV6_IFADDR = 9;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_MASTER = 10;
export const IFLA_TXQLEN = 13;
export const IFLA_LINKINFO = 18;
export const IFLA_INFO_KIND = 1;
export const IFLA_IFALIAS = 20;
export const IFLA_GROUP = 27;
export const IFLA_GSO_MAX_SEGS = 40;
export const IFA_ADDRESS = 1;
export const IFA_LOCAL = 2;
const IFA_F_NODAD = 2;
const AF_INET6 = 10;
export const IFF_UP = 1;

/** `struct ifinfomsg` */
export const LINK_HEADER_LENGTH = 16;
/** `struct ifaddrmsg` */
export const ADDRESS_HEADER_LENGTH = 8;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Of the socket that asked; of a notification, the one that made the change, where the kernel says so. */
  readonly portId: number;
  /** All after the 16 bytes of `struct nlmsghdr`. */
  readonly body: Uint8Array;
}

/** @returns the whole message; `parts` follow the header in order. */
export function encodeMessage(type: number, flags: number, sequence: number, parts: readonly Uint8Array[]): Uint8Array {
  const message = new Uint8Array(HEADER_LENGTH + parts.reduce((sum, part) => sum + part.length, 0));
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  let at = HEADER_LENGTH;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

/** `struct ifinfomsg`: the link of that index (0 for none), with `flags` set where `change` says so. */
export function encodeLinkHeader(index: number, flags = 0, change = 0): Uint8Array {
  const header = new Uint8Array(LINK_HEADER_LENGTH);
  const view = new DataView(header.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return header;
}

/** `struct ifaddrmsg` of an IPv6 address, to be used at once: nobody else can have it (linux/if_addr.h, IFA_F_NODAD). */
export function encodeAddressHeader(index: number, prefixBits: number): Uint8Array {
  const header = new Uint8Array(ADDRESS_HEADER_LENGTH);
  header[0] = AF_INET6;
  header[1] = prefixBits;
  header[2] = IFA_F_NODAD;
  new DataView(header.buffer).setUint32(4, index, true);
  return header;
}

/** One attribute, padded to 4 bytes. */
export function encodeAttribute(type: number, value: Uint8Array): Uint8Array {
  const attribute = new Uint8Array((ATTRIBUTE_HEADER_LENGTH + value.length + 3) & ~3);
  const view = new DataView(attribute.buffer);
  view.setUint16(0, ATTRIBUTE_HEADER_LENGTH + value.length, true);
  view.setUint16(2, type, true);
  attribute.set(value, ATTRIBUTE_HEADER_LENGTH);
  return attribute;
}

/** An attribute that consists of attributes. */
export function encodeNested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  const value = new Uint8Array(attributes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const attribute of attributes) {
    value.set(attribute, at);
    at += attribute.length;
  }
  return encodeAttribute(type, value);
}

export function encodeUint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Text with its closing NUL. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/\0.*$/s, '');
}

/** @returns the messages of one datagram. A length that does not fit ends the reading. */
export function decodeMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_LENGTH <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_LENGTH || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      portId: view.getUint32(at + 12, true),
      body: bytes.slice(at + HEADER_LENGTH, at + length),
    });
    at += (length + 3) & ~3;
  }
  return messages;
}

/** @returns the attributes after the family's header, by type; of two of one type the last. */
export function decodeAttributes(body: Uint8Array, headerLength: number): Map<number, Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = new Map<number, Uint8Array>();
  for (let at = headerLength; at + ATTRIBUTE_HEADER_LENGTH <= body.length; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_LENGTH || at + length > body.length) break;
    // The two high bits say "nested" and "network order" (NLA_TYPE_MASK).
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, body.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length));
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** @returns the values of attributes that follow each other, whatever their types: a list. */
export function decodeList(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Uint8Array[] = [];
  for (let at = 0; at + ATTRIBUTE_HEADER_LENGTH <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_LENGTH || at + length > bytes.length) break;
    values.push(bytes.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length));
    at += (length + 3) & ~3;
  }
  return values;
}
