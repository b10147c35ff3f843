/**
 * The VTEPs that were let in though the registry does not know them (anti-spoofing off), as numbers that all threads of a site share:
 * what one thread learned from such a VTEP, another must be able to send to it. A number stays until the network is closed to strangers.
 */
import type { Words } from './words.ts';

const MAX_STRANGERS = 256;
const COUNT = 0;
const OPENED = 1;
const FIRST = 8;
const ADDRESS_WORDS = 4;

export class Strangers {
  static readonly MAX = MAX_STRANGERS;
  /** In words. */
  static readonly SIZE = FIRST + MAX_STRANGERS * ADDRESS_WORDS;
  readonly #words: Words;
  readonly #at: number;

  constructor(words: Words, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** The network lets strangers in, for the time `opened`: whichever thread is first forgets those of the time before. */
  open(opened: number): void {
    this.#words.lock();
    if (this.#words.read(this.#at + OPENED) !== opened) {
      this.#words.write(this.#at + OPENED, opened);
      this.#words.write(this.#at + COUNT, 0);
    }
    this.#words.unlock();
  }

  /**
   * @param address its four words are at `at`; IPv4 as IPv4-mapped.
   * @returns its number, a new one where it has none; -1 where all are given.
   */
  numberOf(address: Uint32Array, at: number): number {
    const known = this.#find(address, at, this.count);
    if (known >= 0 || this.count === MAX_STRANGERS) return known;
    this.#words.lock();
    const number = this.#append(address, at);
    this.#words.unlock();
    return number;
  }

  get count(): number {
    return this.#words.read(this.#at + COUNT);
  }

  /** Its four words. Allocates. */
  addressOf(number: number): Uint32Array {
    const at = this.#at + FIRST + number * ADDRESS_WORDS;
    return Uint32Array.from({ length: ADDRESS_WORDS }, (_, i) => this.#words.read(at + i));
  }

  #append(address: Uint32Array, at: number): number {
    const count = this.count;
    const known = this.#find(address, at, count);
    if (known >= 0 || count === MAX_STRANGERS) return known;
    for (let i = 0; i < ADDRESS_WORDS; i++) {
      this.#words.write(this.#at + FIRST + count * ADDRESS_WORDS + i, address[at + i]!);
    }
    // Last, since it is read without the lock.
    this.#words.write(this.#at + COUNT, count + 1);
    return count;
  }

  #find(address: Uint32Array, at: number, count: number): number {
    for (let number = 0; number < count; number++) {
      const words = this.#at + FIRST + number * ADDRESS_WORDS;
      let same = 0;
      while (same < ADDRESS_WORDS && this.#words.read(words + same) === (address[at + same]! | 0)) same++;
      if (same === ADDRESS_WORDS) return number;
    }
    return -1;
  }
}
