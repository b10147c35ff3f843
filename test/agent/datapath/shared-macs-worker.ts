/** One of several threads that do all there is to do to one MAC table, at random and at once (`shared-macs.test.ts`). */
import { workerData } from 'node:worker_threads';
import { MacTable } from '../../../agent/datapath/mac-table.ts';
import { NetworkMemory } from '../../../agent/datapath/network-memory.ts';
import { NOWHERE } from '../../../agent/datapath/places.ts';

export interface SharedMacsRun {
  readonly memory: SharedArrayBuffer;
  /** Counts the threads that are ready; nobody begins before all are. */
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly seed: number;
  readonly steps: number;
  /** Stations from 0 on that are in the table before it begins, and are never removed. */
  readonly lasting: number;
  /** Those that come and go, after them. */
  readonly passing: number;
}

export interface SharedMacsResult {
  /** Lookups that found a station at a place where it never was. */
  readonly wrong: number;
  /** Lookups that did not find a lasting one. */
  readonly missed: number;
  /** Lookups that found a passing one, and that did not. */
  readonly found: number;
  readonly absent: number;
}

const HIGH = 0x0200;
export const placeOf = (station: number): number => station & 0x7fff;

export function openShared(memory: SharedArrayBuffer): MacTable {
  return new MacTable({ memory: new NetworkMemory(memory), ageingSeconds: 300, localGone: () => {} });
}

export function learn(table: MacTable, station: number, now: number): void {
  table.learn(HIGH, station, placeOf(station), now);
}

export function run({ memory, gate, threads, seed, steps, lasting, passing }: SharedMacsRun): SharedMacsResult {
  const table = openShared(memory);
  const random = createRandom(seed);
  const result = { wrong: 0, missed: 0, found: 0, absent: 0 };
  const ready = new Int32Array(gate);
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < threads);
  for (let step = 0; step < steps; step++) {
    // A second in a thousand steps, so that times are refreshed and stations confirmed.
    const now = 1000 + step / 1000;
    const station = lasting + random(passing);
    const what = random(8);
    if (what < 3) learn(table, station, now);
    else if (what < 6) {
      // What was heard of it goes.
      table.setRegistry(HIGH, station, placeOf(station));
      table.deleteRegistry(HIGH, station);
    } else if (what === 6 && lasting > 0) learn(table, random(lasting), now);
    const place = table.lookup(HIGH, station, now);
    if (place === NOWHERE) result.absent++;
    else if (place === placeOf(station)) result.found++;
    else result.wrong++;
    // Often, since a change is over in a moment.
    for (let i = 0; i < 8 && lasting > 0; i++) {
      const last = random(lasting);
      const lastPlace = table.lookup(HIGH, last, now);
      if (lastPlace === NOWHERE) result.missed++;
      else if (lastPlace !== placeOf(last)) result.wrong++;
    }
  }
  return result;
}

/** xorshift32. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const given = workerData as {
  readonly run: SharedMacsRun;
  readonly port: { postMessage(result: SharedMacsResult): void };
};
if (given?.run !== undefined) given.port.postMessage(run(given.run));
