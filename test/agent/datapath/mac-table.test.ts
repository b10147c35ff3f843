import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isLocal,
  LEARN_CONTESTED,
  LEARN_CONTRADICTED,
  LEARN_MOVED,
  LEARN_NEW,
  LEARN_SAME,
  localPlace,
  MacTable,
  NOWHERE,
  portOf,
} from '../../../agent/datapath/mac-table.ts';

const AGEING = 300;
const HIGH = 0x0200;

function createTable(maxLearned = 1000, seed = 0x1234_5678): MacTable {
  return new MacTable({ maxLearned, ageingSeconds: AGEING, seed });
}

interface ModelEntry {
  place: number;
  origin: 'registry' | 'learned';
  heardAt: number;
}

/** The same rules over a Map, in the plainest words. */
class Model {
  readonly entries = new Map<number, ModelEntry>();
  readonly #maxLearned: number;

  constructor(maxLearned: number) {
    this.#maxLearned = maxLearned;
  }

  get learnedCount(): number {
    return [...this.entries.values()].filter(({ origin }) => origin === 'learned').length;
  }

  lookup(mac: number, now: number): number {
    const entry = this.entries.get(mac);
    return entry === undefined || this.#isExpired(entry, now) ? NOWHERE : entry.place;
  }

  learn(mac: number, place: number, now: number): number {
    const entry = this.entries.get(mac);
    if (entry?.origin === 'registry') return entry.place === place ? LEARN_SAME : LEARN_CONTRADICTED;
    if (entry === undefined && this.learnedCount >= this.#maxLearned) return LEARN_SAME;
    const isNew = entry === undefined || this.#isExpired(entry, now);
    if (!isNew && entry.place < 0 && place >= 0) return LEARN_CONTESTED;
    this.entries.set(mac, { place, origin: 'learned', heardAt: now });
    if (isNew) return LEARN_NEW;
    return entry.place === place ? LEARN_SAME : LEARN_MOVED;
  }

  move(mac: number, place: number, now: number): void {
    if (this.entries.get(mac)?.origin === 'learned') this.entries.set(mac, { place, origin: 'learned', heardAt: now });
  }

  setRegistry(mac: number, place: number): void {
    this.entries.set(mac, { place, origin: 'registry', heardAt: 0 });
  }

  deleteWhere(condition: (entry: ModelEntry, mac: number) => boolean): void {
    for (const [mac, entry] of this.entries) if (condition(entry, mac)) this.entries.delete(mac);
  }

  /** @returns the MACs that were on a local port. */
  sweep(now: number): number[] {
    const aged = [...this.entries].filter(([, entry]) => this.#isExpired(entry, now) && entry.place < 0);
    this.deleteWhere((entry) => this.#isExpired(entry, now));
    return aged.map(([mac]) => mac);
  }

  #isExpired({ origin, heardAt }: ModelEntry, now: number): boolean {
    return origin === 'learned' && now - heardAt > AGEING;
  }
}

type Step =
  | { readonly do: 'learn' | 'move' | 'set'; readonly mac: number; readonly place: number }
  | { readonly do: 'delete'; readonly mac: number }
  | { readonly do: 'deletePlace'; readonly place: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'sweep' };

// Some have the same low half, some the same high one, and low bits that are all the same.
const mac = fc
  .tuple(fc.nat(3), fc.nat(200))
  .map(([high, low]) => (HIGH + high) * 2 ** 32 + (low % 3 === 0 ? low * 0x10000 : low));
const place = fc.integer({ min: -3, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constantFrom('learn', 'learn', 'move', 'set'), mac, place }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('delete'), mac }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deletePlace'), place }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.nat(AGEING) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep') }) },
);

const highOf = (n: number): number => Math.floor(n / 2 ** 32);
const lowOf = (n: number): number => n % 2 ** 32;

