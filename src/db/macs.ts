/** A network's MAC/IP table as people see and set it. */
import { type SQL, sql } from 'drizzle-orm';
import { hashMac } from '../contract/digest.ts';
import { type Database, runAll, write } from './database.ts';
import { recordChange, recordEvent, recordMacsNear } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { DIGEST_MASK, revision, takeRevision } from './revision.ts';

export interface MacRow {
  readonly mac: string;
  readonly ip: string | null;
  readonly siteId: string;
  readonly siteName: string;
  readonly sticky: number;
  readonly live: number;
  readonly revision: number;
  readonly frozenUntil: number | null;
}

/** One MAC of one network. */
export interface MacPlace {
  readonly tenantId: string;
  readonly networkId: string;
  readonly mac: string;
}

export interface MacFilter {
  readonly mac?: string | undefined;
  readonly ip?: string | undefined;
  readonly siteId?: string | undefined;
  /** How the MAC or the IP address begins, or a part of the site's name. */
  readonly search?: string | undefined;
}

/** By MAC. A look-up by IP or site, and a search, read the network's until they have enough. */
export async function listMacs(
  db: Database,
  network: { readonly tenantId: string; readonly id: string },
  filter: MacFilter,
  page: PageRequest,
): Promise<Page<MacRow>> {
  const { mac, ip, siteId, search } = filter;
  const wanted = [
    ...(mac === undefined ? [] : [sql`m.mac = ${mac}`]),
    ...(ip === undefined ? [] : [sql`m.ip = ${ip}`]),
    ...(siteId === undefined ? [] : [sql`m.site_id = ${siteId}`]),
    ...(search === undefined ? [] : [matches(search.toLowerCase())]),
  ];
  const rows =
    await db.all<MacRow>(sql`${select} WHERE m.tenant_id = ${network.tenantId} AND m.network_id = ${network.id}
    AND m.mac > ${page.after} AND m.state <> 'gone' ${sql.join(wanted.map((condition) => sql`AND ${condition}`))}
    ORDER BY m.mac LIMIT ${page.limit + 1}`);
  return pageOf(rows, page.limit, (row) => row.mac);
}

function matches(text: string): SQL {
  return sql`(instr(m.mac, ${text}) = 1 OR instr(m.ip, ${text}) = 1 OR instr(lower(s.name), ${text}) > 0)`;
}

/**
 * Sets where a MAC is: sticky, whatever agents announce. The same again changes nothing. Where the site is disabled it is hidden.
 *
 * @returns the row, and whether the table had none. @throws Refusal `not_found` where the site is not attached, `quota_exceeded`.
 */
export async function putMac(
  db: Database,
  place: MacPlace,
  { siteId, ip }: { readonly siteId: string; readonly ip: string | null },
): Promise<{ readonly row: MacRow; readonly isNew: boolean }> {
  const { tenantId, networkId, mac } = place;
  const hash = hashMac({ mac, ip: ip ?? undefined, site: siteId, sticky: true });
  const attachment = sql`FROM attachments WHERE tenant_id = ${tenantId} AND network_id = ${networkId} AND site_id = ${siteId}`;
  const isLive = sql`EXISTS (SELECT 1 ${attachment} AND state = 'live')`;
  const isThere = sql`EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND state <> 'gone')`;
  const wasLive = sql`EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND state = 'live')`;
  const unchanged = sql`EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND sticky = 1 AND site_id = ${siteId} AND ip IS ${ip})`;
  const select = selectOne(place);
  const results = await runAll(db, [
    select,
    guard('not_found', sql`EXISTS (SELECT 1 ${attachment} AND state <> 'gone')`),
    guard(
      'quota_exceeded',
      sql`${isThere} OR (SELECT n.mac_count < t.limit_macs_per_network FROM networks n JOIN tenants t ON t.id = n.tenant_id
        WHERE n.tenant_id = ${tenantId} AND n.id = ${networkId})`,
    ),
    sql`${takeRevision(tenantId)} AND NOT ${unchanged}`,
    ...recordEvent(db, tenantId, {
      kind: 'mac_set',
      subject: mac,
      before: pictureOfMac(place),
      after: sql`json_object('network', id, 'site', ${siteId}, 'ip', ${ip}, 'sticky', json('true'))`,
      from: sql`FROM networks WHERE tenant_id = ${tenantId} AND id = ${networkId} AND NOT ${unchanged}`,
    }),
    ...recordMacsNear(db, tenantId, sql`id = ${networkId} AND NOT ${unchanged}`, sql`NOT ${isThere}`),
    sql`UPDATE networks SET mac_count = mac_count + NOT ${isThere},
        mac_rows = mac_rows + NOT EXISTS (SELECT 1 FROM macs WHERE ${at(place)}),
        revision = iif(${isLive} OR ${wasLive}, ${revision(tenantId)}, revision),
        digest = (digest - ${liveHash(place)} + iif(${isLive}, ${hash}, 0)) & ${DIGEST_MASK}
      WHERE tenant_id = ${tenantId} AND id = ${networkId} AND NOT ${unchanged}`,
    // What no agent can see is not stamped: a tombstone that it takes the place of keeps its revision.
    sql`INSERT INTO macs (tenant_id, network_id, mac, ip, site_id, sticky, state, revision, added_revision, hash)
      SELECT ${tenantId}, ${networkId}, ${mac}, ${ip}, ${siteId}, 1, iif(${isLive}, 'live', 'hidden'),
        CASE WHEN ${isLive} OR ${wasLive} THEN ${revision(tenantId)} ELSE coalesce((SELECT revision FROM macs WHERE ${at(place)}), 0) END,
        ${revision(tenantId)}, ${hash}
      WHERE NOT ${unchanged}
      ON CONFLICT (network_id, mac) DO UPDATE SET ip = excluded.ip, site_id = excluded.site_id, sticky = 1, state = excluded.state,
        revision = excluded.revision, hash = excluded.hash, gone_at = NULL, moves = 0, frozen_until = NULL,
        added_revision = iif(macs.state = 'gone', excluded.added_revision, macs.added_revision)`,
    select,
  ]);
  return { row: (results.at(-1) as MacRow[])[0]!, isNew: results[0]!.length === 0 };
}

