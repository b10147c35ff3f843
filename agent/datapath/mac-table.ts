/**
 * One network's forwarding table: MAC → where it is. Neither lookup nor learning allocates.
 *
 * The registry's entries win over what is heard; what is heard ages. A station that is heard on a port of this host while the registry
 * has it elsewhere is kept as heard, since the gateway shall learn of it, but frames go where the registry says.
 */
import { LEARN_CONTRADICTED, LEARN_SAME, LearnedMacs } from './learned-macs.ts';
import type { NetworkMemory } from './network-memory.ts';
import { isLocal, NOWHERE, Places } from './places.ts';
import { RegistryMacs } from './registry-macs.ts';

export interface MacTableEntry {
  readonly mac: number;
  readonly place: number;
  readonly origin: 'registry' | 'learned';
  /** 0 for the registry's. */
  readonly heardAt: number;
}

export class MacTable {
  readonly #places = new Places();
  readonly #registry: RegistryMacs;
  readonly #learned: LearnedMacs;

  /** @param options `localGone` is called with each MAC that was heard on a port of this host and no longer is. */
  constructor(options: {
    readonly memory: NetworkMemory;
    readonly ageingSeconds: number;
    readonly localGone: (mac: number) => void;
  }) {
    const { words, macsAt: at, maxMacs: capacity, seed } = options.memory;
    this.#registry = new RegistryMacs(this.#places, seed);
    this.#learned = new LearnedMacs({ words, at, capacity, seed, places: this.#places, ...options });
  }

  get learnedCount(): number {
    return this.#learned.count;
  }

  /** @returns the place, or NOWHERE. A learned entry not heard for `ageingSeconds` is nowhere. */
  lookup(high: number, low: number, now: number): number {
    const registered = this.#registry.lookup(high, low);
    return registered === NOWHERE ? this.#learned.lookup(high, low, now) : registered;
  }

  /** @returns the place the registry gives, or NOWHERE. */
  lookupRegistry(high: number, low: number): number {
    return this.#registry.lookup(high, low);
  }

  /** True where the station is heard on a port of this host, whatever the registry says. */
  isHere(high: number, low: number, now: number): boolean {
    return isLocal(this.#learned.lookup(high, low, now));
  }

  /** Notes that the station was heard at `place`. @returns one of the `LEARN_…`. */
  learn(high: number, low: number, place: number, now: number): number {
    const registered = this.#registry.lookup(high, low);
    if (registered === NOWHERE) return this.#learned.learn(high, low, place, now);
    if (registered === place) return LEARN_SAME;
    if (!isLocal(place)) return LEARN_CONTRADICTED;
    return this.#learned.learn(high, low, place, now) === LEARN_SAME ? LEARN_SAME : LEARN_CONTRADICTED;
  }

  /** Moves a contested station. */
  move(high: number, low: number, place: number, now: number): void {
    this.#learned.move(high, low, place, now);
  }

  /** Sets the registry's entry; what was heard of that MAC is forgotten. */
  setRegistry(high: number, low: number, place: number): void {
    this.#registry.set(high, low, place);
    this.#learned.delete(high, low);
  }

  /** Removes the registry's entry, if there is one. */
  deleteRegistry(high: number, low: number): void {
    this.#registry.delete(high, low);
  }

  /**
   * Removes every entry at `place`, whoever made it.
   * @param generation where several threads share the table: the same number in each for what comes to the place next.
   */
  deletePlace(place: number, generation?: number): void {
    this.#places.renew(place, generation);
  }

  /**
   * Removes learned entries that have aged out, so that their room can be used. Called now and then.
   * @returns true where there are more of them.
   */
  sweep(now: number): boolean {
    return this.#learned.sweep(now);
  }

  /** Every entry that frames go by, for people to read. Allocates. */
  entries(now: number): MacTableEntry[] {
    const registered = this.#registry.list();
    const isRegistered = new Set(registered.map(({ mac }) => mac));
    return [
      ...registered.map((entry) => ({ ...entry, origin: 'registry' as const, heardAt: 0 })),
      ...this.#learned
        .list(now)
        .filter(({ mac }) => !isRegistered.has(mac))
        .map((entry) => ({ ...entry, origin: 'learned' as const })),
    ];
  }
}
