/**
 * What a rule of nftables consists of (linux/netfilter/nf_tables.h): expressions, which load parts of a packet into registers, compare them,
 * look them up, and end in a verdict. Pure.
 *
 * Those that the kernel has a short way for are preferred: a load of 1, 2 or 4 bytes at a multiple of that, a comparison or a mask of 4.
 */
import { encodeAttribute, encodeNested, encodeText, NLA_F_NESTED } from './rtnetlink.ts';

const NF_DROP = 0;
export const NF_ACCEPT = 1;
const NFT_GOTO = -4;
const CMP_EQUAL = 0;
const CMP_NOT_EQUAL = 1;

const LIST_ELEMENT = 1;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;
const VERDICT_REGISTER = 0;
/** Registers of 4 bytes; a key that consists of several parts lies in consecutive ones. */
const FIRST_REGISTER = 8;

const BASES = { link: 0, network: 1, transport: 2 } as const;
/** `in` and `out` are the interface that a packet came by, or leaves by, as a number in the machine's own order. */
const META = { priority: 2, in: 4, out: 5, l4proto: 16 } as const;
const LOOKUP_INVERTED = 1;
/** The type of an extension header. */
const IPV6_FRAGMENT = 44;
/** NFT_PAYLOAD_CSUM_INET, and where UDP has its checksum. */
const CHECKSUM_INET = 1;
const UDP_CHECKSUM = 6;

/** A part of a packet. */
export interface Field {
  readonly base: keyof typeof BASES;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
  /** Which bits of it count; all, unless said. */
  readonly mask?: Uint8Array;
}

/** What a key consists of: parts of the packet, the 4 bytes that `setPriority` gave it, its interfaces. */
export type KeyPart = Field | 'priority' | 'in' | 'out';

/** Goes on where the packet is of this transport protocol. */
export function isTransport(protocol: number): Uint8Array[] {
  return [loadMeta('l4proto', FIRST_REGISTER), compare(CMP_EQUAL, Uint8Array.of(protocol))];
}

/** Goes on where the field is this. */
export function isField(field: Field, value: Uint8Array): Uint8Array[] {
  return [...load(field, FIRST_REGISTER), compare(CMP_EQUAL, value)];
}

/** Goes on where the packet is long enough to have the field. */
export function hasField(field: Field): Uint8Array[] {
  return load(field, FIRST_REGISTER);
}

/** Goes on where the packet is the first fragment of one of IPv6. */
export function isFirstFragment(): Uint8Array[] {
  // The header of fragments has the offset, in eights of bytes, and three bits of another meaning.
  const parts = [attribute.number(1, FIRST_REGISTER), attribute.byte(2, IPV6_FRAGMENT)];
  const offset = expression('exthdr', [...parts, attribute.number(3, 2), attribute.number(4, 2)]);
  return [offset, applyMask(Uint8Array.of(0xff, 0xf8), FIRST_REGISTER), compare(CMP_EQUAL, Uint8Array.of(0, 0))];
}

/** Goes on where the packet's priority is this. */
export function isPriority(value: Uint8Array): Uint8Array[] {
  return [loadMeta('priority', FIRST_REGISTER), compare(CMP_EQUAL, value)];
}

/** Goes on where any of these bits of the packet's priority is set. */
export function hasPriorityOf(mask: Uint8Array): Uint8Array[] {
  return comparePriority(mask, CMP_NOT_EQUAL);
}

/** Goes on where none of them is. */
export function lacksPriorityOf(mask: Uint8Array): Uint8Array[] {
  return comparePriority(mask, CMP_EQUAL);
}

/** Goes on where the parts together are an element of the set, and counts at the element. */
export function isInSet(key: readonly KeyPart[], set: string, setId: number): Uint8Array[] {
  return lookUp(key, set, setId, []);
}

/** Goes on where the packet did not come by (or does not leave by) an interface whose index is in the set. */
export function isByOther(way: 'in' | 'out', set: string, setId: number): Uint8Array[] {
  return lookUp([way], set, setId, [attribute.number(5, LOOKUP_INVERTED)]);
}

