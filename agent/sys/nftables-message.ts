/**
 * nftables over netlink (linux/netfilter/nfnetlink.h, nf_tables.h): tables, chains, rules and sets with their elements. Pure. Unlike route
 * netlink, numbers are in network order. What rules consist of is in nftables-expression.ts.
 *
 *      0        1         2             4
 *     +--------+---------+-------------+----------------
 *     | family | version | resource id | attributes ...
 *     +--------+---------+-------------+----------------
 */
import { attribute, expressionParts, type KeyPart, NF_ACCEPT, nested, paddedLength } from './nftables-expression.ts';
import {
  decodeAttributes,
  decodeList,
  decodeText,
  encodeAttribute,
  encodeUint32,
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
const NFT_MSG_DELCHAIN = typeOf(5);
export const NFT_MSG_GETRULE = typeOf(7);
const NFT_MSG_NEWRULE = typeOf(6);
const NFT_MSG_NEWSET = typeOf(9);
const NFT_MSG_NEWSETELEM = typeOf(12);
export const NFT_MSG_GETSETELEM = typeOf(13);
const NFT_MSG_DELSETELEM = typeOf(14);
export const NFT_MSG_GETGEN = typeOf(16);
/** The group that hears of every change of the rules. */
export const NFNLGRP_NFTABLES = 7;

export const NF_INET_LOCAL_IN = 1;
export const NF_INET_LOCAL_OUT = 3;
export const NF_NETDEV_INGRESS = 0;
/** nftables' own number of its type `integer`. */
const KEY_TYPE_INTEGER = 4;
/** An attribute is at most 64 KiB long. */
const ELEMENTS_PER_MESSAGE = 1000;

const SET_IS_MAP = 8;
const LIST_ELEMENT = 1;
const DATA_VALUE = 1;

/** A table, in the family of the packets that it sees. */
export interface Table {
  readonly family: keyof typeof FAMILIES;
  readonly name: string;
}
const FAMILIES = { ip: 2, netdev: 5, ip6: 10 } as const;

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

/** Its rules go with it. */
export function deleteChain(table: Table, name: string): NftMessage {
  return message(table, NFT_MSG_DELCHAIN, 0, attribute.text(1, table.name), attribute.text(3, name));
}

/**
 * A chain that the kernel goes through at a hook; a packet that it says nothing of is accepted.
 * @param device whose packets it sees, in the family `netdev`.
 */
export function newBaseChain(table: Table, name: string, hook: number, priority: number, device?: string): NftMessage {
  const place = [attribute.number(1, hook), attribute.number(2, priority)];
  return create(
    table,
    NFT_MSG_NEWCHAIN,
    attribute.text(1, table.name),
    attribute.text(3, name),
    nested(4, device === undefined ? place : [...place, attribute.text(3, device)]),
    attribute.number(5, NF_ACCEPT),
    attribute.text(7, 'filter'),
  );
}

export interface SetOptions {
  /** Each element has a counter of its own. */
  readonly counts?: boolean;
  /** Each maps to 4 bytes. */
  readonly isMap?: boolean;
}

/** Packets' keys. @param id one of its own in its transaction. */
export function newSet(
  table: Table,
  name: string,
  id: number,
  key: readonly KeyPart[],
  { counts = false, isMap = false }: SetOptions = {},
): NftMessage {
  return create(
    table,
    NFT_MSG_NEWSET,
    attribute.text(1, table.name),
    attribute.text(2, name),
    attribute.number(3, isMap ? SET_IS_MAP : 0),
    // For tools that show it only.
    attribute.number(4, KEY_TYPE_INTEGER),
    attribute.number(
      5,
      key.reduce((sum, part) => sum + paddedLength(part), 0),
    ),
    ...(isMap ? [attribute.number(6, KEY_TYPE_INTEGER), attribute.number(7, 4)] : []),
    attribute.number(10, id),
    ...(counts ? [nested(17, expressionParts('counter', []))] : []),
  );
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

export interface SetElement {
  readonly key: Uint8Array;
  /** What a map has it for: 4 bytes. */
  readonly value?: Uint8Array | undefined;
}

/**
 * Puts elements into a set, or takes them out. One that is there already stays, with its counter; one that is not there and shall go
 * makes the transaction fail.
 */
export function changeElements(
  action: 'add' | 'delete',
  table: Table,
  set: string,
  changed: readonly SetElement[],
): NftMessage[] {
  const messages: NftMessage[] = [];
  for (let start = 0; start < changed.length; start += ELEMENTS_PER_MESSAGE) {
    const elements = changed.slice(start, start + ELEMENTS_PER_MESSAGE).map(({ key, value }) => {
      const parts = [nested(1, [encodeAttribute(DATA_VALUE, key)])];
      if (value !== undefined && action === 'add') parts.push(nested(2, [encodeAttribute(DATA_VALUE, value)]));
      return nested(LIST_ELEMENT, parts);
    });
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

/** The question for how many transactions there were. */
export const askGeneration = (): Uint8Array[] => [new Uint8Array(HEADER_LENGTH)];

/** @returns how many transactions of anybody's changed something, beginning anew after 2^32; of the answer to `askGeneration`. */
export function decodeGeneration(body: Uint8Array): number {
  const id = decodeAttributes(body, HEADER_LENGTH).get(1)!;
  return new DataView(id.buffer, id.byteOffset).getUint32(0);
}

/** @returns the key of an interface's index. */
export function encodeInterface(index: number): Uint8Array {
  return encodeUint32(index);
}

/** @returns a set's key of these parts, each padded to 4 bytes. */
export function encodeKey(...parts: readonly Uint8Array[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, { length }) => sum + ((length + 3) & ~3), 0));
  let at = 0;
  for (const part of parts) {
    key.set(part, at);
    at += (part.length + 3) & ~3;
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

export interface CountedRule {
  readonly chain: string;
  readonly packets: number;
  readonly bytes: number;
}

/** @param body of a message of type NFT_MSG_NEWRULE. @returns what the rule's counter saw, or null where it has none. */
export function decodeRule(body: Uint8Array): CountedRule | null {
  const attributes = decodeAttributes(body, HEADER_LENGTH);
  for (const each of decodeList(attributes.get(4) ?? new Uint8Array())) {
    const name = decodeAttributes(each, 0).get(1);
    if (name !== undefined && decodeText(name) === 'counter')
      return { chain: decodeText(attributes.get(2) ?? new Uint8Array()), ...decodeCounter(each) };
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
