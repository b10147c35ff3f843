/**
 * nftables over netlink (linux/netfilter/nfnetlink.h, nf_tables.h): tables, chains, rules and sets with their elements. Pure. Unlike route
 * netlink, numbers are in network order.
 *
 *      0        1         2             4
 *     +--------+---------+-------------+----------------
 *     | family | version | resource id | attributes ...
 *     +--------+---------+-------------+----------------
 */
import {
  decodeAttributes,
  decodeList,
  decodeText,
  encodeAttribute,
  encodeNested,
  encodeText,
  encodeUint32,
  NLA_F_NESTED,
  NLM_F_APPEND,
  NLM_F_CREATE,
} from './rtnetlink.ts';

const SUBSYSTEM = 10;
const HEADER_LENGTH = 4;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const typeOf = (message: number): number => SUBSYSTEM * 256 + message;

const NFT_MSG_NEWTABLE = typeOf(0);
const NFT_MSG_DELTABLE = typeOf(2);
const NFT_MSG_NEWCHAIN = typeOf(3);
export const NFT_MSG_GETRULE = typeOf(7);
const NFT_MSG_NEWRULE = typeOf(6);
const NFT_MSG_NEWSET = typeOf(9);
const NFT_MSG_NEWSETELEM = typeOf(12);
export const NFT_MSG_GETSETELEM = typeOf(13);
const NFT_MSG_DELSETELEM = typeOf(14);
/** The group that hears of every change of the rules. */
export const NFNLGRP_NFTABLES = 7;

export const NF_INET_LOCAL_IN = 1;
export const NF_INET_LOCAL_OUT = 3;
export const NF_DROP = 0;
export const NF_ACCEPT = 1;
const NFT_GOTO = -4;
const CMP_EQUAL = 0;
/** nftables' own number of its type `integer`. */
const KEY_TYPE_INTEGER = 4;
/** An attribute is at most 64 KiB long. */
const ELEMENTS_PER_MESSAGE = 1000;

const LIST_ELEMENT = 1;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;
const VERDICT_REGISTER = 0;
/** Registers of 4 bytes; a key that consists of several parts lies in consecutive ones. */
const FIRST_REGISTER = 8;

export type Base = 'network' | 'transport';
const BASES = { network: 1, transport: 2 } as const satisfies Record<Base, number>;
const META_L4PROTO = 16;
/** The interface that a packet came by, or leaves by, as a number in the machine's own order. */
const META_INTERFACE = { in: 4, out: 5 } as const;
const LOOKUP_INVERTED = 1;

/** A table, in the family of the packets that it sees. */
export interface Table {
  readonly family: 'ip' | 'ip6';
  readonly name: string;
}
const FAMILIES = { ip: 2, ip6: 10 } as const satisfies Record<Table['family'], number>;

