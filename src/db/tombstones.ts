/** What went leaves a tombstone for a while, by which a delta tells that it went. */
import { type SQL, sql } from 'drizzle-orm';
import { type Database, runAll } from './database.ts';

/** How many old rows of a table one purge takes at most. */
export const PURGE_LIMIT = 1000;

/**
 * Forgets attachments and MACs that went before `before` (milliseconds since 1970), and notes per tenant up to which revision it forgot, so that
 * a cursor from before that gets a snapshot. Works on all tenants' rows alike.
 *
 * @returns how many of the table that lost most; `limit` means there may be more.
 */
export async function purgeTombstones(db: Database, before: number, limit: number = PURGE_LIMIT): Promise<number> {
  const results = await runAll(
    db,
    (['attachments', 'macs'] as const).flatMap((name) => {
      const table = sql.raw(name);
      const old = sql`SELECT rowid FROM ${table} WHERE gone_at < ${before} ORDER BY gone_at, rowid LIMIT ${limit}`;
      return [
        sql`UPDATE tenants SET purged_revision = max(purged_revision, purged.revision)
          FROM (SELECT tenant_id, max(revision) AS revision FROM ${table} WHERE rowid IN (${old}) GROUP BY tenant_id) AS purged
          WHERE tenants.id = purged.tenant_id`,
        ...(name === 'macs' ? [countOff(old)] : []),
        sql`DELETE FROM ${table} WHERE rowid IN (${old}) RETURNING 1`,
      ];
    }),
  );
  return Math.max(...results.map((rows) => rows.length));
}

/** Of these rows of `macs`, which are about to go. */
function countOff(rows: SQL): SQL {
  return sql`UPDATE networks SET mac_rows = mac_rows - gone.count
    FROM (SELECT network_id, count(*) AS count FROM macs WHERE rowid IN (${rows}) GROUP BY network_id) AS gone
    WHERE networks.id = gone.network_id`;
}

/** However few MACs a network may have, so many tombstones it may; and however many, no more than can go in one batch. */
const MIN_TOMBSTONES = 1000;
const MAX_TOMBSTONES = 100_000;

/**
 * For the end of a batch that announces MACs: of a network with more tombstones of MACs than it may have MACs only the newest half stays, so
 * that whoever announces ever new ones doesn't fill the store. As after a purge, cursors from before those that went get a snapshot.
 */
export function trimTombstones(tenantId: string, vnis: readonly number[]): SQL[] {
  const limit = sql`(SELECT limit_macs_per_network FROM tenants WHERE id = ${tenantId})`;
  const allowed = sql`min(max(${MIN_TOMBSTONES}, ${limit}), ${MAX_TOMBSTONES})`;
  const full = sql`SELECT id FROM networks WHERE tenant_id = ${tenantId} AND mac_rows - mac_count > ${allowed}
    AND vni IN (SELECT value FROM json_each(${JSON.stringify(vnis)}))`;
  const old = sql`SELECT gone.id AS id, gone.revision AS revision FROM (
      SELECT m.rowid AS id, m.revision AS revision, row_number() OVER (PARTITION BY m.network_id ORDER BY m.revision DESC) AS age
      FROM (${full}) n CROSS JOIN macs m ON m.network_id = n.id WHERE m.tenant_id = ${tenantId} AND m.state = 'gone') AS gone
    WHERE gone.age > ${allowed} / 2`;
  return [
    sql`UPDATE tenants SET purged_revision = max(purged_revision, (SELECT coalesce(max(revision), 0) FROM (${old})))
      WHERE id = ${tenantId} AND EXISTS (${full})`,
    sql`DELETE FROM macs WHERE rowid IN (SELECT id FROM (${old}))`,
    sql`UPDATE networks SET mac_rows = (SELECT count(*) FROM macs m WHERE m.tenant_id = ${tenantId} AND m.network_id = networks.id)
      WHERE tenant_id = ${tenantId} AND id IN (${full})`,
  ];
}
