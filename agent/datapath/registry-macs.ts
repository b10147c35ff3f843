/** The registry's MAC entries of one network. Each thread has its own: they change with the table alone, which each is given. */
import { ENTRY_WORDS, MacIndex } from './mac-index.ts';
import { NOWHERE, type Places } from './places.ts';
import { PlainWords } from './words.ts';

const INITIAL_CAPACITY = 32;
/** An entry's only word of its own: its place. */
const OWN_WORDS = 1;

export class RegistryMacs {
  readonly #places: Places;
  readonly #seed: number;
  #memory = new Int32Array(MacIndex.size(INITIAL_CAPACITY, OWN_WORDS));
  #words: PlainWords;
  #index: MacIndex;
  #isEmpty = true;

  /** @param seed 32 random bits. */
  constructor(places: Places, seed: number) {
    this.#places = places;
    this.#seed = seed;
    this.#words = new PlainWords(this.#memory);
    this.#index = new MacIndex(this.#words, 0, INITIAL_CAPACITY, OWN_WORDS, seed);
  }

  /** @returns the place, or NOWHERE. */
  lookup(high: number, low: number): number {
    if (this.#isEmpty) return NOWHERE;
    const entry = this.#index.find(high, low);
    return entry === 0 ? NOWHERE : this.#places.placeOf(this.#words.read(this.#index.at(entry)));
  }

  set(high: number, low: number, place: number): void {
    const known = this.#index.find(high, low);
    if (known === 0 && this.#index.count === this.#index.capacity) this.#grow();
    const entry = known || this.#index.take();
    this.#words.write(this.#index.at(entry), this.#places.wordOf(place));
    if (known === 0) this.#index.publish(entry, high, low);
    this.#isEmpty = false;
  }

  delete(high: number, low: number): void {
    const entry = this.#index.find(high, low);
    if (entry !== 0) this.#index.remove(entry);
    this.#isEmpty = this.#index.count === 0;
  }

  /** All that are somewhere, for people to read. Allocates. */
  list(): { readonly mac: number; readonly place: number }[] {
    const found: { mac: number; place: number }[] = [];
    for (let entry = 1; entry <= this.#index.lastEntry; entry++) {
      const mac = this.#index.macOf(entry);
      const place = mac < 0 ? NOWHERE : this.#places.placeOf(this.#words.read(this.#index.at(entry)));
      if (place !== NOWHERE) found.push({ mac, place });
    }
    return found;
  }

  /** Into twice the memory: the same words with more room behind the buckets and behind the entries, so nothing is hashed anew. */
  #grow(): void {
    const { capacity } = this.#index;
    const old = this.#memory;
    const entries = (capacity + 1) * (ENTRY_WORDS + OWN_WORDS);
    const grown = new Int32Array(MacIndex.size(capacity * 2, OWN_WORDS));
    grown.set(old.subarray(0, old.length - entries));
    grown.set(old.subarray(old.length - entries), old.length - entries + capacity);
    this.#memory = grown;
    this.#words = new PlainWords(grown);
    this.#index = new MacIndex(this.#words, 0, capacity * 2, OWN_WORDS, this.#seed);
  }
}
