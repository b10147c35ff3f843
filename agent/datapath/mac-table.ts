/**
 * One network's forwarding table: MAC → where it is, by open addressing over typed arrays, so that neither lookup nor learning
 * allocates. It grows by doubling; between growths nothing is made.
 *
 * A place is a number: a VTEP's slot (0 and up), or a local port written as `localPlace(port)` (below 0). The registry's entries win
 * over learned ones; learned ones age, and are found expired rather than swept in time.
 */

export const NOWHERE = 0x7fffffff;
export const localPlace = (port: number): number => -1 - port;
export const isLocal = (place: number): boolean => place < 0;
export const portOf = (place: number): number => -1 - place;

/** What `learn` found: nothing to tell; a station that was not known, or had aged out; one that was known at another place. */
export const LEARN_SAME = 0;
export const LEARN_NEW = 1;
export const LEARN_MOVED = 2;
/** Not learned: the registry has it at another place. */
export const LEARN_CONTRADICTED = 3;
/** Not learned: it is known on a port of this host, and was heard from a VTEP. `move` does it all the same. */
export const LEARN_CONTESTED = 4;

const EMPTY = 0;
const LEARNED = 1;
const REGISTRY = 2;
/** Kept in the probe sequence of others. */
const DELETED = 3;

const INITIAL_CAPACITY = 64;

export interface MacTableEntry {
  readonly mac: number;
  readonly place: number;
  readonly origin: 'registry' | 'learned';
  readonly heardAt: number;
}

export class MacTable {
  /** How many learned entries it holds at most; beyond that nothing is learned until some age out. */
  readonly maxLearned: number;
  readonly ageingSeconds: number;
  readonly #seed: number;
  #capacity = INITIAL_CAPACITY;
  #high = new Uint16Array(INITIAL_CAPACITY);
  #low = new Uint32Array(INITIAL_CAPACITY);
  #state = new Uint8Array(INITIAL_CAPACITY);
  #place = new Int32Array(INITIAL_CAPACITY);
  #heardAt = new Float64Array(INITIAL_CAPACITY);
  /** Slots that are not EMPTY, DELETED ones included: what bounds the length of a probe. */
  #occupied = 0;
  #learned = 0;

  /** @param options `seed` is 32 random bits, so that nobody can choose MAC addresses that collide. */
  constructor(options: { readonly maxLearned: number; readonly ageingSeconds: number; readonly seed: number }) {
    this.#seed = options.seed;
    this.maxLearned = options.maxLearned;
    this.ageingSeconds = options.ageingSeconds;
  }

  get learnedCount(): number {
    return this.#learned;
  }