/** A part of a packet. */
export interface Field {
  readonly base: Base;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

export interface NftMessage {
  readonly type: number;
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
}

/** @returns the changes as one transaction. */
export function nftTransaction(changes: readonly NftMessage[]): NftMessage[] {
  const bracket = (type: number): NftMessage => ({ type, flags: 0, parts: [Uint8Array.of(0, 0, 0, SUBSYSTEM)] });
  return [bracket(NFNL_MSG_BATCH_BEGIN), ...changes, bracket(NFNL_MSG_BATCH_END)];
}

/** Makes a table; one that is there stays as it is. */
export function newTable(table: Table): NftMessage {
  return create(table, NFT_MSG_NEWTABLE, attribute.text(1, table.name));
}

/** Whatever is in it goes with it. */
export function deleteTable(table: Table): NftMessage {
  return message(table, NFT_MSG_DELTABLE, 0, attribute.text(1, table.name));
}

export function newChain(table: Table, name: string): NftMessage {
  return create(table, NFT_MSG_NEWCHAIN, attribute.text(1, table.name), attribute.text(3, name));
}

/** A chain that the kernel goes through at a hook; a packet that it says nothing of is accepted. */
export function newBaseChain(table: Table, name: string, hook: number, priority: number): NftMessage {
  return create(
    table,
    NFT_MSG_NEWCHAIN,
    attribute.text(1, table.name),
    attribute.text(3, name),
    nested(4, [attribute.number(1, hook), attribute.number(2, priority)]),
    attribute.number(5, NF_ACCEPT),
    attribute.text(7, 'filter'),
  );
}

/** Packets' keys, each with a counter of its own if wanted. @param id one of its own in its transaction. */
export function newSet(
  table: Table,
  name: string,
  id: number,
  key: readonly Pick<Field, 'length'>[],
  hasCounters: boolean,
): NftMessage {
  const parts = [
    attribute.text(1, table.name),
    attribute.text(2, name),
    attribute.number(3, 0),
    // For tools that show it only.
    attribute.number(4, KEY_TYPE_INTEGER),
    attribute.number(
      5,
      key.reduce((sum, { length }) => sum + paddedLength(length), 0),
    ),
    attribute.number(10, id),
  ];
  if (hasCounters) parts.push(encodeNested(17 | NLA_F_NESTED, expressionParts('counter', [])));
  return create(table, NFT_MSG_NEWSET, ...parts);
}

/** Appends a rule to a chain. */
export function newRule(table: Table, chain: string, ...expressions: readonly Uint8Array[]): NftMessage {
  return message(
    table,
    NFT_MSG_NEWRULE,
    NLM_F_CREATE | NLM_F_APPEND,
    attribute.text(1, table.name),
    attribute.text(2, chain),
    nested(4, expressions),
  );
}

/**
 * Puts elements into a set, or takes them out. One that is there already stays, with its counter; one that is not there and shall go
 * makes the transaction fail.
 */
export function changeElements(
  action: 'add' | 'delete',
  table: Table,
  set: string,
  keys: readonly Uint8Array[],
): NftMessage[] {
  const messages: NftMessage[] = [];
  for (let start = 0; start < keys.length; start += ELEMENTS_PER_MESSAGE) {
    const elements = keys
      .slice(start, start + ELEMENTS_PER_MESSAGE)
      .map((key) => nested(LIST_ELEMENT, [nested(1, [encodeAttribute(DATA_VALUE, key)])]));
    const parts = [attribute.text(1, table.name), attribute.text(2, set), nested(3, elements)];
    messages.push(
      action === 'add' ? create(table, NFT_MSG_NEWSETELEM, ...parts) : message(table, NFT_MSG_DELSETELEM, 0, ...parts),
    );
  }
  return messages;
}

/** The question for a table's rules, to be dumped. */
export const askRules = (table: Table): Uint8Array[] => [header(table), attribute.text(1, table.name)];

/** The question for all elements of a set, to be dumped. */
export const askElements = (table: Table, set: string): Uint8Array[] => [
  header(table),
  attribute.text(1, table.name),
  attribute.text(2, set),
];

/** Goes on where the packet is of this transport protocol. */
export function isTransport(protocol: number): Uint8Array[] {
  const load = expression('meta', [attribute.number(2, META_L4PROTO), attribute.number(1, FIRST_REGISTER)]);
  return [load, compare(CMP_EQUAL, Uint8Array.of(protocol))];
}

/** Goes on where the field is this, of its bits those of `mask`. */
export function isField(field: Field, value: Uint8Array, mask?: Uint8Array): Uint8Array[] {
  return [
    loadField(field, FIRST_REGISTER),
    ...(mask === undefined ? [] : [applyMask(mask)]),
    compare(CMP_EQUAL, value),
  ];
}

/** Goes on where the fields together are an element of the set, and counts at the element. */
export function isInSet(key: readonly Field[], set: string, setId: number): Uint8Array[] {
  let register = FIRST_REGISTER;
  const loads = key.map((field) => {
    const load = loadField(field, register);
    register += paddedLength(field.length) / 4;
    return load;
  });
  const parts = [attribute.number(2, FIRST_REGISTER), attribute.text(1, set), attribute.number(4, setId)];
  return [...loads, expression('lookup', parts)];
}

/** Goes on where the packet did not come by (or does not leave by) an interface whose index is in the set. */
export function isByOther(way: 'in' | 'out', set: string, setId: number): Uint8Array[] {
  const load = [attribute.number(2, META_INTERFACE[way]), attribute.number(1, FIRST_REGISTER)];
  const lookup = [attribute.number(2, FIRST_REGISTER), attribute.text(1, set), attribute.number(4, setId)];
  return [expression('meta', load), expression('lookup', [...lookup, attribute.number(5, LOOKUP_INVERTED)])];
}

/** @returns the key of an interface's index. */
export function encodeInterface(index: number): Uint8Array {
  return encodeUint32(index);
}

export const count = (): Uint8Array => expression('counter', []);
export const drop = (): Uint8Array => verdict(NF_DROP);
export const accept = (): Uint8Array => verdict(NF_ACCEPT);
export const goto = (chain: string): Uint8Array => verdict(NFT_GOTO, chain);

/** @returns a set's key of these parts, each padded to 4 bytes. */
export function encodeKey(...parts: readonly Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, { length }) => sum + paddedLength(length), 0));
  let at = 0;
  for (const part of parts) {
    key.set(part, at);
    at += paddedLength(part.length);
  }
  return key;
}