/** Goes on where they are a key of the map, and makes what it maps them to the packet's priority. */
export function takePriorityFrom(key: readonly KeyPart[], map: string, mapId: number): Uint8Array[] {
  return [...lookUp(key, map, mapId, [attribute.number(3, FIRST_REGISTER)]), setPriorityFromRegister()];
}

/** @param value 4 bytes. */
export function setPriority(value: Uint8Array): Uint8Array[] {
  const immediate = [attribute.number(1, FIRST_REGISTER), nested(2, [encodeAttribute(DATA_VALUE, value)])];
  return [expression('immediate', immediate), setPriorityFromRegister()];
}

/** Writes the field anew, of a packet of UDP, whose checksum then is right again. */
export function setUdpField({ base, offset, length }: Field, value: Uint8Array): Uint8Array[] {
  const immediate = [attribute.number(1, FIRST_REGISTER), nested(2, [encodeAttribute(DATA_VALUE, value)])];
  const parts = [BASES[base], offset, length, FIRST_REGISTER, CHECKSUM_INET, UDP_CHECKSUM];
  return [
    expression('immediate', immediate),
    expression(
      'payload',
      parts.map((part, i) => attribute.number(i + 2, part)),
    ),
  ];
}

export const count = (): Uint8Array => expression('counter', []);
export const drop = (): Uint8Array => verdict(NF_DROP);
export const accept = (): Uint8Array => verdict(NF_ACCEPT);
export const goto = (chain: string): Uint8Array => verdict(NFT_GOTO, chain);

/** How many bytes a part takes in a key, whole registers. */
export function paddedLength(part: KeyPart): number {
  return typeof part === 'string' ? 4 : (part.length + 3) & ~3;
}

/** Attributes whose numbers are in network order. */
export const attribute = {
  text: (type: number, text: string): Uint8Array => encodeAttribute(type, encodeText(text)),
  byte: (type: number, value: number): Uint8Array => encodeAttribute(type, Uint8Array.of(value)),
  number: (type: number, value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value);
    return encodeAttribute(type, bytes);
  },
};

export function nested(type: number, attributes: readonly Uint8Array[]): Uint8Array {
  return encodeNested(type | NLA_F_NESTED, attributes);
}

/** An expression's name and attributes. */
export function expressionParts(name: string, attributes: readonly Uint8Array[]): Uint8Array[] {
  return [attribute.text(1, name), nested(2, attributes)];
}

function expression(name: string, attributes: readonly Uint8Array[]): Uint8Array {
  return nested(LIST_ELEMENT, expressionParts(name, attributes));
}

function lookUp(key: readonly KeyPart[], set: string, setId: number, more: readonly Uint8Array[]): Uint8Array[] {
  let register = FIRST_REGISTER;
  const loads = key.flatMap((part) => {
    const loaded = typeof part === 'string' ? [loadMeta(part, register)] : load(part, register);
    register += paddedLength(part) / 4;
    return loaded;
  });
  const parts = [attribute.number(2, FIRST_REGISTER), attribute.text(1, set), attribute.number(4, setId), ...more];
  return [...loads, expression('lookup', parts)];
}

function load({ base, offset, length, mask }: Field, register: number): Uint8Array[] {
  const parts = [register, BASES[base], offset, length].map((value, i) => attribute.number(i + 1, value));
  return [expression('payload', parts), ...(mask === undefined ? [] : [applyMask(mask, register)])];
}

function loadMeta(what: keyof typeof META, register: number): Uint8Array {
  return expression('meta', [attribute.number(2, META[what]), attribute.number(1, register)]);
}

/** Of these bits, with 0. */
function comparePriority(mask: Uint8Array, operation: number): Uint8Array[] {
  const none = new Uint8Array(mask.length);
  return [loadMeta('priority', FIRST_REGISTER), applyMask(mask, FIRST_REGISTER), compare(operation, none)];
}

function setPriorityFromRegister(): Uint8Array {
  return expression('meta', [attribute.number(2, META.priority), attribute.number(3, FIRST_REGISTER)]);
}

function applyMask(mask: Uint8Array, register: number): Uint8Array {
  return expression('bitwise', [
    attribute.number(1, register),
    attribute.number(2, register),
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
