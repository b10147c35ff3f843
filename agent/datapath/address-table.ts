/**
 * IP addresses → small numbers, by open addressing: one lookup per datagram tells who sent it. IPv4 addresses are IPv4-mapped
 * IPv6, four 32-bit words. Addresses are counted and given up by control; a lookup allocates nothing.
 */
import { formatIp } from '../../src/contract/ip.ts';

const INITIAL_CAPACITY = 64;
const EMPTY = 0;
/** Kept in the probe sequence of others. */
const DELETED = -1;

export class AddressTable {
  #capacity = INITIAL_CAPACITY;
  #words = new Uint32Array(INITIAL_CAPACITY * 4);
  /** The address's number plus one, or EMPTY or DELETED. */
  #index = new Int32Array(INITIAL_CAPACITY);
  /** Slots that are not EMPTY: what bounds the length of a probe. */
  #occupied = 0;
  /** By number: how many use it, and in which slot it is. */
  readonly #users: number[] = [];
  readonly #slots: number[] = [];
  readonly #freeNumbers: number[] = [];

  /** @returns the number of the address whose words are at `words[at]`…, or -1. */
  lookup(words: Uint32Array, at: number): number {
    const mask = this.#capacity - 1;
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    for (let slot = hashWords(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#index[slot]!;
      if (index === EMPTY) return -1;
      if (index === DELETED) continue;
      const base = slot * 4;
      if (
        this.#words[base + 3] === d &&
        this.#words[base + 2] === c &&
        this.#words[base + 1] === b &&
        this.#words[base] === a
      ) {
        return index - 1;
      }
    }
  }

  /** @returns the address's number, the same for every user of it. */
  acquire(address: Uint32Array): number {
    const known = this.lookup(address, 0);
    if (known >= 0) {
      this.#users[known]!++;
      return known;
    }
    const number = this.#freeNumbers.pop() ?? this.#users.length;
    this.#users[number] = 1;
    // At most half full, so that a probe stays short.
    if ((this.#occupied + 1) * 2 > this.#capacity) this.#rehash();
    this.#insert(number, address, 0);
    return number;
  }

  /** Gives up one use; with the last one the address is forgotten and its number may be given again. */
  release(number: number): void {
    this.#users[number]!--;
    if (this.#users[number]! > 0) return;
    this.#index[this.#slots[number]!] = DELETED;
    this.#freeNumbers.push(number);
  }

  /** Into arrays four times what is in use, which also drops what was DELETED. */
  #rehash(): void {
    const words = this.#words;
    const index = this.#index;
    const inUse = this.#users.length - this.#freeNumbers.length;
    this.#capacity = INITIAL_CAPACITY;
    while (this.#capacity < inUse * 4) this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * 4);
    this.#index = new Int32Array(this.#capacity);
    this.#occupied = 0;
    for (let slot = 0; slot < index.length; slot++) {
      if (index[slot]! > 0) this.#insert(index[slot]! - 1, words, slot * 4);
    }
  }

  #insert(number: number, words: Uint32Array, at: number): void {
    const mask = this.#capacity - 1;
    let slot = hashWords(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!) & mask;
    while (this.#index[slot]! > 0) slot = (slot + 1) & mask;
    if (this.#index[slot] === EMPTY) this.#occupied++;
    for (let i = 0; i < 4; i++) this.#words[slot * 4 + i] = words[at + i]!;
    this.#index[slot] = number + 1;
    this.#slots[number] = slot;
  }
}

/** @returns the four words of 4 or 16 address bytes, IPv4 as `::ffff:a.b.c.d`. */
export function addressWords(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return Uint32Array.of(0, 0, 0xffff, view.getUint32(0));
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

/** The other way: four words at `words[at]`… as canonical text. */
export function formatAddressWords(words: Uint32Array, at = 0): string {
  const view = new DataView(new ArrayBuffer(16));
  for (let i = 0; i < 4; i++) view.setUint32(i * 4, words[at + i]!);
  const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff;
  return formatIp(new Uint8Array(view.buffer, isIpv4 ? 12 : 0));
}

/** @returns a hash of 32 bits of an address's four words. */
export function hashWords(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(d ^ Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35), 0x27d4eb2f);
  h ^= h >>> 15;
  return h;
}
