/** A tenant's sites, networks and attachments whole, of one moment, with how far each site said it has come. */
import { sql } from 'drizzle-orm';
import type { SiteKind } from '../contract/sites.ts';
import type { NetworkSum, SiteHashes } from '../domain/site-wireguard.ts';
import { type KeptStanding, type Standing, saidIn } from '../domain/standing.ts';
import { type Database, runAll } from './database.ts';

export interface TopologySite extends SiteHashes {
  readonly id: string;
  readonly name: string;
  readonly kind: SiteKind;
  readonly disabled: boolean;
  readonly vtepAddress: string;
  readonly vtepPort: number;
  readonly labels: Record<string, string>;
  readonly place: string | null;
  readonly createdAt: number;
  /** What follows is null of one that never spoke. */
  readonly version: string | null;
  readonly lastSeen: number | null;
  readonly onlineUntil: number | null;
  readonly behindSince: number | null;
}

export interface TopologyNetwork extends NetworkSum {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly subnet: string | null;
  readonly description: string | null;
  readonly macs: number;
  readonly revision: number;
}

/** A site in a network; `applied` is what its agent last said of it. */
export interface TopologyAttachment extends Standing {
  readonly siteId: string;
  readonly networkId: string;
}

export interface TopologyRows {
  readonly revision: number;
  readonly sites: readonly TopologySite[];
  readonly networks: readonly TopologyNetwork[];
  readonly attachments: readonly TopologyAttachment[];
}

/**
 * A row for each site, with its attachments and what it said of them in one column each: as rows of their own they would be the product of
 * sites and networks.
 */
export async function readTopology(db: Database, tenantId: string): Promise<TopologyRows> {
  const [tenants, sites, networks] = (await runAll(db, [
    sql`SELECT revision FROM tenants WHERE id = ${tenantId}`,
    sql`SELECT s.id AS id, s.name AS name, s.kind AS kind, s.disabled AS disabled, s.hash AS hash, s.tunnel_hash AS tunnelHash, s.vtep_address AS vtepAddress,
        s.vtep_port AS vtepPort, s.labels AS labels, s.place AS place, s.created_at AS createdAt, st.version AS version,
        st.last_seen AS lastSeen, st.online_until AS onlineUntil, st.behind_since AS behindSince, coalesce(st.standing, '[]') AS standing,
        (SELECT json_group_array(json_array(a.vni, a.revision, a.state = 'live')) FROM attachments a
          WHERE a.tenant_id = ${tenantId} AND a.site_id = s.id AND a.state <> 'gone') AS carried
      FROM sites s LEFT JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id
      WHERE s.tenant_id = ${tenantId} ORDER BY s.name`,
    sql`SELECT id, name, vni, subnet, description, mac_count AS macs, transport, revision, digest FROM networks
      WHERE tenant_id = ${tenantId} ORDER BY name`,
  ])) as [{ revision: number }[], SiteRow[], TopologyNetwork[]];
  const networkOf = new Map(networks.map((network) => [network.vni, network]));
  return {
    revision: tenants[0]?.revision ?? 0,
    sites: sites.map(({ standing: _, carried: __, ...row }) => ({
      ...row,
      disabled: row.disabled === 1,
      labels: JSON.parse(row.labels) as Record<string, string>,
    })),
    networks,
    attachments: sites.flatMap((site) => attachmentsOf(site, networkOf)),
  };
}

function attachmentsOf(site: SiteRow, networkOf: ReadonlyMap<number, TopologyNetwork>): TopologyAttachment[] {
  const saidOf = new Map((JSON.parse(site.standing) as KeptStanding[]).map((kept) => [kept[0], kept]));
  return (JSON.parse(site.carried) as Carried[]).flatMap(([vni, attachedRevision, isLive]) => {
    const network = networkOf.get(vni);
    if (network === undefined) return [];
    const said = saidOf.get(vni);
    const revision = Math.max(network.revision, attachedRevision);
    const place = { siteId: site.id, networkId: network.id };
    return [{ ...place, revision, isLive: isLive === 1, said: said === undefined ? null : saidIn(said) }];
  });
}

/** VNI, revision, and 1 where it is live. */
type Carried = readonly [vni: number, revision: number, isLive: number];

interface SiteRow extends Omit<TopologySite, 'disabled' | 'labels'> {
  readonly disabled: number;
  /** JSON, as the two below. */
  readonly labels: string;
  readonly standing: string;
  readonly carried: string;
}
