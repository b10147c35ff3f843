/**
 * What becomes of a site's MACs when it comes or goes: those that its agent announced go with it, since it will announce them again; those
 * that a person set are hidden, and shown when the site is back. Only with the site itself do those go too.
 *
 * For the batches that change attachments, whose states must still be the old ones when these statements run.
 */
import { type SQL, sql } from 'drizzle-orm';
import { DIGEST_MASK, revision } from './revision.ts';

/** A site in one network, or in all of those where it is. */
export interface SiteMacs {
  readonly tenantId: string;
  readonly siteId: string;
  readonly networkId?: string;
}

/**
 * The sum, modulo 2^48, of hashes over a group of rows: an aggregate expression. A network may have so many that their plain sum would
 * leave SQLite's 64 bits, which is an error there, so their halves are summed apart.
 */
export function sumOfHashes(hash: SQL): SQL {
  return sql`(((sum(${hash} >> 24) & 0xffffff) << 24) + sum(${hash} & 0xffffff))`;
}

/** The site is about to be live no more. Reads all MACs of the networks where it is. */
export function hideMacs(of: SiteMacs, now: number): SQL[] {
  const { tenantId, siteId } = of;
  const going = sql`tenant_id = ${tenantId} AND network_id IN (${networksWhere(of, 'live')}) AND site_id = ${siteId} AND state = 'live'`;
  return [
    sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (digest - gone.hashes) & ${DIGEST_MASK}, mac_count = mac_count - gone.count
      FROM (SELECT network_id, ${sumOfHashes(sql`hash`)} AS hashes, count(*) - sum(sticky) AS count FROM macs
        WHERE ${going} GROUP BY network_id) AS gone
      WHERE networks.id = gone.network_id AND networks.tenant_id = ${tenantId}`,
    sql`UPDATE macs SET state = iif(sticky, 'hidden', 'gone'), gone_at = iif(sticky, NULL, ${now}), revision = ${revision(tenantId)},
        moves = 0, frozen_until = NULL
      WHERE ${going}`,
  ];
}

/** The site is about to be live, where its attachments are `disabled`. */
export function showMacs(of: SiteMacs): SQL[] {
  return show(of, sql`network_id IN (${networksWhere(of, 'disabled')})`);
}

/** The site is about to be live in one network, where `becomesLive` is true. */
export function showMacsIn(of: SiteMacs & { readonly networkId: string }, becomesLive: SQL): SQL[] {
  return show(of, sql`network_id = ${of.networkId} AND ${becomesLive}`);
}

function show({ tenantId, siteId }: SiteMacs, where: SQL): SQL[] {
  const coming = sql`tenant_id = ${tenantId} AND site_id = ${siteId} AND sticky = 1 AND state = 'hidden' AND ${where}`;
  return [
    sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (digest + told.hashes) & ${DIGEST_MASK}
      FROM (SELECT network_id, ${sumOfHashes(sql`hash`)} AS hashes FROM macs INDEXED BY macs_sticky WHERE ${coming} GROUP BY network_id) AS told
      WHERE networks.id = told.network_id AND networks.tenant_id = ${tenantId}`,
    sql`UPDATE macs INDEXED BY macs_sticky SET state = 'live', revision = ${revision(tenantId)} WHERE ${coming}`,
  ];
}

/** The site is about to be deleted: what `hideMacs` left of it goes. */
export function dropHiddenMacs({ tenantId, siteId }: SiteMacs, now: number): SQL[] {
  const left = sql`tenant_id = ${tenantId} AND site_id = ${siteId} AND sticky = 1`;
  return [
    sql`UPDATE networks SET mac_count = mac_count - gone.count
      FROM (SELECT network_id, count(*) AS count FROM macs INDEXED BY macs_sticky WHERE ${left} GROUP BY network_id) AS gone
      WHERE networks.id = gone.network_id AND networks.tenant_id = ${tenantId}`,
    sql`UPDATE macs INDEXED BY macs_sticky SET state = 'gone', gone_at = ${now}, sticky = 0 WHERE ${left}`,
  ];
}

function networksWhere({ tenantId, siteId, networkId }: SiteMacs, state: 'live' | 'disabled'): SQL {
  const of = networkId === undefined ? sql`` : sql`AND network_id = ${networkId}`;
  return sql`SELECT network_id FROM attachments
    WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state = ${state} ${of}`;
}