describe('a MAC table', () => {
  it('does what a Map would, through any run of changes, growth and deletes', () => {
    const steps = fc.array(step, { maxLength: 600, size: 'max' });
    fc.assert(
      fc.property(steps, fc.nat(2 ** 32 - 1), fc.constantFrom(5, 100, 100_000), (run, seed, maxLearned) => {
        const table = createTable(maxLearned, seed);
        const model = new Model(maxLearned);
        let now = 1000;
        for (const it of run) {
          if (it.do === 'learn') {
            const learned = table.learn(highOf(it.mac), lowOf(it.mac), it.place, now);
            expect(learned).toBe(model.learn(it.mac, it.place, now));
          } else if (it.do === 'move') {
            table.move(highOf(it.mac), lowOf(it.mac), it.place, now);
            model.move(it.mac, it.place, now);
          } else if (it.do === 'set') {
            table.setRegistry(highOf(it.mac), lowOf(it.mac), it.place);
            model.setRegistry(it.mac, it.place);
          } else if (it.do === 'delete') {
            table.deleteRegistry(highOf(it.mac), lowOf(it.mac));
            model.deleteWhere((entry, known) => known === it.mac && entry.origin === 'registry');
          } else if (it.do === 'deletePlace') {
            table.deletePlace(it.place);
            model.deleteWhere((entry) => entry.place === it.place);
          } else if (it.do === 'wait') {
            now += it.seconds;
          } else {
            const aged: number[] = [];
            table.sweep(now, (mac) => aged.push(mac));
            expect(aged.toSorted()).toEqual(model.sweep(now).toSorted());
          }
          if ('mac' in it) expect(table.lookup(highOf(it.mac), lowOf(it.mac), now)).toBe(model.lookup(it.mac, now));
        }
        expect(table.learnedCount).toBe(model.learnedCount);
        const entries = table.entries().map(({ mac: n, place: at, origin }) => [n, { place: at, origin }] as const);
        expect(entries).toHaveLength(model.entries.size);
        for (const [n, { place: at, origin }] of entries)
          expect(model.entries.get(n)).toMatchObject({ place: at, origin });
        for (const [n, { place: at, origin }] of model.entries) {
          expect(table.lookup(highOf(n), lowOf(n), now)).toBe(model.lookup(n, now));
          expect(table.lookupRegistry(highOf(n), lowOf(n))).toBe(origin === 'registry' ? at : NOWHERE);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('finds every one of 50,000 stations, and none that it was not told of', () => {
    const table = createTable(100_000);
    for (let low = 0; low < 50_000; low++) table.learn(HIGH, low * 2, low % 7, 0);
    const lows = Array.from({ length: 50_000 }, (_, low) => low);
    expect(lows.filter((low) => table.lookup(HIGH, low * 2, 0) !== low % 7)).toEqual([]);
    expect(lows.filter((low) => table.lookup(HIGH, low * 2 + 1, 0) !== NOWHERE)).toEqual([]);
  });

  it('stays quick while stations come and go a million times over', () => {
    const table = createTable(100);
    for (let i = 0; i < 1_000_000; i++) {
      table.setRegistry(HIGH, i, 1);
      table.deleteRegistry(HIGH, i);
    }
    expect(table.entries()).toEqual([]);
    expect(table.lookup(HIGH, 999_999, 0)).toBe(NOWHERE);
  });

  it('lets the registry win over what is heard', () => {
    const table = createTable();
    table.learn(HIGH, 1, 5, 0);
    table.setRegistry(HIGH, 1, 7);
    expect(table.learnedCount).toBe(0);
    expect(table.learn(HIGH, 1, 5, 1)).toBe(LEARN_CONTRADICTED);
    expect(table.learn(HIGH, 1, 7, 1)).toBe(LEARN_SAME);
    expect(table.lookup(HIGH, 1, 1)).toBe(7);
    expect(table.lookup(HIGH, 1, 1e9)).toBe(7);
  });

  it('learns a station anew once the registry no longer names it', () => {
    const table = createTable();
    table.setRegistry(HIGH, 1, 7);
    table.deleteRegistry(HIGH, 1);
    expect(table.lookup(HIGH, 1, 0)).toBe(NOWHERE);
    expect(table.learn(HIGH, 1, 5, 0)).toBe(LEARN_NEW);
    expect(table.lookup(HIGH, 1, 0)).toBe(5);
    table.deleteRegistry(HIGH, 1);
    expect(table.lookup(HIGH, 1, 0)).toBe(5);
  });

  it('holds a learned station until its age is over, and no longer', () => {
    const table = createTable();
    table.learn(HIGH, 1, 5, 100);
    expect(table.lookup(HIGH, 1, 100 + AGEING)).toBe(5);
    expect(table.lookup(HIGH, 1, 100.5 + AGEING)).toBe(NOWHERE);
    table.learn(HIGH, 1, 5, 200);
    expect(table.lookup(HIGH, 1, 200 + AGEING)).toBe(5);
  });

  it('says that a station moved only while it was still known elsewhere', () => {
    const table = createTable();
    expect(table.learn(HIGH, 1, 5, 0)).toBe(LEARN_NEW);
    expect(table.learn(HIGH, 1, 5, 1)).toBe(LEARN_SAME);
    expect(table.learn(HIGH, 1, localPlace(0), 2)).toBe(LEARN_MOVED);
    expect(table.learn(HIGH, 1, localPlace(1), 2)).toBe(LEARN_MOVED);
    expect(table.learn(HIGH, 1, 5, 3 + AGEING)).toBe(LEARN_NEW);
    expect(table.learn(HIGH, 1, 6, 4 + 2 * AGEING)).toBe(LEARN_NEW);
    expect(table.lookup(HIGH, 1, 4 + 2 * AGEING)).toBe(6);
  });

  it('leaves it to its user whether a VTEP may take a station from a port of this host', () => {
    const table = createTable();
    table.learn(HIGH, 1, localPlace(0), 0);
    expect(table.learn(HIGH, 1, 5, 1)).toBe(LEARN_CONTESTED);
    expect(table.lookup(HIGH, 1, 1)).toBe(localPlace(0));
    table.move(HIGH, 1, 5, 1);
    expect(table.lookup(HIGH, 1, 1)).toBe(5);
  });

  it('learns no more than it may, until a sweep makes room', () => {
    const table = createTable(2);
    for (const low of [1, 2, 3]) table.learn(HIGH, low, 5, 0);
    expect(table.lookup(HIGH, 3, 0)).toBe(NOWHERE);
    expect(table.learnedCount).toBe(2);
    table.setRegistry(HIGH, 4, 6);
    expect(table.lookup(HIGH, 4, 0)).toBe(6);
    table.learn(HIGH, 2, 5, AGEING);
    table.sweep(AGEING + 1, () => {});
    table.learn(HIGH, 3, 5, AGEING + 1);
    expect([1, 2, 3].map((low) => table.lookup(HIGH, low, AGEING + 1))).toEqual([NOWHERE, 5, 5]);
  });

  it('tells local ports from VTEPs by the sign', () => {
    for (const port of [0, 1, 63]) {
      expect(isLocal(localPlace(port))).toBe(true);
      expect(portOf(localPlace(port))).toBe(port);
    }
    expect(isLocal(0)).toBe(false);
    expect(isLocal(NOWHERE)).toBe(false);
  });
});
