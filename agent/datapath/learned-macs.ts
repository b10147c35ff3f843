/**
 * The stations of one network that were heard in frames: where each is, and when it was heard last. Threads may share it: what one
 * learns, the others look up at once.
 *
 * It holds so many and no more. Stations stand in two queues: those heard but once, and those heard again at least a second later. When
 * there is no room, of those heard once the one goes that was heard longest ago; so a flood of made-up addresses pushes out made-up
 * addresses, and whoever would push out a station that talks must keep as many others talking as the table holds. The second
 * queue takes three quarters of the room at most: beyond that its oldest goes back to the first, which so always has room for those
 * that come. (A segmented LRU: Karedla, Love, Wherry, "Caching Strategies to Improve Disk System Performance", 1994.)
 *
 * A station's time is written once a second at most, so that a frame of a known station only reads. Readers take no lock, and neither
 * do they wait for one (`mac-index.ts`).
 */
import { MacIndex } from './mac-index.ts';
import { NOWHERE, type Places } from './places.ts';
import type { Words } from './words.ts';

/** What `learn` found: nothing to tell; a station that was not known, or had aged out; one that was known at another place. */
export const LEARN_SAME = 0;
export const LEARN_NEW = 1;
export const LEARN_MOVED = 2;
/** Not learned: the registry has it at another place. Told when it is first heard on a port of this host, and with every frame of a VTEP. */
export const LEARN_CONTRADICTED = 3;
/** Not learned: it is known on a port of this host, and was heard from a VTEP. `move` does it all the same. */
export const LEARN_CONTESTED = 4;
/** It is known for longer than a moment now: somebody who missed that it was new may take it up. */
export const LEARN_CONFIRMED = 5;

/** Queues: heard once, heard again. Each has three words: its first, which came last; its last; how many there are. */
const ONCE = 0;
const AGAIN = 1;
const FIRST = 0;
const LAST = 1;
const LENGTH = 2;
const QUEUE_WORDS = 3;
const HEADER = 2 * QUEUE_WORDS;

/** An entry's own words. */
const PLACE = 0;
/** In milliseconds modulo 2^32, which is compared by difference. */
const HEARD_AT = 1;
const BEFORE = 2;
const AFTER = 3;
const QUEUE = 4;
const OWN_WORDS = 5;

const REFRESH_MS = 1000;
/** How many aged stations are removed in one go, so that no frame waits for long. */
const SWEEP_ENTRIES = 2000;

export interface LearnedMac {
  readonly mac: number;
  readonly place: number;
  /** In seconds, on the clock that the table is given. */
  readonly heardAt: number;
}

export class LearnedMacs {
  readonly #words: Words;
  readonly #queues: number;
  readonly #index: MacIndex;
  readonly #places: Places;
  readonly #ageingMs: number;
  readonly #localGone: (mac: number) => void;
  /** Of the entry looked at last. */
  #word = 0;
  #heardAt = 0;
  /** The station of which `learn` had nothing to tell last; -1 for none. */
  #lastHigh = -1;
  #lastLow = 0;
  #lastWord = 0;
  #lastHeardAt = 0;
  /** Who was on a port of this host and is no longer there, to be told when the lock is free; or -1. */
  #gone = -1;

  /** How many words it takes. */
  static size(capacity: number): number {
    return HEADER + MacIndex.size(capacity, OWN_WORDS);
  }

  /** @param options `at` is where in the words it is; `localGone` is called with each MAC that is no longer on a port of this host. */
  constructor(options: {
    readonly words: Words;
    readonly at: number;
    readonly capacity: number;
    readonly seed: number;
    readonly places: Places;
    readonly ageingSeconds: number;
    readonly localGone: (mac: number) => void;
  }) {
    this.#words = options.words;
    this.#queues = options.at;
    this.#index = new MacIndex(options.words, options.at + HEADER, options.capacity, OWN_WORDS, options.seed);
    this.#places = options.places;
    this.#ageingMs = options.ageingSeconds * 1000;
    this.#localGone = options.localGone;
  }

  get count(): number {
    return this.#index.count;
  }

