/** What sites publish of WireGuard, and who forwards by it yet. */
import { and, eq, sql } from 'drizzle-orm';
import { hashTunnel, type SiteWireguard } from '../domain/site-wireguard.ts';
import { moveSite } from './attachments.ts';
import { type Database, write } from './database.ts';
import { recordChange } from './events.ts';
import { guard } from './guards.ts';
import { pictureOfSite } from './pictures.ts';
import { revision, takeRevision } from './revision.ts';
import { sites } from './schema.ts';
import type { SiteRow } from './sites.ts';

/**
 * Keeps what the site says, and tells its peers; what is there already changes nothing.
 *
 * @throws Refusal `key_taken`, `not_found`.
 */
export async function publishWireguard(
  db: Database,
  site: SiteRow,
  said: Omit<SiteWireguard, 'revision'>,
): Promise<void> {
  if (site.wireguard !== null && isSame(site.wireguard, said)) return;
  const { tenantId, id } = site;
  const mine = and(eq(sites.tenantId, tenantId), eq(sites.id, id))!;
  const hash = hashTunnel(id, { ...said, revision: 0 });
  const keys = JSON.stringify(said.keys.map(({ publicKey }) => publicKey));
  const picture = pictureOfSite(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'site_wireguard_changed', subject: id, picture });
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${id})`),
    guard(
      'wireguard_key_taken',
      sql`NOT EXISTS (SELECT 1 FROM sites s, json_each(s.wireguard, '$.keys') k
      WHERE s.tenant_id = ${tenantId} AND s.id <> ${id} AND k.value ->> 'publicKey' IN (SELECT value FROM json_each(${keys})))`,
    ),
    takeRevision(tenantId),
    ...before,
    ...moveSite(tenantId, id, 'wireguard', hash, site.tunnelHash === null),
    db
      .update(sites)
      .set({ wireguard: sql`json_set(${JSON.stringify(said)}, '$.revision', ${revision(tenantId)})`, tunnelHash: hash })
      .where(mine),
    after,
  ]);
}

/**
 * A site that gave no address is where its requests come from: keeps that for its peers where it is another than before.
 * @returns whether it is.
 */
export async function followSite(db: Database, site: SiteRow, seen: string | null): Promise<boolean> {
  const { wireguard } = site;
  if (wireguard === null || wireguard.isGiven || seen === null || seen === wireguard.address) return false;
  await publishWireguard(db, site, { keys: wireguard.keys, address: seen, isGiven: false });
  return true;
}

/** @returns how many sites that share an encrypted network with it have not said yet that they have its newest keys. */
export async function countWaitingFor(db: Database, tenantId: string, siteId: string): Promise<number> {
  const [row] = await db.all<{ count: number }>(sql`SELECT count(DISTINCT o.site_id) AS count
    FROM sites s JOIN attachments a ON a.site_id = s.id AND a.tenant_id = s.tenant_id AND a.state = 'live'
    JOIN networks n ON n.id = a.network_id AND n.tenant_id = s.tenant_id AND n.transport = 'wireguard'
    JOIN attachments o ON o.network_id = n.id AND o.tenant_id = s.tenant_id AND o.site_id <> s.id AND o.state = 'live'
    JOIN sites p ON p.id = o.site_id AND p.tenant_id = s.tenant_id AND p.wireguard IS NOT NULL
    LEFT JOIN site_status st ON st.site_id = o.site_id AND st.tenant_id = s.tenant_id
    WHERE s.tenant_id = ${tenantId} AND s.id = ${siteId} AND s.wireguard IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM json_each(st.standing) r
        WHERE r.value ->> 0 = n.vni AND r.value ->> 1 >= s.wireguard ->> 'revision')`);
  return row?.count ?? 0;
}

function isSame(a: SiteWireguard, b: Omit<SiteWireguard, 'revision'>): boolean {
  return JSON.stringify([a.keys, a.address, a.isGiven]) === JSON.stringify([b.keys, b.address, b.isGiven]);
}
