import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LEARN_CONFIRMED,
  LEARN_CONTESTED,
  LEARN_CONTRADICTED,
  LEARN_MOVED,
  LEARN_NEW,
  LEARN_SAME,
} from '../../../agent/datapath/learned-macs.ts';
import { MacTable } from '../../../agent/datapath/mac-table.ts';
import {
  createNetworkMemory,
  createSharedNetworkMemory,
  NetworkMemory,
} from '../../../agent/datapath/network-memory.ts';
import { isLocal, localPlace, NOWHERE, portOf } from '../../../agent/datapath/places.ts';

const AGEING = 300;
const HIGH = 0x0200;

interface TableOptions {
  readonly maxMacs?: number;
  readonly seed?: number;
  readonly isShared?: boolean;
  readonly localGone?: (mac: number) => void;
}

function createTable(options: TableOptions = {}): MacTable {
  const { maxMacs = 1000, seed = 0x1234_5678, isShared = false, localGone = () => {} } = options;
  const memory = isShared
    ? new NetworkMemory(createSharedNetworkMemory(seed, maxMacs))
    : createNetworkMemory(seed, maxMacs);
  return new MacTable({ memory, ageingSeconds: AGEING, localGone });
}

interface Heard {
  readonly mac: number;
  place: number;
  heardAt: number;
}

/** The same rules over a Map and two arrays, in the plainest words. */
class Model {
  readonly registry = new Map<number, number>();
  /** The newest first. */
  once: Heard[] = [];
  again: Heard[] = [];
  readonly #maxMacs: number;
  readonly gone: number[] = [];

  constructor(maxMacs: number) {
    this.#maxMacs = maxMacs;
  }

  get heard(): Heard[] {
    return [...this.once, ...this.again];
  }

  lookup(mac: number, now: number): number {
    const registered = this.registry.get(mac);
    if (registered !== undefined) return registered;
    const heard = this.#find(mac);
    return heard === undefined || this.#isAged(heard, now) ? NOWHERE : heard.place;
  }

  learn(mac: number, place: number, now: number): number {
    const registered = this.registry.get(mac);
    if (registered === undefined) return this.#learn(mac, place, now);
    if (registered === place) return LEARN_SAME;
    if (place >= 0) return LEARN_CONTRADICTED;
    return this.#learn(mac, place, now) === LEARN_SAME ? LEARN_SAME : LEARN_CONTRADICTED;
  }

  move(mac: number, place: number, now: number): void {
    const heard = this.#find(mac);
    if (heard === undefined) return;
    const isOld = now - heard.heardAt >= 1;
    this.#hear(heard, place, now);
    if (isOld) this.#requeue(heard);
  }

  setRegistry(mac: number, place: number): void {
    this.registry.set(mac, place);
    this.#drop((heard) => heard.mac === mac);
  }

  deletePlace(place: number): void {
    for (const [mac, at] of this.registry) if (at === place) this.registry.delete(mac);
    for (const heard of this.heard) if (heard.place === place) heard.place = NOWHERE;
  }

  sweep(now: number): void {
    // From the end of each queue, up to the first that is not aged.
    for (const queue of [this.once, this.again]) {
      while (queue.length > 0 && this.#isAged(queue.at(-1)!, now)) this.#expel(queue.at(-1)!);
    }
  }

  #learn(mac: number, place: number, now: number): number {
    const heard = this.#find(mac);
    if (heard === undefined) {
      if (this.heard.length === this.#maxMacs) this.#makeRoom(now);
      this.once.unshift({ mac, place, heardAt: now });
      return LEARN_NEW;
    }
    const known = heard.place;
    const isOld = now - heard.heardAt >= 1;
    if (this.#isAged(heard, now) || known === NOWHERE) {
      this.#hear(heard, place, now);
      this.#drop((it) => it === heard);
      this.once.unshift(heard);
      return LEARN_NEW;
    }
    if (known < 0 && place >= 0) return LEARN_CONTESTED;
    if (known === place && !isOld) return LEARN_SAME;
    this.#hear(heard, place, now);
    const wasOnce = this.once.includes(heard);
    if (isOld) this.#requeue(heard);
    if (known !== place) return LEARN_MOVED;
    return wasOnce ? LEARN_CONFIRMED : LEARN_SAME;
  }

  #requeue(heard: Heard): void {
    this.#drop((it) => it === heard);
    this.again.unshift(heard);
    if (this.again.length * 4 > this.#maxMacs * 3) this.once.unshift(this.again.pop()!);
  }

  #hear(heard: Heard, place: number, now: number): void {
    if (wasLocal(heard) && place >= 0) this.gone.push(heard.mac);
    if (place < 0) locals.add(heard);
    else locals.delete(heard);
    heard.place = place;
    heard.heardAt = now;
  }