  /** @returns the place, or NOWHERE. */
  lookup(high: number, low: number, now: number): number {
    const own = this.#words.own;
    if (own !== null) {
      const entry = this.#index.find(high, low);
      if (entry === 0) return NOWHERE;
      const at = this.#index.at(entry);
      if (((toMs(now) - own[at + HEARD_AT]!) | 0) > this.#ageingMs) return NOWHERE;
      return this.#places.placeOf(own[at + PLACE]!);
    }
    if (this.#look(high, low) === 0 || this.#ageAt(toMs(now)) > this.#ageingMs) return NOWHERE;
    return this.#places.placeOf(this.#word);
  }

  /** Notes that the station was heard at `place`. @returns one of the `LEARN_…`. */
  learn(high: number, low: number, place: number, now: number): number {
    const ms = toMs(now);
    const word = this.#places.wordOf(place);
    if (
      low === this.#lastLow &&
      high === this.#lastHigh &&
      word === this.#lastWord &&
      ((ms - this.#lastHeardAt) | 0) < REFRESH_MS
    ) {
      return LEARN_SAME;
    }
    const isKnown = this.#look(high, low) !== 0 && this.#ageAt(ms) <= this.#ageingMs;
    if (isKnown && this.#word === word) {
      // One who can't have the lock leaves it to the next frame.
      if (this.#ageAt(ms) < REFRESH_MS) {
        this.#remember(high, low);
        return LEARN_SAME;
      }
      if (!this.#words.tryLock()) return LEARN_SAME;
    } else if (isKnown && this.#isContested(this.#word, word)) {
      return LEARN_CONTESTED;
    } else {
      this.#words.lock();
    }
    const learned = this.#learn(high, low, word, ms);
    this.#unlock();
    return learned;
  }

  /** Moves a contested station. */
  move(high: number, low: number, place: number, now: number): void {
    this.#words.lock();
    const entry = this.#index.findLocked(high, low);
    if (entry !== 0) {
      this.#read(entry);
      const age = this.#ageAt(toMs(now));
      this.#hear(entry, this.#places.wordOf(place), toMs(now));
      if (age >= REFRESH_MS) this.#requeue(entry);
    }
    this.#unlock();
  }

  delete(high: number, low: number): void {
    if (this.#index.find(high, low) === 0) return;
    this.#words.lock();
    const entry = this.#index.findLocked(high, low);
    if (entry !== 0) this.#remove(entry);
    this.#unlock();
  }

  /**
   * Removes those that have aged out. Called now and then.
   * @returns true where there are more of them.
   */
  sweep(now: number): boolean {
    const ms = toMs(now);
    for (let i = 0; i < SWEEP_ENTRIES; i++) {
      this.#words.lock();
      const entry = this.#agedLast(ONCE, ms) || this.#agedLast(AGAIN, ms);
      if (entry !== 0) this.#expel(entry);
      this.#unlock();
      if (entry === 0) return false;
    }
    return true;
  }

  /** All that are not aged, for people to read. Allocates. */
  list(now: number): LearnedMac[] {
    const found: LearnedMac[] = [];
    for (let entry = 1; entry <= this.#index.lastEntry; entry++) {
      const mac = this.#index.macOf(entry);
      if (mac < 0) continue;
      this.#read(entry);
      if (!this.#index.isStill(entry)) continue;
      const age = this.#ageAt(toMs(now));
      const place = this.#places.placeOf(this.#word);
      if (age <= this.#ageingMs && place !== NOWHERE) found.push({ mac, place, heardAt: now - age / 1000 });
    }
    return found;
  }

  /** Frames come in runs of one station. Only where nobody else changes the table; whoever changes it forgets. */
  #remember(high: number, low: number): void {
    if (this.#words.own === null) return;
    this.#lastHigh = high;
    this.#lastLow = low | 0;
    this.#lastWord = this.#word;
    this.#lastHeardAt = this.#heardAt;
  }

  /** @returns the entry whose word and time are now to be seen, or 0. */
  #look(high: number, low: number): number {
    for (;;) {
      const entry = this.#index.find(high, low);
      if (entry === 0) return 0;
      this.#read(entry);
      if (this.#index.isStill(entry)) return entry;
    }
  }

  /** The time before the place, and written after it: so a new time never goes with an old place. */
  #read(entry: number): void {
    const at = this.#index.at(entry);
    this.#heardAt = this.#words.read(at + HEARD_AT);
    this.#word = this.#words.read(at + PLACE);
  }

  #ageAt(ms: number): number {
    return (ms - this.#heardAt) | 0;
  }

  #isContested(known: number, word: number): boolean {
    return known < 0 && word >= 0 && this.#places.placeOf(known) !== NOWHERE;
  }

  #learn(high: number, low: number, word: number, ms: number): number {
    const entry = this.#index.findLocked(high, low);
    if (entry === 0) {
      this.#add(high, low, word, ms);
      return LEARN_NEW;
    }
    this.#read(entry);
    const known = this.#word;
    const age = this.#ageAt(ms);
    if (age > this.#ageingMs || this.#places.placeOf(known) === NOWHERE) {
      this.#hear(entry, word, ms);
      this.#unlink(entry);
      this.#link(entry, ONCE);
      return LEARN_NEW;
    }
    if (this.#isContested(known, word)) return LEARN_CONTESTED;
    const isConfirmed = this.#words.read(this.#index.at(entry) + QUEUE) === ONCE && age >= REFRESH_MS;
    this.#hear(entry, word, ms);
    if (age >= REFRESH_MS) this.#requeue(entry);
    if (known !== word) return LEARN_MOVED;
    return isConfirmed ? LEARN_CONFIRMED : LEARN_SAME;
  }

  #add(high: number, low: number, word: number, ms: number): void {
    let entry = this.#index.take();
    if (entry === 0) {
      this.#expel(this.#agedLast(AGAIN, ms) || this.#last(ONCE) || this.#last(AGAIN));
      entry = this.#index.take();
    }
    const at = this.#index.at(entry);
    this.#words.write(at + PLACE, word);
    this.#words.write(at + HEARD_AT, ms);
    this.#link(entry, ONCE);
    this.#index.publish(entry, high, low);
  }

  #hear(entry: number, word: number, ms: number): void {
    const at = this.#index.at(entry);
    if (this.#words.read(at + PLACE) < 0 && word >= 0) this.#gone = this.#index.macOf(entry);
    this.#words.write(at + PLACE, word);
    this.#words.write(at + HEARD_AT, ms);
  }

  #expel(entry: number): void {
    if (this.#words.read(this.#index.at(entry) + PLACE) < 0) this.#gone = this.#index.macOf(entry);
    this.#remove(entry);
  }

  #remove(entry: number): void {
    this.#unlink(entry);
    this.#index.remove(entry);
  }

  /** It was heard again. */
  #requeue(entry: number): void {
    this.#unlink(entry);
    this.#link(entry, AGAIN);
    if (this.#words.read(this.#queues + AGAIN * QUEUE_WORDS + LENGTH) * 4 <= this.#index.capacity * 3) return;
    const oldest = this.#last(AGAIN);
    this.#unlink(oldest);
    this.#link(oldest, ONCE);
  }

  #agedLast(queue: number, ms: number): number {
    const entry = this.#last(queue);
    if (entry === 0) return 0;
    this.#read(entry);
    return this.#ageAt(ms) > this.#ageingMs ? entry : 0;
  }

  #last(queue: number): number {
    return this.#words.read(this.#queues + queue * QUEUE_WORDS + LAST);
  }

  /** Puts an entry first in a queue. */
  #link(entry: number, queue: number): void {
    const words = this.#words;
    const ends = this.#queues + queue * QUEUE_WORDS;
    const at = this.#index.at(entry);
    const first = words.read(ends + FIRST);
    words.write(at + QUEUE, queue);
    words.write(at + BEFORE, 0);
    words.write(at + AFTER, first);
    words.write(first === 0 ? ends + LAST : this.#index.at(first) + BEFORE, entry);
    words.write(ends + FIRST, entry);
    words.write(ends + LENGTH, words.read(ends + LENGTH) + 1);
  }

  #unlink(entry: number): void {
    const words = this.#words;
    const at = this.#index.at(entry);
    const ends = this.#queues + words.read(at + QUEUE) * QUEUE_WORDS;
    const before = words.read(at + BEFORE);
    const after = words.read(at + AFTER);
    words.write(before === 0 ? ends + FIRST : this.#index.at(before) + AFTER, after);
    words.write(after === 0 ? ends + LAST : this.#index.at(after) + BEFORE, before);
    words.write(ends + LENGTH, words.read(ends + LENGTH) - 1);
  }

  #unlock(): void {
    this.#lastHigh = -1;
    this.#words.unlock();
    if (this.#gone < 0) return;
    const gone = this.#gone;
    this.#gone = -1;
    this.#localGone(gone);
  }
}

function toMs(seconds: number): number {
  return (seconds * 1000) | 0;
}
