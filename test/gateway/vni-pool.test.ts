import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Database } from '../../src/db/database.ts';
import { createNetwork, deleteNetwork } from '../../src/db/networks.ts';
import { refusalOf } from '../../src/db/store-error.ts';
import { createTenant } from '../../src/db/tenants.ts';
import { sweepQuarantine } from '../../src/db/vni-pool.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { memoryStore } from './memory-store.ts';

const FIRST = 100;
const LAST = 119;
/** The first tenant's own pool, in the middle of the shared. */
const OWN = [105, 106, 107, 108];
const HOLD = 5;

/** The rules of the pools over plain sets. */
class Model {
  readonly own = new Set(OWN);
  readonly shared = new Set(range(FIRST, LAST).filter((vni) => !OWN.includes(vni)));
  readonly inUse = new Map<number, { id: string; tenant: string }>();
  readonly resting = new Map<number, number>();

  release(now: number): void {
    for (const [vni, until] of this.resting) {
      if (until > now) continue;
      this.resting.delete(vni);
      (OWN.includes(vni) ? this.own : this.shared).add(vni);
    }
  }

  pools(tenant: string): Set<number>[] {
    return tenant === 'a' ? [this.own, this.shared] : [this.shared];
  }

  /** What taking `vni`, or any, should come to: the number, or the code of the refusal. */
  expected(tenant: string, vni: number | undefined): number | string {
    if (vni === undefined) {
      const pool = this.pools(tenant).find(({ size }) => size > 0);
      return pool === undefined ? 'vni_exhausted' : Math.min(...pool);
    }
    if (vni < FIRST || vni > LAST || (OWN.includes(vni) && tenant !== 'a')) return 'vni_out_of_range';
    if (this.inUse.has(vni)) return 'vni_taken';
    return this.resting.has(vni) ? 'vni_quarantined' : vni;
  }
}

const tenant = fc.constantFrom('a', 'b');
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const), tenant, vni: fc.constant(undefined) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      tenant,
      vni: fc.integer({ min: FIRST - 1, max: LAST + 1 }),
    }),
  },
  { weight: 7, arbitrary: fc.record({ kind: fc.constant('give back' as const), which: fc.nat(99) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), after: fc.nat(4) }) },
);

test('VNIs are given, refused, rested and merged back as the rules over plain sets say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (operations) => {
      const { db, close } = await smallPools();
      const model = new Model();
      let now = 1;
      for (const [n, step] of operations.entries()) {
        if (step.kind === 'take') {
          model.release(now);
          const expected = model.expected(step.tenant, step.vni);
          const id = `network${n}`;
          const body = { name: id, ...(step.vni === undefined ? {} : { vni: step.vni }) };
          expect(await outcome(createNetwork(db, step.tenant, { id, now }, body))).toBe(expected);
          if (typeof expected === 'number') {
            model.own.delete(expected);
            model.shared.delete(expected);
            model.inUse.set(expected, { id, tenant: step.tenant });
          }
        } else if (step.kind === 'give back') {
          const taken = [...model.inUse][step.which % Math.max(model.inUse.size, 1)];
          if (taken === undefined) continue;
          const [vni, network] = taken;
          await deleteNetwork(db, network.tenant, network.id, { now, until: now + HOLD });
          model.inUse.delete(vni);
          model.resting.set(vni, now + HOLD);
        } else {
          now += step.after;
          await sweepQuarantine(db, now);
          model.release(now);
        }
        await assertFree(db, 'shared', model.shared);
        await assertFree(db, 'own', model.own);
      }
      close();
    }),
    { numRuns: 60 },
  );
});

test('two sweeps at once give a number back once', async () => {
  const { db, close } = await smallPools();
  await createNetwork(db, 'b', { id: 'n', now: 1 }, { name: 'n', vni: 112 });
  await deleteNetwork(db, 'b', 'n', { now: 1, until: 2 });
  await Promise.all([sweepQuarantine(db, 2), sweepQuarantine(db, 2), sweepQuarantine(db, 2)]);
  await assertFree(db, 'shared', new Set(range(FIRST, LAST).filter((vni) => !OWN.includes(vni))));
  close();
});

async function smallPools(): Promise<{ db: Database; close: () => void }> {
  const { db, close } = await memoryStore();
  for (const id of ['a', 'b']) await createTenant(db, { id, epoch: 'e', now: 0 }, { slug: id, name: id });
  await db.run(sql`DELETE FROM vni_free`);
  await db.run(sql`UPDATE vni_pools SET first = ${FIRST}, last = ${LAST}`);
  await db.run(
    sql`INSERT INTO vni_pools (id, name, first, last, tenant_id) VALUES ('own', 'own', ${OWN[0]}, ${OWN.at(-1)}, 'a')`,
  );
  await db.run(sql`INSERT INTO vni_free VALUES (${FIRST}, ${OWN[0]! - 1}, 'shared'), (${OWN[0]}, ${OWN.at(-1)}, 'own'),
    (${OWN.at(-1)! + 1}, ${LAST}, 'shared')`);
  return { db, close };
}

async function outcome(made: Promise<{ vni: number }>): Promise<number | string> {
  try {
    return (await made).vni;
  } catch (error) {
    const refusal = error instanceof Refusal ? error : refusalOf(error);
    if (refusal === null) throw error;
    return refusal.code;
  }
}

/** The pool's intervals hold exactly these numbers, and no two of them touch. */
async function assertFree(db: Database, pool: string, expected: ReadonlySet<number>): Promise<void> {
  const rows = await db.all<{ first: number; last: number }>(
    sql`SELECT first, last FROM vni_free WHERE pool_id = ${pool} ORDER BY first`,
  );
  expect(rows.flatMap(({ first, last }) => range(first, last))).toEqual([...expected].sort((a, b) => a - b));
  for (const [i, { first }] of rows.entries()) if (i > 0) expect(first).toBeGreaterThan(rows[i - 1]!.last + 1);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