  #makeRoom(now: number): void {
    const aged = this.again.at(-1);
    this.#expel(aged !== undefined && this.#isAged(aged, now) ? aged : (this.once.at(-1) ?? aged!));
  }

  #expel(heard: Heard): void {
    if (wasLocal(heard)) this.gone.push(heard.mac);
    this.#drop((it) => it === heard);
  }

  #drop(condition: (heard: Heard) => boolean): void {
    for (const queue of [this.once, this.again]) {
      const at = queue.findIndex(condition);
      if (at >= 0) queue.splice(at, 1);
    }
  }

  #find(mac: number): Heard | undefined {
    return this.heard.find((it) => it.mac === mac);
  }

  #isAged({ heardAt }: Heard, now: number): boolean {
    return now - heardAt > AGEING;
  }
}

/** Those that were on a port when they were heard last, were the port gone since. */
const locals = new WeakSet<Heard>();
const wasLocal = (heard: Heard): boolean => heard.place < 0 || locals.has(heard);

type Step =
  | { readonly do: 'learn' | 'move' | 'set'; readonly mac: number; readonly place: number }
  | { readonly do: 'delete'; readonly mac: number }
  | { readonly do: 'deletePlace'; readonly place: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'sweep' };

// Some have the same low half, some the same high one, and low bits that are all the same.
const mac = fc
  .tuple(fc.nat(3), fc.nat(200))
  .map(([high, low]) => (HIGH + high) * 2 ** 32 + (low % 3 === 0 ? low * 0x10000 + 0x8000_0000 : low));
const place = fc.integer({ min: -3, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ do: fc.constantFrom('learn', 'learn', 'learn', 'move', 'set'), mac, place }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('delete'), mac }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deletePlace'), place }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.constantFrom(0.25, 0.5, 1, 1, 2, 40, AGEING, 350) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep') }) },
);

const highOf = (n: number): number => Math.floor(n / 2 ** 32);
const lowOf = (n: number): number => n % 2 ** 32;

