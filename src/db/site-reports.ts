import { type SQL, sql } from 'drizzle-orm';
import { type NetworkReport, OFFLINE_AFTER_SECONDS, WATCHING_OFFLINE_AFTER_SECONDS } from '../contract/agent.ts';
import { type Database, write } from './database.ts';
import { recordEvent } from './events.ts';
import { recordOnline } from './presence.ts';

interface Sender {
  readonly tenantId: string;
  readonly siteId: string;
}

/** How many held removals of one report are told and kept: of more, an agent can make up as many as it likes. */
const MAX_HELD = 100;

/**
 * Keeps what a site's agent said, in one row: of the networks that it carries, and of those that it holds though the registry says no more
 * that it does. A site that was deleted meanwhile leaves nothing.
 */
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
  const held = said.networks.filter(({ heldRemovals }) => heldRemovals !== undefined).slice(0, MAX_HELD);
  const heldVnis = JSON.stringify(held.map(({ vni }) => vni));
  const report = sql`(SELECT json_group_array(json(r.value)) FROM json_each(${JSON.stringify(said.networks)}) r
    WHERE r.value ->> 'vni' IN (SELECT vni FROM attachments
      WHERE tenant_id = ${from.tenantId} AND site_id = ${from.siteId} AND state <> 'gone'
      UNION ALL SELECT value FROM json_each(${heldVnis})))`;
  const until = now + (said.watching ? WATCHING_OFFLINE_AFTER_SECONDS : OFFLINE_AFTER_SECONDS) * 1000;
  await write(db, [
    recordOnline(db, from.tenantId, [from.siteId]),
    ...(held.length > 0 ? [recordHeld(db, from, held)] : []),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, cursor, version, report)
      SELECT id, tenant_id, ${now}, ${until}, ${said.cursor}, ${said.version}, ${report}
      FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
      ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, cursor = excluded.cursor,
        online_until = max(online_until, excluded.online_until), version = excluded.version, report = excluded.report`,
  ]);
}

/** One event for each network in which the site began to hold a removal: before what it said last is written over. */
function recordHeld(db: Database, { tenantId, siteId }: Sender, held: readonly NetworkReport[]): SQL {
  const heldBefore = sql`SELECT old.value ->> 'vni' FROM site_status s, json_each(s.report) old
    WHERE s.tenant_id = ${tenantId} AND s.site_id = ${siteId} AND old.value ->> 'heldRemovals' IS NOT NULL`;
  return recordEvent(db, tenantId, {
    kind: 'removal_held',
    subject: siteId,
    after: sql`json_object('vni', new.value ->> 'vni', 'peers', new.value ->> 'heldRemovals')`,
    from: sql`FROM json_each(${JSON.stringify(held)}) new WHERE new.value ->> 'vni' NOT IN (${heldBefore})`,
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