/** Takes a MAC out of the table, sticky or not; where a station still speaks, its site announces it anew. @throws Refusal `not_found`. */
export async function deleteMac(db: Database, place: MacPlace, now: number): Promise<void> {
  const { tenantId, networkId, mac } = place;
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND state <> 'gone')`),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, { kind: 'mac_deleted', subject: mac, before: pictureOfMac(place) }),
    sql`UPDATE networks SET mac_count = mac_count - 1, digest = (digest - ${liveHash(place)}) & ${DIGEST_MASK},
        revision = iif(EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND state = 'live'), ${revision(tenantId)}, revision)
      WHERE tenant_id = ${tenantId} AND id = ${networkId}`,
    sql`UPDATE macs SET state = 'gone', gone_at = ${now}, sticky = 0, moves = 0, frozen_until = NULL,
        revision = iif(state = 'live', ${revision(tenantId)}, revision)
      WHERE ${at(place)} AND state <> 'gone'`,
  ]);
}

/** Lets a frozen MAC move again. @throws Refusal `not_found` where it isn't frozen. */
export async function unfreezeMac(db: Database, place: MacPlace, now: number): Promise<void> {
  const { tenantId, mac } = place;
  const change = { kind: 'mac_unfrozen', subject: mac, picture: pictureOfMac(place) } as const;
  const [before, after] = recordChange(db, tenantId, change);
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM macs WHERE ${at(place)} AND frozen_until > ${now})`),
    takeRevision(tenantId),
    ...before,
    sql`UPDATE macs SET frozen_until = NULL, moves = 0 WHERE ${at(place)}`,
    after,
  ]);
}

const select = sql`SELECT m.mac AS mac, m.ip AS ip, m.site_id AS siteId, s.name AS siteName, m.sticky AS sticky,
    m.state = 'live' AS live, m.revision AS revision, m.frozen_until AS frozenUntil
  FROM macs m JOIN sites s ON s.id = m.site_id AND s.tenant_id = m.tenant_id`;

function selectOne({ tenantId, networkId, mac }: MacPlace): SQL {
  return sql`${select} WHERE m.tenant_id = ${tenantId} AND m.network_id = ${networkId} AND m.mac = ${mac} AND m.state <> 'gone'`;
}

function at({ tenantId, networkId, mac }: MacPlace): SQL {
  return sql`tenant_id = ${tenantId} AND network_id = ${networkId} AND mac = ${mac}`;
}

/** The hash that the digest has of it, if any. */
function liveHash(place: MacPlace): SQL {
  return sql`coalesce((SELECT hash FROM macs WHERE ${at(place)} AND state = 'live'), 0)`;
}

/** For events; null where the table has none. */
function pictureOfMac(place: MacPlace): SQL {
  return sql`(SELECT json_object('network', network_id, 'site', site_id, 'ip', ip, 'sticky', json(iif(sticky, 'true', 'false')),
      'frozenUntil', strftime('%Y-%m-%dT%H:%M:%fZ', frozen_until / 1000.0, 'unixepoch'))
    FROM macs WHERE ${at(place)} AND state <> 'gone')`;
}
