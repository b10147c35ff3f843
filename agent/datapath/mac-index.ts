/**
 * MAC → entry, in words that several threads may share: chains of entries that hang from buckets. An entry is a number; what it says
 * beside its MAC is its user's.
 *
 *     header | buckets: first entry of each chain, or 0 | entries: low half, tag, next in the chain, the user's words
 *
 * It grows by one bucket for each entry that comes, by splitting one chain (linear hashing, W. Litwin, 1980), so nothing ever waits for
 * a whole table to be moved. Memory of zeros is an empty index: nobody has to set it up before the others.
 *
 * Whoever changes it holds the lock; whoever looks for something does not. A reader that is overtaken by a change is saved by two
 * things. An entry's tag is another one whenever the entry is given to another MAC, so what was read of a found entry belongs to its
 * MAC where the tag is still the same afterwards (`isStill`). And the version is odd during a change and another one after it, so
 * what was not found is not there where the version was even and stood still; otherwise the reader looks again.
 */
import type { Words } from './words.ts';

/** Words of the header. */
const VERSION = 0;
/** How many buckets there are beyond the first two. */
const SPLITS = 1;
const COUNT = 2;
/** How many entries were ever given; and the first of those that came back. */
const USED = 3;
const FREED = 4;
const HEADER = 8;

/** Words of an entry. */
const LOW = 0;
/** The high half of the MAC, and above it how many MACs the entry has had, modulo 2^16. */
const TAG = 1;
const NEXT = 2;
/** Where an entry's user has its words. */
export const ENTRY_WORDS = 3;

const FIRST_BUCKETS = 2;
/** The high half of no station, but of a group. */
const NOBODY = 0xffff;
/** A chain has one entry on average and hardly ever ten: a reader that is further has been led astray. */
const MAX_STEPS = 256;
const ATTEMPTS = 4;

export class MacIndex {
  readonly capacity: number;
  /** Of the entry found last. */
  #tag = 0;
  readonly #words: Words;
  readonly #own: Int32Array | null;
  readonly #header: number;
  readonly #buckets: number;
  readonly #entries: number;
  readonly #stride: number;
  readonly #seed: number;

  /** How many words it takes. @param own of each entry for its user. */
  static size(capacity: number, own: number): number {
    return HEADER + capacity + FIRST_BUCKETS + (capacity + 1) * (ENTRY_WORDS + own);
  }

  /**
   * @param at where in the words it is.
   * @param own how many words of each entry are for its user.
   * @param seed 32 random bits, so that nobody can choose MAC addresses that collide.
   */
  constructor(words: Words, at: number, capacity: number, own: number, seed: number) {
    this.#words = words;
    this.#own = words.own;
    this.capacity = capacity;
    this.#header = at;
    this.#buckets = at + HEADER;
    this.#stride = ENTRY_WORDS + own;
    this.#entries = this.#buckets + capacity + FIRST_BUCKETS;
    this.#seed = seed;
  }

  get count(): number {
    return this.#words.read(this.#header + COUNT);
  }

  /** Entries are numbers from 1 to this one; some may be nobody's. */
  get lastEntry(): number {
    return this.#words.read(this.#header + USED);
  }

  /** Where the entry's words are, from its own first one on. */
  at(entry: number): number {
    return this.#entries + entry * this.#stride + ENTRY_WORDS;
  }

  /** Without the lock. @returns the entry, or 0. What is read of it then counts where `isStill` says so. */
  find(high: number, low: number): number {
    return this.#own === null ? this.#findShared(high, low) : this.#findOwn(this.#own, high, low);
  }

