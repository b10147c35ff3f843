/**
 * Underlay addresses → small numbers, by open addressing: one lookup per datagram tells who sent it. IPv4 addresses are IPv4-mapped
 * IPv6, four 32-bit words. Addresses are counted and given up by control; a lookup allocates nothing.
 */

const INITIAL_CAPACITY = 64;

export class AddressTable {
  #capacity = INITIAL_CAPACITY;
  #words = new Uint32Array(INITIAL_CAPACITY * 4);
  /** The address's number plus one; 0 where the slot is empty. */
  #index = new Int32Array(INITIAL_CAPACITY);
  /** By number: how many use it. */
  readonly #users: number[] = [];
  /** By number: its words, for rehashing. */
  readonly #addresses: Uint32Array[] = [];

  /** @returns the number of the address whose words are at `words[at]`…, or -1. */
  lookup(words: Uint32Array, at: number): number {
    const mask = this.#capacity - 1;
    const a = words[at]!;
    const b = words[at + 1]!;
    const c = words[at + 2]!;
    const d = words[at + 3]!;
    for (let slot = hashWords(a, b, c, d) & mask; ; slot = (slot + 1) & mask) {
      const index = this.#index[slot]!;
      if (index === 0) return -1;
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
    let index = this.#users.indexOf(0);
    if (index < 0) index = this.#users.length;
    this.#users[index] = 1;
    this.#addresses[index] = address.slice();
    if (this.#capacity < this.#users.length * 4) this.#rebuild();
    else this.#insert(index);
    return index;
  }

  /** Gives up one use; with the last one the address is forgotten and its number may be given again. */
  release(index: number): void {
    this.#users[index]!--;
    if (this.#users[index] === 0) this.#rebuild();
  }

  // Rare, and the table is small (a site's peers), so it is simply built anew.
  #rebuild(): void {
    while (this.#capacity < this.#users.length * 4) this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * 4);
    this.#index = new Int32Array(this.#capacity);
    for (const [index, users] of this.#users.entries()) if (users > 0) this.#insert(index);
  }

  #insert(index: number): void {
    const mask = this.#capacity - 1;
    const address = this.#addresses[index]!;
    let slot = hashWords(address[0]!, address[1]!, address[2]!, address[3]!) & mask;
    while (this.#index[slot] !== 0) slot = (slot + 1) & mask;
    this.#words.set(address, slot * 4);
    this.#index[slot] = index + 1;
  }
}

/** @returns the four words of 4 or 16 address bytes, IPv4 as `::ffff:a.b.c.d`. */
export function addressWords(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return Uint32Array.of(0, 0, 0xffff, view.getUint32(0));
  return Uint32Array.of(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
}

function hashWords(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(d ^ Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35), 0x27d4eb2f);
  h ^= h >>> 15;
  return h;
}
