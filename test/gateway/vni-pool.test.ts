import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { createNetwork, deleteNetwork } from '../../src/db/networks.ts';
import { refusalOf } from '../../src/db/store-error.ts';
import { createTenant } from '../../src/db/tenants.ts';
import { sweepQuarantine } from '../../src/db/vni-pool.ts';
import { createPool, deletePool, findPool, listPools, releaseEarly } from '../../src/db/vni-pools.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { memoryStore } from './memory-store.ts';
import { type ModelPool, range, VniModel } from './vni-model.ts';

/** The shared pool here. Pools may also begin below it and end above it. */
const FIRST = 100;
const LAST = 110;
const LOWEST = FIRST - 4;
const HIGHEST = LAST + 5;
const SHARED: ModelPool = { id: 'shared', first: FIRST, last: LAST, tenant: null };
const HOLD = 5;

const tenant = fc.constantFrom('a', 'b');
const vni = fc.integer({ min: LOWEST, max: HIGHEST });
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), tenant, vni: fc.constant(undefined) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), tenant, vni }),
  },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('give back' as const), which: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release early' as const), vni }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), after: fc.nat(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('carve' as const),
      first: vni,
      length: fc.nat(5),
      for: fc.constantFrom('a', 'b', null),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('undo pool' as const), which: fc.nat(99) }) },
);

test('VNIs and pools are given, carved, refused, rested, released and merged back as the rules over single numbers say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (operations) => {
      const { db, close } = await smallPool();
      const model = new VniModel(SHARED, range(LOWEST, HIGHEST));
      let now = 1;
      for (const [n, step] of operations.entries()) {
        if (step.kind === 'take') {
          model.endRests(now);
          const expected = model.outcomeOfTaking(step.tenant, step.vni);
          const id = `network${n}`;
          const body = { name: id, ...(step.vni === undefined ? {} : { vni: step.vni }) };
          const made = createNetwork(db, step.tenant, { id, now }, body);
          expect(await outcome(made.then((row) => row.vni))).toBe(expected);
          if (typeof expected === 'number') model.inUse.set(expected, { id, tenant: step.tenant });
        } else if (step.kind === 'give back') {
          const taken = [...model.inUse][step.which % Math.max(model.inUse.size, 1)];
          if (taken === undefined) continue;
          const [number, network] = taken;
          await deleteNetwork(db, network.tenant, network.id, { now, until: now + HOLD });
          model.inUse.delete(number);
          model.resting.set(number, now + HOLD);
        } else if (step.kind === 'release early') {
          const expected = model.resting.delete(step.vni) ? 'released' : 'not_found';
          expect(await outcome(releaseEarly(db, step.vni, now).then(() => 'released'))).toBe(expected);
        } else if (step.kind === 'carve') {
          const pool = {
            id: `pool${n}`,
            first: step.first,
            last: Math.min(step.first + step.length, HIGHEST),
            tenant: step.for,
          };
          const { id, first, last } = pool;
          const expected = model.outcomeOfCarving(first, last);
          const made = createPool(db, id, { name: id, first, last }, step.for);
          expect(await outcome(made.then(() => 'carved'))).toBe(expected);
          if (expected === 'carved') model.carved.set(id, pool);
        } else if (step.kind === 'undo pool') {
          const id = [...model.carved.keys()][step.which % Math.max(model.carved.size, 1)];
          if (id === undefined) continue;
          await deletePool(db, (await findPool(db, id))!);
          model.carved.delete(id);
        } else {
          now += step.after;
          await sweepQuarantine(db, now);
          model.endRests(now);
        }
        await assertIsModel(db, model);
      }
      close();
    }),
    { numRuns: 100 },
  );
});

test('two sweeps at once give a number back once', async () => {
  const { db, close } = await smallPool();
  await createNetwork(db, 'b', { id: 'n', now: 1 }, { name: 'n', vni: 106 });
  await deleteNetwork(db, 'b', 'n', { now: 1, until: 2 });
  await Promise.all([sweepQuarantine(db, 2), sweepQuarantine(db, 2), sweepQuarantine(db, 2)]);
  await assertIsModel(db, new VniModel(SHARED, range(LOWEST, HIGHEST)));
  close();
});

async function smallPool(): Promise<{ db: Database; close: () => void }> {
  const { db, close } = memoryStore();
  for (const id of ['a', 'b']) await createTenant(db, { id, epoch: 'e', now: 0 }, { slug: id, name: id });
  await db.run(sql`UPDATE vni_free SET first = ${FIRST}, last = ${LAST}`);
  await db.run(sql`UPDATE vni_pools SET first = ${FIRST}, last = ${LAST}`);
  return { db, close };
}

async function outcome<T>(done: Promise<T>): Promise<T | string> {
  try {
    return await done;
  } catch (error) {
    const refusal = error instanceof Refusal ? error : refusalOf(error);
    if (refusal === null) throw error;
    return refusal.code;
  }
}

/** The pools' intervals hold exactly the free numbers, no two of one pool touch, and the counts are right. */
async function assertIsModel(db: Database, model: VniModel): Promise<void> {
  const { items } = await listPools(db, { limit: 100, after: '' });
  expect(items.map(({ id }) => id).sort()).toEqual(
    model
      .pools()
      .map(({ id }) => id)
      .sort(),
  );
  for (const pool of model.pools()) {
    const rows = await db.all<{ first: number; last: number }>(
      sql`SELECT first, last FROM vni_free WHERE pool_id = ${pool.id} ORDER BY first`,
    );
    const numbers = rows.flatMap(({ first, last }) => range(first, last));
    expect(numbers).toEqual(model.freeIn(pool));
    for (const [i, { first }] of rows.entries()) if (i > 0) expect(first).toBeGreaterThan(rows[i - 1]!.last + 1);
    const row = items.find(({ id }) => id === pool.id)!;
    expect(row.free).toBe(numbers.length);
    expect(row.quarantined).toBe(model.numbersOf(pool).filter((number) => model.resting.has(number)).length);
    const used = model.numbersOf(pool).filter((number) => model.inUse.has(number)).length;
    expect(row.size - row.free - row.quarantined).toBe(used);
  }
}
