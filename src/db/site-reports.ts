import { type SQL, sql } from 'drizzle-orm';
import { type NetworkReport, OFFLINE_AFTER_SECONDS, WATCHING_OFFLINE_AFTER_SECONDS } from '../contract/agent.ts';
import { type Database, write } from './database.ts';
import { recordEvent } from './events.ts';
import { recordOnline } from './presence.ts';

interface Sender {
  readonly tenantId: string;
  readonly siteId: string;
}

/** Keeps what a site's agent said, in one row; a site that was deleted meanwhile leaves nothing. */
export async function saveHeartbeat(
  db: Database,
  from: Sender,
  said: {
    readonly cursor: string;
    readonly version: string;
    readonly networks: readonly NetworkReport[];
    readonly watching?: boolean | undefined;
  },
  now: number,
): Promise<void> {
  const until = now + (said.watching ? WATCHING_OFFLINE_AFTER_SECONDS : OFFLINE_AFTER_SECONDS) * 1000;
  await write(db, [
    recordOnline(db, from.tenantId, [from.siteId]),
    ...(said.networks.some(({ heldRemovals }) => heldRemovals !== undefined)
      ? [recordHeld(db, from, said.networks)]
      : []),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, cursor, version, report)
      SELECT id, tenant_id, ${now}, ${until}, ${said.cursor}, ${said.version}, ${JSON.stringify(said.networks)}
      FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
      ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, cursor = excluded.cursor,
        online_until = max(online_until, excluded.online_until), version = excluded.version, report = excluded.report`,
  ]);
}

/** One event for each network in which the site began to hold a removal: before what it said last is written over. */
function recordHeld(db: Database, { tenantId, siteId }: Sender, networks: readonly NetworkReport[]): SQL {
  const heldBefore = sql`SELECT 1 FROM site_status s, json_each(s.report) old WHERE s.tenant_id = ${tenantId} AND s.site_id = ${siteId}
    AND old.value ->> 'vni' = new.value ->> 'vni' AND old.value ->> 'heldRemovals' IS NOT NULL`;
  return recordEvent(db, tenantId, {
    kind: 'removal_held',
    subject: siteId,
    after: sql`json_object('vni', new.value ->> 'vni', 'peers', new.value ->> 'heldRemovals')`,
    from: sql`FROM json_each(${JSON.stringify(networks)}) new WHERE new.value ->> 'heldRemovals' IS NOT NULL AND NOT EXISTS (${heldBefore})`,
  });
}

/** Notes that the site enrolled anew, with which version; what it last reported stays until it reports. */
export async function saveVersion(db: Database, from: Sender, version: string, now: number): Promise<void> {
  const until = now + OFFLINE_AFTER_SECONDS * 1000;
  await write(db, [
    recordOnline(db, from.tenantId, [from.siteId]),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, version, report)
      SELECT id, tenant_id, ${now}, ${until}, ${version}, '[]' FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
      ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, version = excluded.version,
        online_until = max(online_until, excluded.online_until)`,
  ]);
}
