import { type SQL, sql } from 'drizzle-orm';
import type { NetworkSum } from '../domain/site-wireguard.ts';
import type { Database } from './database.ts';

export interface SiteNetworkRow extends NetworkSum {
  readonly siteId: string;
  readonly networkId: string;
  readonly name: string;
  readonly vni: number;
  /** JSON of a PortSpec. */
  readonly port: string;
  readonly live: number;
  /** What the site's table of this network should say. */
  readonly revision: number;
}

/** The networks of many sites at once, so that a list of sites costs two queries. */
export async function listSiteNetworks(
  db: Database,
  tenantId: string,
  siteIds: readonly string[],
): Promise<Map<string, SiteNetworkRow[]>> {
  const bySite = new Map<string, SiteNetworkRow[]>(siteIds.map((id) => [id, []]));
  if (siteIds.length === 0) return bySite;
  for (const row of await db.all<SiteNetworkRow>(select(tenantId, siteIds))) bySite.get(row.siteId)?.push(row);
  return bySite;
}

function select(tenantId: string, siteIds: readonly string[]): SQL {
  return sql`SELECT a.site_id AS siteId, n.id AS networkId, n.name AS name, n.vni AS vni, a.port AS port,
      a.state = 'live' AS live, max(n.revision, a.revision) AS revision, n.digest AS digest, n.transport AS transport
    FROM json_each(${JSON.stringify(siteIds)}) wanted CROSS JOIN attachments a ON a.site_id = wanted.value
    JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId} AND a.state <> 'gone' ORDER BY n.name`;
}
