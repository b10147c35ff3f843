import { sql } from 'drizzle-orm';
import type { NetworkReport } from '../contract/agent.ts';
import type { Database } from './database.ts';

interface Sender {
  readonly tenantId: string;
  readonly siteId: string;
}

/** Keeps what a site's agent said, in one row; a site that was deleted meanwhile leaves nothing. */
export async function saveHeartbeat(
  db: Database,
  from: Sender,
  said: { cursor: string; version: string; networks: readonly NetworkReport[] },
  now: number,
): Promise<void> {
  await db.run(sql`INSERT INTO site_status (site_id, tenant_id, last_seen, cursor, version, report)
    SELECT id, tenant_id, ${now}, ${said.cursor}, ${said.version}, ${JSON.stringify(said.networks)}
    FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
    ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, cursor = excluded.cursor,
      version = excluded.version, report = excluded.report`);
}

/** Notes that the site enrolled anew, with which version; what it last reported stays until it reports. */
export async function saveVersion(db: Database, from: Sender, version: string, now: number): Promise<void> {
  await db.run(sql`INSERT INTO site_status (site_id, tenant_id, last_seen, version, report)
    SELECT id, tenant_id, ${now}, ${version}, '[]' FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
    ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, version = excluded.version`);
}
