/**
 * What sites carried: a row per site and hour in which it carried anything, of 10-minute steps in one column.
 *
 * The hour that is not over is kept in the row that a site's report is written to anyway, so that a report costs no more than without it:
 * an idle site costs nothing, a busy one a row an hour. Who was online is told by events that are there anyway.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Traffic } from '../contract/traffic.ts';
import type { Presence, PresenceChange } from '../domain/online.ts';
import { STEPS_PER_HOUR, type Taken } from '../domain/samples.ts';
import { type Database, runAll } from './database.ts';
import { addToSums, SUM_OF_SITES } from './history-sums.ts';
import { PURGE_LIMIT } from './tombstones.ts';

/** More comings than this are not looked at, and more goings: a month of 500 sites that each went ten times. */
const MAX_CHANGES = 5000;

export interface HistoryOf {
  readonly tenantId: string;
  readonly siteId: string | null;
  readonly network: { readonly id: string; readonly vni: number } | null;
}

/** Steps by their number since 1970: the first and the last, and how many of them make one of the answer. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly stepsPerPoint: number;
}

/** A step of the answer, by its number since 1970. */
export interface HistoryRow extends Traffic {
  readonly point: number;
}

/** For the batch of a report, before its row is written: hours that are over, unless another report was quicker. */
export function keepHours(
  { tenantId, siteId }: { readonly tenantId: string; readonly siteId: string },
  finished: Taken['finished'],
  sampledAt: number | null,
): SQL[] {
  if (finished.length === 0) return [];
  const isFirst = sql`(SELECT sampled_at FROM site_status WHERE tenant_id = ${tenantId} AND site_id = ${siteId}) IS ${sampledAt}`;
  return [
    sql`INSERT INTO site_history (tenant_id, hour, site_id, samples)
      SELECT ${tenantId}, w.value ->> 'hour', ${siteId}, w.value ->> 'samples' FROM json_each(${JSON.stringify(finished)}) w
      WHERE ${isFirst}
      ON CONFLICT (tenant_id, hour, site_id) DO UPDATE
        SET samples = substr(samples, 1, length(samples) - 1) || ',' || substr(excluded.samples, 2)`,
    addToSums(tenantId, finished, isFirst),
  ];
}

/** @returns the steps in which anything was carried, in order; and who of the sites concerned is online, and who came and went since. */
export async function readHistory(
  db: Database,
  of: HistoryOf,
  span: Span,
  since: number,
  now: number,
): Promise<{ rows: HistoryRow[]; sites: Presence[]; changes: PresenceChange[] }> {
  const [rows, sites, changes] = (await runAll(db, [
    selectTraffic(of, span),
    selectSites(of, now),
    sql`${selectChanges(of, 'site_online', since)} UNION ALL ${selectChanges(of, 'site_offline', since)}`,
  ])) as [HistoryRow[], Flagged<Presence>[], Flagged<PresenceChange>[]];
  return { rows, sites: sites.map(unflag), changes: changes.map(unflag) };
}

type Flagged<T> = Omit<T, 'isOnline'> & { readonly isOnline: number };

function unflag<T extends { readonly isOnline: number }>(row: T): Omit<T, 'isOnline'> & { isOnline: boolean } {
  return { ...row, isOnline: row.isOnline === 1 };
}

function selectChanges({ tenantId, siteId }: HistoryOf, kind: 'site_online' | 'site_offline', since: number): SQL {
  return sql`SELECT subject AS siteId, at, isOnline FROM (SELECT subject, at, ${kind === 'site_online' ? 1 : 0} AS isOnline FROM events
    WHERE tenant_id = ${tenantId} AND kind = ${kind} AND at >= ${since} ${onlyIf(siteId, (id) => sql`AND subject = ${id}`)}
    ORDER BY at DESC LIMIT ${MAX_CHANGES})`;
}

function selectTraffic({ tenantId, siteId, network }: HistoryOf, { first, last, stepsPerPoint }: Span): SQL {
  const firstHour = Math.floor(first / STEPS_PER_HOUR);
  const count = Math.floor(last / STEPS_PER_HOUR) - firstHour + 1;
  const hours = sql`json_each(${JSON.stringify(Array.from({ length: count }, (_, i) => firstHour + i))}) w`;
  // `total`, not `sum`: that fails where integers are too large, and what they are is for agents to say.
  return sql`SELECT CAST(e.value ->> 0 / ${stepsPerPoint} AS INTEGER) AS point, total(e.value ->> 2) AS rxBytes, total(e.value ->> 3) AS txBytes,
      total(e.value ->> 4) AS rxFrames, total(e.value ->> 5) AS txFrames, total(e.value ->> 6) AS drops
    FROM (${siteId === null ? selectSums(tenantId, hours) : selectHours(tenantId, hours, sql`h.site_id = ${siteId}`)}
      UNION ALL SELECT st.samples FROM sites s CROSS JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id
        WHERE s.tenant_id = ${tenantId} ${onlyIf(siteId, (id) => sql`AND s.id = ${id}`)}) kept
    CROSS JOIN json_each(kept.samples) e
    WHERE e.value ->> 0 BETWEEN ${first} AND ${last} ${onlyIf(network, ({ vni }) => sql`AND e.value ->> 1 = ${vni}`)}
    GROUP BY point ORDER BY point`;
}

/** Of an hour that is summed up the sum, of another what each site has. */
function selectSums(tenantId: string, hours: SQL): SQL {
  const isSummed = sql`EXISTS (SELECT 1 FROM site_history r WHERE r.tenant_id = ${tenantId} AND r.hour = w.value
    AND r.site_id = ${SUM_OF_SITES})`;
  return sql`${selectHours(tenantId, hours, sql`h.site_id = ${SUM_OF_SITES}`)}
    UNION ALL ${selectHours(tenantId, hours, sql`NOT ${isSummed}`)}`;
}

function selectHours(tenantId: string, hours: SQL, which: SQL): SQL {
  return sql`SELECT h.samples AS samples FROM ${hours} CROSS JOIN site_history h ON h.tenant_id = ${tenantId} AND h.hour = w.value
    WHERE ${which}`;
}

function selectSites({ tenantId, siteId, network }: HistoryOf, now: number): SQL {
  const carries = ({ id }: { readonly id: string }): SQL =>
    sql`AND EXISTS (SELECT 1 FROM attachments a WHERE a.tenant_id = ${tenantId} AND a.network_id = ${id} AND a.site_id = s.id
      AND a.state <> 'gone')`;
  return sql`SELECT s.id AS siteId, s.created_at AS since, coalesce(st.online_until >= ${now}, 0) AS isOnline
    FROM sites s LEFT JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id
    WHERE s.tenant_id = ${tenantId} AND s.kind = 'agent' ${onlyIf(siteId, (id) => sql`AND s.id = ${id}`)} ${onlyIf(network, carries)}`;
}

function onlyIf<T>(value: T | null, condition: (value: T) => SQL): SQL {
  return value === null ? sql`` : condition(value);
}

/**
 * Forgets hours from before `before` (a number since 1970): the oldest first, so that none of them is looked for.
 *
 * @returns how many; `limit` means there may be more.
 */
export async function purgeHistory(db: Database, before: number, limit: number = PURGE_LIMIT): Promise<number> {
  const gone = await db.all(sql`DELETE FROM site_history WHERE hour < ${before}
    AND rowid IN (SELECT rowid FROM site_history ORDER BY rowid
      LIMIT (CASE WHEN (SELECT hour FROM site_history ORDER BY rowid LIMIT 1) < ${before} THEN ${limit} ELSE 0 END)) RETURNING 1`);
  return gone.length;
}