  #findOwn(words: Int32Array, high: number, low: number): number {
    const half = low | 0;
    const bucket = bucketOf(hashMac(high, low, this.#seed), FIRST_BUCKETS + words[this.#header + SPLITS]!);
    let entry = words[this.#buckets + bucket]!;
    while (entry !== 0) {
      const at = this.#entries + entry * this.#stride;
      if (words[at + LOW] === half && (words[at + TAG]! & 0xffff) === high) return entry;
      entry = words[at + NEXT]!;
    }
    return 0;
  }

  #findShared(high: number, low: number): number {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = this.#words.read(this.#header + VERSION);
      const entry = this.#search(high, low, MAX_STEPS);
      if (entry > 0) return entry;
      if (entry === 0 && (version & 1) === 0 && this.#words.read(this.#header + VERSION) === version) return 0;
    }
    this.#words.lock();
    const entry = this.findLocked(high, low);
    this.#words.unlock();
    return entry;
  }

  /** @returns false where the entry that was found last may have gone to another MAC meanwhile. */
  isStill(entry: number): boolean {
    return this.#own !== null || this.#words.read(this.at(entry) - ENTRY_WORDS + TAG) === this.#tag;
  }

  /** With the lock held. @returns the entry, or 0. */
  findLocked(high: number, low: number): number {
    return this.#search(high, low, this.capacity);
  }

  /** With the lock held. @returns an entry for `publish`, or 0 where all are given. */
  take(): number {
    const freed = this.#words.read(this.#header + FREED);
    if (freed !== 0) {
      this.#words.write(this.#header + FREED, this.#words.read(this.at(freed) - ENTRY_WORDS + NEXT));
      return freed;
    }
    const entry = this.lastEntry + 1;
    if (entry > this.capacity) return 0;
    this.#words.write(this.#header + USED, entry);
    return entry;
  }

  /** With the lock held: makes an entry that was taken, and whose own words are written, that of a MAC which has none. */
  publish(entry: number, high: number, low: number): void {
    const words = this.#words;
    const at = this.at(entry) - ENTRY_WORDS;
    const count = this.count + 1;
    this.#change();
    words.write(this.#header + COUNT, count);
    if (count > this.#bucketCount()) this.#split();
    const bucket = this.#buckets + bucketOf(hashMac(high, low, this.#seed), this.#bucketCount());
    words.write(at + LOW, low);
    words.write(at + NEXT, words.read(bucket));
    words.write(at + TAG, (words.read(at + TAG) & ~0xffff) | high);
    words.write(bucket, entry);
    this.#change();
  }

  /** With the lock held: the entry is nobody's any more. */
  remove(entry: number): void {
    const words = this.#words;
    const at = this.at(entry) - ENTRY_WORDS;
    const high = words.read(at + TAG) & 0xffff;
    const hash = hashMac(high, words.read(at + LOW) >>> 0, this.#seed);
    this.#change();
    let link = this.#buckets + bucketOf(hash, this.#bucketCount());
    while (words.read(link) !== entry) link = this.at(words.read(link)) - ENTRY_WORDS + NEXT;
    words.write(link, words.read(at + NEXT));
    words.write(at + TAG, (((words.read(at + TAG) >>> 16) + 1) << 16) | NOBODY);
    words.write(at + NEXT, words.read(this.#header + FREED));
    words.write(this.#header + FREED, entry);
    words.write(this.#header + COUNT, this.count - 1);
    this.#change();
  }

  /** @returns the entry's MAC as a 48-bit number, or -1 where it is nobody's; `isStill` holds for it as for a found one. */
  macOf(entry: number): number {
    const at = this.at(entry) - ENTRY_WORDS;
    this.#tag = this.#words.read(at + TAG);
    const high = this.#tag & 0xffff;
    return high === NOBODY ? -1 : high * 2 ** 32 + (this.#words.read(at + LOW) >>> 0);
  }

  /** @returns the entry, 0 where there is none, -1 after so many steps. */
  #search(high: number, low: number, maxSteps: number): number {
    const words = this.#words;
    const half = low | 0;
    let entry = words.read(this.#buckets + bucketOf(hashMac(high, low, this.#seed), this.#bucketCount()));
    for (let steps = 0; entry !== 0; steps++) {
      if (steps === maxSteps) return -1;
      const at = this.#entries + entry * this.#stride;
      const tag = words.read(at + TAG);
      if ((tag & 0xffff) === high && words.read(at + LOW) === half) {
        this.#tag = tag;
        return entry;
      }
      entry = words.read(at + NEXT);
    }
    return 0;
  }

  /** Makes one more bucket, out of what is in the chain of another. */
  #split(): void {
    const words = this.#words;
    const count = this.#bucketCount();
    const to = this.#buckets + count;
    let link = this.#buckets + (count & (maskOf(count + 1) >>> 1));
    words.write(this.#header + SPLITS, words.read(this.#header + SPLITS) + 1);
    for (let entry = words.read(link); entry !== 0; entry = words.read(link)) {
      const at = this.at(entry) - ENTRY_WORDS;
      const hash = hashMac(words.read(at + TAG) & 0xffff, words.read(at + LOW) >>> 0, this.#seed);
      if (bucketOf(hash, count + 1) !== count) {
        link = at + NEXT;
        continue;
      }
      words.write(link, words.read(at + NEXT));
      words.write(at + NEXT, words.read(to));
      words.write(to, entry);
    }
  }

  #bucketCount(): number {
    return FIRST_BUCKETS + this.#words.read(this.#header + SPLITS);
  }

  /** Begins a change, and ends it. */
  #change(): void {
    this.#words.write(this.#header + VERSION, this.#words.read(this.#header + VERSION) + 1);
  }
}

/** Of `count` buckets, two or more, the one for a hash: buckets that are not there yet are still part of the one half as far up. */
function bucketOf(hash: number, count: number): number {
  const mask = maskOf(count);
  const bucket = hash & mask;
  return bucket < count ? bucket : bucket & (mask >>> 1);
}

/** One less than the power of two that is `count` or the next above. */
function maskOf(count: number): number {
  return (2 << (31 - Math.clz32(count - 1))) - 1;
}

function hashMac(high: number, low: number, seed: number): number {
  let h = Math.imul(low ^ seed, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ high, 0xc2b2ae35);
  return h ^ (h >>> 15);
}
