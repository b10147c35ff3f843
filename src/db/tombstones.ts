import { sql } from 'drizzle-orm';
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
    [sql`attachments`, sql`macs`].flatMap((table) => {
      const old = sql`SELECT rowid FROM ${table} WHERE gone_at < ${before} ORDER BY gone_at, rowid LIMIT ${limit}`;
      return [
        sql`UPDATE tenants SET purged_revision = max(purged_revision, purged.revision)
          FROM (SELECT tenant_id, max(revision) AS revision FROM ${table} WHERE rowid IN (${old}) GROUP BY tenant_id) AS purged
          WHERE tenants.id = purged.tenant_id`,
        sql`DELETE FROM ${table} WHERE rowid IN (${old}) RETURNING 1`,
      ];
    }),
  );
  return Math.max(...results.map((rows) => rows.length));
}