describe('a MAC table', () => {
  it('does what a Map and two queues would, through any run of changes, whether threads could share it or not', () => {
    const steps = fc.array(step, { maxLength: 600, size: 'max' });
    const run = (steps: Step[], seed: number, maxMacs: number, isShared: boolean): void => {
      const gone: number[] = [];
      const table = createTable({ maxMacs, seed, isShared, localGone: (it) => gone.push(it) });
      const model = new Model(maxMacs);
      let now = 1000;
      for (const it of steps) {
        if (it.do === 'learn') {
          const learned = table.learn(highOf(it.mac), lowOf(it.mac), it.place, now);
          expect(learned).toBe(model.learn(it.mac, it.place, now));
          for (const heard of model.heard) if (heard.mac === it.mac && heard.place < 0) locals.add(heard);
        } else if (it.do === 'move') {
          table.move(highOf(it.mac), lowOf(it.mac), it.place, now);
          model.move(it.mac, it.place, now);
        } else if (it.do === 'set') {
          table.setRegistry(highOf(it.mac), lowOf(it.mac), it.place);
          model.setRegistry(it.mac, it.place);
        } else if (it.do === 'delete') {
          table.deleteRegistry(highOf(it.mac), lowOf(it.mac));
          model.registry.delete(it.mac);
        } else if (it.do === 'deletePlace') {
          table.deletePlace(it.place);
          model.deletePlace(it.place);
        } else if (it.do === 'wait') {
          now += it.seconds;
        } else {
          expect(table.sweep(now)).toBe(false);
          model.sweep(now);
        }
        if ('mac' in it) expect(table.lookup(highOf(it.mac), lowOf(it.mac), now)).toBe(model.lookup(it.mac, now));
        expect(table.learnedCount).toBe(model.heard.length);
      }
      expect(gone.toSorted()).toEqual(model.gone.toSorted());
      for (const { mac: n } of model.heard) expect(table.lookup(highOf(n), lowOf(n), now)).toBe(model.lookup(n, now));
      for (const [n, at] of model.registry) expect(table.lookupRegistry(highOf(n), lowOf(n))).toBe(at);
      const entries = new Map(table.entries(now).map((entry) => [entry.mac, entry]));
      const known = new Set([...model.heard.map((it) => it.mac), ...model.registry.keys()]);
      for (const n of known) expect(entries.get(n)?.place ?? NOWHERE).toBe(model.lookup(n, now));
      for (const n of entries.keys()) expect(known).toContain(n);
    };
    fc.assert(fc.property(steps, fc.nat(2 ** 32 - 1), fc.constantFrom(5, 40, 100_000), fc.boolean(), run), {
      numRuns: 80,
    });
  });

  it('finds every one of 100,000 stations, and none that it was not told of', () => {
    const table = createTable({ maxMacs: 100_000 });
    for (let low = 0; low < 100_000; low++) table.learn(HIGH, low * 2, low % 7, 0);
    const lows = Array.from({ length: 100_000 }, (_, low) => low);
    expect(lows.filter((low) => table.lookup(HIGH, low * 2, 0) !== low % 7)).toEqual([]);
    expect(lows.filter((low) => table.lookup(HIGH, low * 2 + 1, 0) !== NOWHERE)).toEqual([]);
  });

  it('stays quick while stations come and go a million times over', () => {
    const table = createTable({ maxMacs: 100 });
    for (let i = 0; i < 1_000_000; i++) {
      table.setRegistry(HIGH, i, 1);
      table.deleteRegistry(HIGH, i);
      table.learn(HIGH, i, 2, 0);
    }
    expect(table.learnedCount).toBe(100);
    expect(table.lookup(HIGH, 999_999, 0)).toBe(2);
    expect(table.lookup(HIGH, 999_899, 0)).toBe(NOWHERE);
  });

  it('lets the registry win over what is heard', () => {
    const table = createTable();
    table.learn(HIGH, 1, 5, 0);
    table.setRegistry(HIGH, 1, 7);
    expect(table.learnedCount).toBe(0);
    expect(table.learn(HIGH, 1, 5, 1)).toBe(LEARN_CONTRADICTED);
    expect(table.learn(HIGH, 1, 7, 1)).toBe(LEARN_SAME);
    expect(table.lookup(HIGH, 1, 1)).toBe(7);
    expect(table.lookup(HIGH, 1, 1e6)).toBe(7);
  });

  it('says once that a station is heard on a port while the registry has it elsewhere, and looks it up there', () => {
    const table = createTable();
    table.setRegistry(HIGH, 1, 7);
    expect(table.learn(HIGH, 1, localPlace(0), 0)).toBe(LEARN_CONTRADICTED);
    expect(table.learn(HIGH, 1, localPlace(0), 0.5)).toBe(LEARN_SAME);
    expect(table.lookup(HIGH, 1, 1)).toBe(7);
    expect(table.isHere(HIGH, 1, 1)).toBe(true);
    expect(table.isHere(HIGH, 1, AGEING + 2)).toBe(false);
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
    expect(table.learn(HIGH, 1, 5, 0.5)).toBe(LEARN_SAME);
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

  it('that is full lets the station go that was heard longest ago', () => {
    const table = createTable({ maxMacs: 3 });
    for (const low of [1, 2, 3]) table.learn(HIGH, low, 5, low);
    table.setRegistry(HIGH, 9, 6);
    table.learn(HIGH, 4, 5, 4);
    expect([1, 2, 3, 4, 9].map((low) => table.lookup(HIGH, low, 4))).toEqual([NOWHERE, 5, 5, 5, 6]);
    expect(table.learnedCount).toBe(3);
  });

  it('keeps the stations that talk, and the registry’s, through a flood of a million made-up addresses', () => {
    const table = createTable({ maxMacs: 10_000 });
    table.setRegistry(HIGH, 0xffff_ffff, 7);
    for (const second of [0, 1]) for (let low = 0; low < 1000; low++) table.learn(HIGH, low, low % 5, second);
    for (let i = 0; i < 1_000_000; i++) table.learn(HIGH + 1, i, 9, 1 + i / 100_000);
    const lost = Array.from({ length: 1000 }, (_, low) => low).filter((low) => table.lookup(HIGH, low, 11) !== low % 5);
    expect(lost).toEqual([]);
    expect(table.lookup(HIGH, 0xffff_ffff, 11)).toBe(7);
    expect(table.learnedCount).toBe(10_000);
  });

  it('tells of each station of its ports that is no longer there: aged, pushed out or moved away', () => {
    const gone: number[] = [];
    const table = createTable({ maxMacs: 2, localGone: (it) => gone.push(lowOf(it)) });
    table.learn(HIGH, 1, localPlace(0), 0);
    table.learn(HIGH, 2, localPlace(0), 0);
    table.learn(HIGH, 3, localPlace(0), 0);
    expect(gone).toEqual([1]);
    table.move(HIGH, 2, 4, 1);
    expect(gone).toEqual([1, 2]);
    table.sweep(AGEING + 1);
    expect(gone).toEqual([1, 2, 3]);
  });

  it('removes no more in one go than takes a moment, and says that there is more', () => {
    const table = createTable({ maxMacs: 10_000 });
    for (let low = 0; low < 10_000; low++) table.learn(HIGH, low, 1, 0);
    let sweeps = 1;
    while (table.sweep(AGEING + 1)) sweeps++;
    expect(sweeps).toBeGreaterThan(2);
    expect(table.learnedCount).toBe(0);
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
