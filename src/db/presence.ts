/**
 * Until when a site counts as online. A report or an open socket moves that time ahead, a socket that closes takes it back to the end
 * of its grace, and then it passes by itself: nobody has to be there to see a site go. Zero: it went, and that was told as an event.
 */
import { type SQL, sql } from 'drizzle-orm';
import { OFFLINE_AFTER_SECONDS, WATCHING_OFFLINE_AFTER_SECONDS } from '../contract/agent.ts';
import { type Database, write } from './database.ts';
import { recordEvent } from './events.ts';

/** How many sites one sweep tells of at most. */
const SWEEP_LIMIT = 200;

/** These sites' agents hold a socket. */
export async function noteWatching(
  db: Database,
  tenantId: string,
  siteIds: readonly string[],
  now: number,
): Promise<void> {
  const until = now + WATCHING_OFFLINE_AFTER_SECONDS * 1000;
  await write(db, [
    ...recordOnline(db, tenantId, siteIds),
    sql`UPDATE site_status SET online_until = max(online_until, ${until}), last_seen = ${now} WHERE ${among(tenantId, siteIds)}`,
  ]);
}

/** These sites' sockets closed: `until` is when their grace ends. */
export async function noteLeft(
  db: Database,
  tenantId: string,
  siteIds: readonly string[],
  until: number,
): Promise<void> {
  await db.run(
    sql`UPDATE site_status SET online_until = ${until} WHERE ${among(tenantId, siteIds)} AND online_until > ${until}`,
  );
}

/** Tells of those of these sites whose time has passed. */
export async function noteOffline(
  db: Database,
  tenantId: string,
  siteIds: readonly string[],
  now: number,
): Promise<void> {
  await write(db, tellOffline(db, tenantId, siteIds, now));
}

/** Tells of every site whose time has passed. Looks at all: an index would cost a row more with every report, which is far more. */
export async function sweepOffline(db: Database, now: number): Promise<void> {
  const passed = await db.all<{ tenantId: string; siteId: string }>(sql`SELECT tenant_id AS tenantId, site_id AS siteId
    FROM site_status WHERE online_until BETWEEN 1 AND ${now} LIMIT ${SWEEP_LIMIT}`);
  if (passed.length === 0) return;
  const byTenant = Map.groupBy(passed, ({ tenantId }) => tenantId);
  const idsOf = (sites: typeof passed) => sites.map(({ siteId }) => siteId);
  await write(
    db,
    [...byTenant].flatMap(([tenantId, sites]) => tellOffline(db, tenantId, idsOf(sites), now)),
  );
}

/** After a start of a gateway whose sockets died with it: who doesn't come back soon is gone. */
export async function forgetWatching(db: Database, now: number): Promise<void> {
  const until = now + OFFLINE_AFTER_SECONDS * 1000;
  await db.run(sql`UPDATE site_status SET online_until = ${until} WHERE online_until > ${until}`);
}

/** Tells that these sites are back, where it was told that they went. For the batch that moves their time ahead, before that. */
export function recordOnline(db: Database, tenantId: string, siteIds: readonly string[]): SQL[] {
  return recordEvent(db, tenantId, {
    kind: 'site_online',
    subject: sql`site_id`,
    from: sql`FROM site_status WHERE ${among(tenantId, siteIds)} AND online_until = 0`,
  });
}

function tellOffline(db: Database, tenantId: string, siteIds: readonly string[], now: number): SQL[] {
  const passed = sql`${among(tenantId, siteIds)} AND online_until BETWEEN 1 AND ${now}`;
  return [
    ...recordEvent(db, tenantId, {
      kind: 'site_offline',
      subject: sql`site_id`,
      after: sql`json_object('lastSeenAt', strftime('%Y-%m-%dT%H:%M:%fZ', last_seen / 1000.0, 'unixepoch'))`,
      from: sql`FROM site_status WHERE ${passed}`,
    }),
    sql`UPDATE site_status SET online_until = 0 WHERE ${passed}`,
  ];
}

function among(tenantId: string, siteIds: readonly string[]): SQL {
  return sql`tenant_id = ${tenantId} AND site_id IN (SELECT w.value FROM json_each(${JSON.stringify(siteIds)}) w)`;
}
