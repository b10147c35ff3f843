/**
 * Pools: ranges of VNIs, one of them (`shared`) there from the start. Every other one is carved out of it or lies outside it, none
 * overlaps another, and a number belongs to the pool that holds it, else to the shared one.
 *
 * A number is free, a network's, or at rest. Carving and giving back move the free ones; the others follow when they are released.
 */
import { asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import { SHARED_POOL, type VniPoolCreate } from '../contract/vni-pools.ts';
import { type Database, type Write, write, writeAndRead } from './database.ts';
import { NO_TENANT, recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfPool } from './pictures.ts';
import { tenants, vniPools } from './schema.ts';
import { release } from './vni-pool.ts';

/** A pool with how many of its numbers are free and at rest; `size` leaves out what other pools hold of its range. */
export interface VniPoolRow {
  readonly id: string;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly tenantId: string | null;
  /** The slug. */
  readonly tenant: string | null;
  readonly size: number;
  readonly free: number;
  readonly quarantined: number;
}

/**
 * Makes a pool of the free numbers from `first` to `last`; those at rest become its own when their time is over.
 *
 * @throws Refusal `name_taken`, `pool_overlap`, `vni_in_use`.
 */
export async function createPool(
  db: Database,
  id: string,
  body: Omit<VniPoolCreate, 'tenant'>,
  tenantId: string | null,
): Promise<VniPoolRow> {
  const { name, first, last } = body;
  const writes: Write[] = [
    guard(
      'pool_overlap',
      sql`NOT EXISTS (SELECT 1 FROM vni_pools WHERE first = (SELECT max(first) FROM vni_pools
      WHERE first <= ${last} AND id <> ${SHARED_POOL}) AND id <> ${SHARED_POOL} AND last >= ${first})`,
    ),
    guard('vni_in_use', sql`NOT EXISTS (SELECT 1 FROM networks WHERE vni BETWEEN ${first} AND ${last})`),
    db.insert(vniPools).values({ id, name, first, last, tenantId }),
    ...cutAt(first),
    ...cutAt(last + 1),
    sql`DELETE FROM vni_free WHERE first BETWEEN ${first} AND ${last}`,
    sql`INSERT INTO vni_free (first, last, pool_id) SELECT free.first, free.last, ${id} FROM (
        SELECT end.vni + 1 AS first, lead(end.vni) OVER (ORDER BY end.vni) - 1 AS last FROM (
          SELECT ${first} - 1 AS vni UNION ALL SELECT vni FROM vni_quarantine WHERE vni BETWEEN ${first} AND ${last}
          UNION ALL SELECT ${last} + 1) AS end
      ) AS free WHERE free.first <= free.last`,
    ...recordEvent(db, tenantId ?? NO_TENANT, { kind: 'vni_pool_created', subject: id, after: pictureOfPool(id) }),
  ];
  const [row] = await writeAndRead(db, writes, selectPools(db).where(eq(vniPools.id, id)));
  return row!;
}

/**
 * Gives what is free of the pool back to the shared one, where that holds it. Numbers in use stay so, and go there when released.
 *
 * @throws Refusal `not_found`.
 */
export async function deletePool(db: Database, pool: VniPoolRow): Promise<void> {
  const { id, first, last, tenantId } = pool;
  const shared = (column: 'first' | 'last') =>
    sql`(SELECT ${sql.raw(column)} FROM vni_pools WHERE id = ${SHARED_POOL})`;
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM vni_pools WHERE id = ${id})`),
    ...recordEvent(db, tenantId ?? NO_TENANT, { kind: 'vni_pool_deleted', subject: id, before: pictureOfPool(id) }),
    sql`DELETE FROM vni_free WHERE pool_id = ${id} AND (last < ${shared('first')} OR first > ${shared('last')})`,
    sql`UPDATE vni_free SET pool_id = ${SHARED_POOL}, first = max(first, ${shared('first')}), last = min(last, ${shared('last')})
      WHERE pool_id = ${id}`,
    ...mergeAt(first),
    ...mergeAt(last + 1),
    db.delete(vniPools).where(eq(vniPools.id, id)),
  ]);
}

/** @param key the pool's id or name; an id goes first. */
export async function findPool(db: Database, key: string): Promise<VniPoolRow | undefined> {
  const [row] = await selectPools(db)
    .where(sql`${vniPools.id} = ${key} OR ${vniPools.name} = ${key}`)
    .orderBy(sql`${vniPools.id} = ${key} DESC`)
    .limit(1);
  return row;
}

export async function listPools(db: Database, page: PageRequest): Promise<Page<VniPoolRow>> {
  const rows = await selectPools(db)
    .where(gt(vniPools.name, page.after))
    .orderBy(asc(vniPools.name))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, (row) => row.name);
}

export interface QuarantineRow {
  readonly vni: number;
  readonly tenant: string | null;
  readonly releasedAt: number;
  readonly until: number;
}

/** The numbers at rest, by number. */
export async function listQuarantine(db: Database, page: PageRequest): Promise<Page<QuarantineRow>> {
  const rows =
    await db.all<QuarantineRow>(sql`SELECT q.vni AS vni, t.slug AS tenant, q.released_at AS releasedAt, q.until AS until
    FROM vni_quarantine q LEFT JOIN tenants t ON t.id = q.tenant_id
    WHERE q.vni > ${Number(page.after)} ORDER BY q.vni LIMIT ${page.limit + 1}`);
  return pageOf(rows, page.limit, ({ vni }) => String(vni));
}

/** Ends a number's rest before its time. @throws Refusal `not_found` where it isn't at rest. */
export async function releaseEarly(db: Database, vni: number, now: number): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM vni_quarantine WHERE vni = ${vni})`),
    ...recordEvent(db, NO_TENANT, {
      kind: 'vni_released',
      subject: String(vni),
      before: sql`json_object('vni', vni, 'tenant', tenant_id)`,
      from: sql`FROM vni_quarantine WHERE vni = ${vni}`,
    }),
    sql`UPDATE vni_quarantine SET until = min(until, ${now}) WHERE vni = ${vni}`,
    ...release(vni, now),
  ]);
}