  /** @returns the place, or NOWHERE. A learned entry not heard for `ageingSeconds` is nowhere. */
  lookup(high: number, low: number, now: number): number {
    const slot = this.#find(high, low);
    if (slot < 0) return NOWHERE;
    if (this.#state[slot] === LEARNED && now - this.#heardAt[slot]! > this.ageingSeconds) return NOWHERE;
    return this.#place[slot]!;
  }

  /** @returns the place the registry gives, or NOWHERE. */
  lookupRegistry(high: number, low: number): number {
    const slot = this.#find(high, low);
    return slot >= 0 && this.#state[slot] === REGISTRY ? this.#place[slot]! : NOWHERE;
  }

  /**
   * Notes that the station was heard at `place`. Does nothing to the registry's entries.
   * @returns one of the `LEARN_…`; a station that there is no room for is LEARN_SAME.
   */
  learn(high: number, low: number, place: number, now: number): number {
    const slot = this.#find(high, low);
    if (slot < 0) {
      if (this.#learned >= this.maxLearned) return LEARN_SAME;
      this.#insert(high, low, LEARNED, place, now);
      return LEARN_NEW;
    }
    const known = this.#place[slot]!;
    if (this.#state[slot] === REGISTRY) return known === place ? LEARN_SAME : LEARN_CONTRADICTED;
    const hasAged = now - this.#heardAt[slot]! > this.ageingSeconds;
    if (isLocal(known) && !isLocal(place) && !hasAged) return LEARN_CONTESTED;
    this.#place[slot] = place;
    this.#heardAt[slot] = now;
    if (hasAged) return LEARN_NEW;
    return known === place ? LEARN_SAME : LEARN_MOVED;
  }

  /** Moves a contested station. */
  move(high: number, low: number, place: number, now: number): void {
    const slot = this.#find(high, low);
    if (slot < 0 || this.#state[slot] !== LEARNED) return;
    this.#place[slot] = place;
    this.#heardAt[slot] = now;
  }

  /** Sets the registry's entry; a learned one of that MAC becomes it. */
  setRegistry(high: number, low: number, place: number): void {
    const slot = this.#find(high, low);
    if (slot < 0) {
      this.#insert(high, low, REGISTRY, place, 0);
      return;
    }
    if (this.#state[slot] === LEARNED) this.#learned--;
    this.#state[slot] = REGISTRY;
    this.#place[slot] = place;
  }

  /** Removes the registry's entry, if there is one. */
  deleteRegistry(high: number, low: number): void {
    const slot = this.#find(high, low);
    if (slot >= 0 && this.#state[slot] === REGISTRY) this.#remove(slot);
  }

  /** Removes every entry at `place`, whoever made it. */
  deletePlace(place: number): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#isLive(slot) && this.#place[slot] === place) this.#remove(slot);
    }
  }

  /**
   * Removes the learned entries that have aged out, so that their room can be used. Called now and then.
   * @param localAged called with each MAC that was on a port of this host.
   */
  sweep(now: number, localAged: (mac: number) => void): void {
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#state[slot] !== LEARNED || now - this.#heardAt[slot]! <= this.ageingSeconds) continue;
      this.#remove(slot);
      if (isLocal(this.#place[slot]!)) localAged(this.#high[slot]! * 2 ** 32 + this.#low[slot]!);
    }
  }

  /** Every entry, for people to read. Allocates. */
  entries(): MacTableEntry[] {
    const found: MacTableEntry[] = [];
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (!this.#isLive(slot)) continue;
      found.push({
        mac: this.#high[slot]! * 2 ** 32 + this.#low[slot]!,
        place: this.#place[slot]!,
        origin: this.#state[slot] === REGISTRY ? 'registry' : 'learned',
        heardAt: this.#heardAt[slot]!,
      });
    }
    return found;
  }

  #isLive(slot: number): boolean {
    return this.#state[slot] === LEARNED || this.#state[slot] === REGISTRY;
  }

  /** @returns the slot of a live entry, or -1. */
  #find(high: number, low: number): number {
    const mask = this.#capacity - 1;
    for (let slot = hashMac(high, low, this.#seed) & mask; this.#state[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.#low[slot] === low && this.#high[slot] === high && this.#state[slot] !== DELETED) return slot;
    }
    return -1;
  }

  #insert(high: number, low: number, state: number, place: number, now: number): void {
    // At most half full, so that a probe stays short.
    if ((this.#occupied + 1) * 2 > this.#capacity) this.#rehash();
    const mask = this.#capacity - 1;
    let slot = hashMac(high, low, this.#seed) & mask;
    while (this.#isLive(slot)) slot = (slot + 1) & mask;
    if (this.#state[slot] === EMPTY) this.#occupied++;
    if (state === LEARNED) this.#learned++;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#state[slot] = state;
    this.#place[slot] = place;
    this.#heardAt[slot] = now;
  }

  #remove(slot: number): void {
    if (this.#state[slot] === LEARNED) this.#learned--;
    this.#state[slot] = DELETED;
  }

  /** Into arrays four times the live entries, which also drops the DELETED ones. */
  #rehash(): void {
    const [states, highs, lows, places, times] = [this.#state, this.#high, this.#low, this.#place, this.#heardAt];
    let live = 0;
    for (let slot = 0; slot < states.length; slot++) if (this.#isLive(slot)) live++;
    let capacity = INITIAL_CAPACITY;
    while (capacity < live * 4) capacity *= 2;
    this.#capacity = capacity;
    this.#high = new Uint16Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#state = new Uint8Array(capacity);
    this.#place = new Int32Array(capacity);
    this.#heardAt = new Float64Array(capacity);
    this.#occupied = 0;
    this.#learned = 0;
    for (let old = 0; old < states.length; old++) {
      const state = states[old]!;
      if (state === LEARNED || state === REGISTRY) {
        this.#insert(highs[old]!, lows[old]!, state, places[old]!, times[old]!);
      }
    }
  }
}

function hashMac(high: number, low: number, seed: number): number {
  let h = Math.imul(low ^ seed, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ high, 0xc2b2ae35);
  return h ^ (h >>> 15);
}
