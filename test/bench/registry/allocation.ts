/** What a VNI costs, by how many are given out already. */
import type { D1Database } from '@cloudflare/workers-types';
import type { Network } from '../../../src/contract/networks.ts';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { createNetwork } from '../../../src/db/networks.ts';
import { openSqliteD1 } from '../../../src/hosts/node/d1-on-sqlite.ts';
import { migrate } from '../../../src/hosts/node/migrate.ts';
import { newTenant } from '../../gateway/host.ts';
import { median } from '../report.ts';
import { startCountedGateway } from './counted-gateway.ts';
import { countedStore, type Rows } from './counted-store.ts';
import { FIRST_TENANT, seedNetworks } from './seed.ts';

export const FEW = 100;
export const MANY = 1_000_000;
const ALLOCATIONS_PER_ROUND = 300;

/** Microseconds of one allocation, the median of each round. */
export interface AllocationTimes {
  readonly few: readonly number[];
  readonly many: readonly number[];
}

/** On the Node host's store in memory, so that no disk's time hides what grows. The two sizes take turns at every allocation. */
export async function timeAllocation(rounds: number): Promise<AllocationTimes> {
  const many = await seeded(MANY);
  const times: { few: number[]; many: number[] } = { few: [], many: [] };
  // The first round is for the compiler.
  for (let round = -1; round < rounds; round++) {
    const few = await seeded(FEW);
    const taken: { few: number[]; many: number[] } = { few: [], many: [] };
    for (let i = 0; i < ALLOCATIONS_PER_ROUND; i++) {
      taken.few.push(await timeOne(few.db, `${round}-${i}`));
      taken.many.push(await timeOne(many.db, `${round}-${i}`));
    }
    few.close();
    if (round < 0) continue;
    times.few.push(median(taken.few));
    times.many.push(median(taken.many));
  }
  many.close();
  return times;
}

/** Rows of one allocation on this D1, which is empty, before and after it has given out a million. */
export async function countAllocation(d1: D1Database): Promise<{ readonly few: Rows; readonly many: Rows }> {
  const counted = countedStore(d1);
  const db = openDatabase(counted.d1);
  const count = async (name: string): Promise<Rows> => {
    counted.take();
    await createNetwork(db, FIRST_TENANT, { id: name, now: Date.now() }, { name });
    return counted.take();
  };
  await seedNetworks(d1, 0, FEW);
  const few = await count('at-few');
  await seedNetworks(d1, FEW + 1, MANY);
  return { few, many: await count('at-many') };
}

async function seeded(count: number): Promise<{ db: Database; close: () => void }> {
  const store = openSqliteD1(':memory:');
  migrate(store);
  await seedNetworks(store.d1, 0, count);
  return { db: openDatabase(store.d1), close: store.close };
}

/** @returns microseconds. */
async function timeOne(db: Database, name: string): Promise<number> {
  const start = performance.now();
  await createNetwork(db, FIRST_TENANT, { id: name, now: Date.now() }, { name });
  return (performance.now() - start) * 1000;
}

export interface Rush {
  readonly duplicates: number;
  readonly lost: number;
  readonly seconds: number;
}

/** So many networks asked for at the same moment, over HTTP, each by a connection of its own. */
export async function rush(count: number): Promise<Rush> {
  const gateway = await startCountedGateway();
  try {
    const { admin, at } = await newTenant(gateway, { networks: count });
    const start = performance.now();
    const asked = Array.from({ length: count }, (_, i) =>
      admin.call<Network>('POST', `${at}/networks`, { name: `rush-${i}` }),
    );
    const made = (await Promise.all(asked)).filter(({ status }) => status === 201);
    const seconds = (performance.now() - start) / 1000;
    const vnis = new Set(made.map(({ body }) => body.vni));
    return { duplicates: made.length - vnis.size, lost: count - made.length, seconds };
  } finally {
    await gateway.close();
  }
}
