/** One MAC table under the hands of several threads, in earnest. */
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { createSharedNetworkMemory } from '../../../agent/datapath/network-memory.ts';
import { learn, openShared, placeOf, type SharedMacsResult, type SharedMacsRun } from './shared-macs-worker.ts';

const THREADS = 3;
const STEPS = 60_000;
const WORKER = new URL('./shared-macs-worker.ts', import.meta.url);

function runThreads(options: Pick<SharedMacsRun, 'memory' | 'lasting' | 'passing'>): Promise<SharedMacsResult[]> {
  const gate = new SharedArrayBuffer(4);
  const runs = Array.from({ length: THREADS }, async (_, i) => {
    const run: SharedMacsRun = { ...options, gate, threads: THREADS, seed: 0x1234_5678 + i, steps: STEPS };
    const { port1, port2 } = new MessageChannel();
    const worker = new Worker(WORKER, { workerData: { run, port: port2 }, transferList: [port2] });
    try {
      return await new Promise<SharedMacsResult>((resolve, reject) => {
        port1.once('message', resolve);
        worker.once('error', reject);
      });
    } finally {
      port1.close();
      await worker.terminate();
    }
  });
  return Promise.all(runs);
}

it('a station is never found where it was not, while threads fill a table that is too small for all', async () => {
  const memory = createSharedNetworkMemory(0x9e37_79b1, 64);
  const results = await runThreads({ memory, lasting: 0, passing: 256 });
  for (const { wrong, found, absent } of results) {
    expect(wrong).toBe(0);
    // Both happened, or nothing was tried.
    expect(Math.min(found, absent)).toBeGreaterThan(1000);
  }
  const table = openShared(memory);
  const macs = table.entries(1000 + STEPS / 1000).map(({ mac }) => mac);
  expect(macs.length).toBe(table.learnedCount);
  expect(new Set(macs).size).toBe(macs.length);
  expect(macs.length).toBeLessThanOrEqual(64);
  // Whole still: it fills up to its brim, and can be emptied.
  for (let station = 1000; station < 1064; station++) learn(table, station, 2000);
  expect(table.learnedCount).toBe(64);
  while (table.sweep(3000));
  expect(table.learnedCount).toBe(0);
});

it('a station that is there is never missed, while threads add and remove others', async () => {
  const memory = createSharedNetworkMemory(0x9e37_79b1, 1000);
  const table = openShared(memory);
  for (let station = 0; station < 20; station++) learn(table, station, 1000);
  const results = await runThreads({ memory, lasting: 20, passing: 20 });
  expect(results.map(({ wrong, missed }) => ({ wrong, missed }))).toEqual(
    Array.from({ length: THREADS }, () => ({ wrong: 0, missed: 0 })),
  );
  for (let station = 0; station < 20; station++) expect(table.lookup(0x0200, station, 1100)).toBe(placeOf(station));
});