/** Makes an interval that holds both `vni - 1` and `vni` two. */
function cutAt(vni: number): SQL[] {
  const reachesOver = sql`first = (SELECT max(first) FROM vni_free WHERE first < ${vni}) AND last >= ${vni}`;
  return [
    sql`INSERT INTO vni_free (first, last, pool_id) SELECT ${vni}, last, pool_id FROM vni_free WHERE ${reachesOver}`,
    sql`UPDATE vni_free SET last = ${vni} - 1 WHERE ${reachesOver}`,
  ];
}

/** Makes two intervals of the shared pool that meet at `vni` one. */
function mergeAt(vni: number): SQL[] {
  const left = sql`pool_id = ${SHARED_POOL} AND first = (SELECT max(first) FROM vni_free WHERE first < ${vni})`;
  const right = sql`pool_id = ${SHARED_POOL} AND first = ${vni}`;
  return [
    sql`UPDATE vni_free SET last = (SELECT last FROM vni_free WHERE ${right})
      WHERE ${left} AND last = ${vni} - 1 AND EXISTS (SELECT 1 FROM vni_free WHERE ${right})`,
    sql`DELETE FROM vni_free WHERE ${right} AND EXISTS (SELECT 1 FROM vni_free WHERE ${left} AND last >= ${vni})`,
  ];
}

function selectPools(db: Database) {
  // What other pools hold of a pool's range: only of the shared one's, since no others overlap.
  const carved = (
    of: SQL,
  ) => sql`iif(${vniPools.id} <> ${SHARED_POOL}, 0, (SELECT coalesce(sum(${of}), 0) FROM vni_pools AS other
    WHERE other.id <> ${SHARED_POOL} AND other.first <= ${vniPools.last} AND other.last >= ${vniPools.first}))`;
  const overlap = sql`min(other.last, ${vniPools.last}) - max(other.first, ${vniPools.first}) + 1`;
  const resting = (first: SQL, last: SQL) =>
    sql`(SELECT count(*) FROM vni_quarantine q WHERE q.vni BETWEEN ${first} AND ${last})`;
  const restingInOverlap = resting(sql`max(other.first, ${vniPools.first})`, sql`min(other.last, ${vniPools.last})`);
  return db
    .select({
      id: vniPools.id,
      name: vniPools.name,
      first: vniPools.first,
      last: vniPools.last,
      tenantId: vniPools.tenantId,
      tenant: tenants.slug,
      size: sql<number>`${vniPools.last} - ${vniPools.first} + 1 - ${carved(overlap)}`,
      free: sql<number>`(SELECT coalesce(sum(f.last - f.first + 1), 0) FROM vni_free f WHERE f.pool_id = ${vniPools.id})`,
      quarantined: sql<number>`${resting(sql`${vniPools.first}`, sql`${vniPools.last}`)} - ${carved(restingInOverlap)}`,
    })
    .from(vniPools)
    .leftJoin(tenants, eq(tenants.id, vniPools.tenantId));
}
