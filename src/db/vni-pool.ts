/**
 * VNIs, given out of free intervals. What it costs to take or give back a number depends on the number of pools, never on how many
 * numbers are in use: every look-up below is a seek in a primary key or in (pool, first).
 */
import { type SQL, sql } from 'drizzle-orm';
import { SHARED_POOL } from '../contract/vni-pools.ts';
import type { VniStanding } from '../domain/vni.ts';
import { claimedBy, type Database, write } from './database.ts';

/** How many quarantined numbers one sweep takes back at most. */
export const SWEEP_LIMIT = 20;

/** The lowest free number open to the tenant, its own pools before the shared; NULL where there is none. */
export function lowestFree(tenantId: string): SQL {
  const lowestOf = (which: SQL) => sql`(SELECT min((SELECT f.first FROM vni_free f WHERE f.pool_id = p.id
    ORDER BY f.first LIMIT 1)) FROM vni_pools p WHERE ${which})`;
  return sql`coalesce(${lowestOf(sql`p.tenant_id = ${tenantId}`)}, ${lowestOf(sql`p.tenant_id IS NULL`)})`;
}

/** Takes the number that the network just got by `lowestFree` off its interval: off its start, therefore. */
export function takeLowest(tenantId: string, networkId: string): SQL[] {
  const taken = sql`(SELECT vni FROM networks WHERE tenant_id = ${tenantId} AND id = ${networkId})`;
  return [
    sql`DELETE FROM vni_free WHERE first = ${taken} AND first = last`,
    sql`UPDATE vni_free SET first = first + 1 WHERE first = ${taken}`,
  ];
}

/** True, as an expression, where `vni` is free in a pool open to the tenant. */
export function isFree(tenantId: string, vni: number): SQL {
  return sql`EXISTS (SELECT 1 FROM vni_free f JOIN vni_pools p ON p.id = f.pool_id
    WHERE ${holds(vni)} AND (p.tenant_id IS NULL OR p.tenant_id = ${tenantId}))`;
}

/** Takes `vni`, which must be free, out of the middle of its interval. */
export function takeOne(vni: number): SQL[] {
  return [
    sql`INSERT INTO vni_free (first, last, pool_id)
      SELECT ${vni} + 1, f.last, f.pool_id FROM vni_free f WHERE ${holds(vni)} AND f.last > ${vni}`,
    sql`UPDATE vni_free AS f SET last = ${vni} - 1 WHERE ${holds(vni)} AND f.first < ${vni}`,
    sql`DELETE FROM vni_free WHERE first = ${vni}`,
  ];
}

/** Puts the network's number to rest. */
export function quarantine(tenantId: string, networkId: string, now: number, until: number): SQL {
  return sql`INSERT INTO vni_quarantine (vni, tenant_id, released_at, until)
    SELECT vni, tenant_id, ${now}, ${until} FROM networks WHERE tenant_id = ${tenantId} AND id = ${networkId}`;
}

/** Why `vni` isn't free for the tenant. Reads other tenants' rows, and tells of them only that the number is in use. */
export async function standingOf(db: Database, tenantId: string, vni: number): Promise<VniStanding> {
  const [row] = await db.all<{ isOpen: number; inUse: number; until: number | null }>(sql`SELECT
    EXISTS (SELECT 1 FROM vni_pools WHERE id = ${poolOf(vni)} AND (tenant_id IS NULL OR tenant_id = ${tenantId})) AS isOpen,
    EXISTS (SELECT 1 FROM networks WHERE vni = ${vni}) AS inUse,
    (SELECT until FROM vni_quarantine WHERE vni = ${vni}) AS until`);
  return { poolIsOpen: row?.isOpen === 1, inUse: row?.inUse === 1, quarantinedUntil: row?.until ?? null };
}

/**
 * Gives numbers whose quarantine is over back to their pools, merged with their free neighbours.
 *
 * @returns how many; `limit` means there may be more.
 */
export async function sweepQuarantine(db: Database, now: number, limit: number = SWEEP_LIMIT): Promise<number> {
  const due = await db.all<{ vni: number }>(
    sql`SELECT vni FROM vni_quarantine WHERE until <= ${now} ORDER BY until LIMIT ${limit}`,
  );
  if (due.length === 0) return 0;
  // Whoever asked for a number has nothing to do with who gave these back.
  await write(
    claimedBy(db, []),
    due.flatMap(({ vni }) => release(vni, now)),
  );
  return due.length;
}

/** Every statement asks anew whether the number is due, so that two sweeps at once give it back once. */
export function release(vni: number, now: number): SQL[] {
  const isDue = sql`EXISTS (SELECT 1 FROM vni_quarantine WHERE vni = ${vni} AND until <= ${now})`;
  const left = sql`(SELECT l.first FROM vni_free l
    WHERE l.first = (SELECT max(first) FROM vni_free WHERE first < ${vni}) AND l.last = ${vni} - 1 AND l.pool_id = p.id)`;
  const right = sql`(SELECT r.last FROM vni_free r WHERE r.first = ${vni} + 1 AND r.pool_id = p.id)`;
  return [
    sql`INSERT OR REPLACE INTO vni_free (first, last, pool_id)
      SELECT coalesce(${left}, ${vni}), coalesce(${right}, ${vni}), p.id FROM vni_pools p WHERE p.id = ${poolOf(vni)} AND ${isDue}`,
    sql`DELETE FROM vni_free WHERE first = ${vni} + 1 AND pool_id = ${poolOf(vni)} AND ${isDue}`,
    sql`UPDATE tenants SET resting_vnis = resting_vnis - 1
      WHERE id = (SELECT tenant_id FROM vni_quarantine WHERE vni = ${vni} AND until <= ${now})`,
    sql`DELETE FROM vni_quarantine WHERE vni = ${vni} AND until <= ${now}`,
  ];
}

/** The pool that a number belongs to: the one carved out that holds it, before the shared. No two carved ones overlap. */
function poolOf(vni: number): SQL {
  const isCarved = sql`id <> ${SHARED_POOL}`;
  return sql`coalesce(
    (SELECT id FROM vni_pools WHERE ${isCarved} AND last >= ${vni}
      AND first = (SELECT max(first) FROM vni_pools WHERE ${isCarved} AND first <= ${vni})),
    (SELECT id FROM vni_pools WHERE id = ${SHARED_POOL} AND first <= ${vni} AND last >= ${vni}))`;
}

/** True of the interval \`f\` that holds \`vni\`: the last one that starts at it or before. */
function holds(vni: number): SQL {
  return sql`f.first = (SELECT max(first) FROM vni_free WHERE first <= ${vni}) AND f.last >= ${vni}`;
}