export interface CountedElement {
  readonly key: Uint8Array;
  /** 0 where the set counts nothing. */
  readonly packets: number;
  /** Of IP packets. */
  readonly bytes: number;
}

/** @param body of a message of type NFT_MSG_NEWSETELEM. */
export function decodeElements(body: Uint8Array): CountedElement[] {
  const list = decodeAttributes(body, HEADER_LENGTH).get(3);
  if (list === undefined) return [];
  return decodeList(list).flatMap((element) => {
    const attributes = decodeAttributes(element, 0);
    const key = decodeAttributes(attributes.get(1) ?? new Uint8Array(), 0).get(DATA_VALUE);
    if (key === undefined) return [];
    return [{ key: key.slice(), ...decodeCounter(attributes.get(7)) }];
  });
}

/** @param body of a message of type NFT_MSG_NEWRULE. @returns the packets that the rule's counter saw, or null where it has none. */
export function decodeRuleCounter(body: Uint8Array): number | null {
  const expressions = decodeAttributes(body, HEADER_LENGTH).get(4);
  for (const each of decodeList(expressions ?? new Uint8Array())) {
    const name = decodeAttributes(each, 0).get(1);
    if (name !== undefined && decodeText(name) === 'counter') return decodeCounter(each).packets;
  }
  return null;
}

/** The table that a notification speaks of: the first attribute of every kind of message. */
export function decodeTableName(body: Uint8Array): string {
  return decodeText(decodeAttributes(body, HEADER_LENGTH).get(1) ?? new Uint8Array());
}

function decodeCounter(expressionAttributes: Uint8Array | undefined): {
  readonly packets: number;
  readonly bytes: number;
} {
  const data = decodeAttributes(expressionAttributes ?? new Uint8Array(), 0).get(2);
  const counter = decodeAttributes(data ?? new Uint8Array(), 0);
  return { bytes: decodeUint64(counter.get(1)), packets: decodeUint64(counter.get(2)) };
}

function decodeUint64(bytes: Uint8Array | undefined): number {
  if (bytes === undefined || bytes.length < 8) return 0;
  return Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0));
}

function header({ family }: Table): Uint8Array {
  return Uint8Array.of(FAMILIES[family], 0, 0, 0);
}

function message(table: Table, type: number, flags: number, ...attributes: readonly Uint8Array[]): NftMessage {
  return { type, flags, parts: [header(table), ...attributes] };
}

function create(table: Table, type: number, ...attributes: readonly Uint8Array[]): NftMessage {
  return message(table, type, NLM_F_CREATE, ...attributes);
}

const attribute = {
  text: (type: number, text: string): Uint8Array => encodeAttribute(type, encodeText(text)),
  number: (type: number, value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value);
    return encodeAttribute(type, bytes);
  },
};

function nested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  return encodeNested(type | NLA_F_NESTED, attributes);
}

function expressionParts(name: string, attributes: readonly Uint8Array[]): Uint8Array[] {
  return [attribute.text(1, name), nested(2, attributes)];
}

function expression(name: string, attributes: readonly Uint8Array[]): Uint8Array {
  return nested(LIST_ELEMENT, expressionParts(name, attributes));
}

function loadField({ base, offset, length }: Field, register: number): Uint8Array {
  const parts = [register, BASES[base], offset, length].map((value, i) => attribute.number(i + 1, value));
  return expression('payload', parts);
}

function applyMask(mask: Uint8Array): Uint8Array {
  return expression('bitwise', [
    attribute.number(1, FIRST_REGISTER),
    attribute.number(2, FIRST_REGISTER),
    attribute.number(3, mask.length),
    nested(4, [encodeAttribute(DATA_VALUE, mask)]),
    nested(5, [encodeAttribute(DATA_VALUE, new Uint8Array(mask.length))]),
  ]);
}

function compare(operation: number, value: Uint8Array): Uint8Array {
  return expression('cmp', [
    attribute.number(1, FIRST_REGISTER),
    attribute.number(2, operation),
    nested(3, [encodeAttribute(DATA_VALUE, value)]),
  ]);
}

function verdict(code: number, chain?: string): Uint8Array {
  const parts = [attribute.number(1, code), ...(chain === undefined ? [] : [attribute.text(2, chain)])];
  return expression('immediate', [attribute.number(1, VERDICT_REGISTER), nested(2, [nested(DATA_VERDICT, parts)])]);
}

function paddedLength(length: number): number {
  return (length + 3) & ~3;
}
