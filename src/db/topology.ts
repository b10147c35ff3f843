/** A tenant's sites, networks and attachments whole, of one moment, with how far each site said it has come. */
import { sql } from 'drizzle-orm';
import type { SiteKind } from '../contract/sites.ts';
import type { Standing } from '../domain/standing.ts';
import { type Database, runAll } from './database.ts';

export interface TopologySite {
  readonly id: string;
  readonly name: string;
  readonly kind: SiteKind;
  readonly disabled: boolean;
  readonly hash: number;
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

export interface TopologyNetwork {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly subnet: string | null;
  readonly description: string | null;
  readonly macs: number;
  readonly revision: number;
  readonly digest: number;
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

export async function readTopology(db: Database, tenantId: string): Promise<TopologyRows> {
  const [tenants, sites, networks, attachments, reports] = (await runAll(db, [
    sql`SELECT revision FROM tenants WHERE id = ${tenantId}`,
    sql`SELECT s.id AS id, s.name AS name, s.kind AS kind, s.disabled AS disabled, s.hash AS hash, s.vtep_address AS vtepAddress,
        s.vtep_port AS vtepPort, s.labels AS labels, s.place AS place, s.created_at AS createdAt, st.version AS version,
        st.last_seen AS lastSeen, st.online_until AS onlineUntil, st.behind_since AS behindSince
      FROM sites s LEFT JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id
      WHERE s.tenant_id = ${tenantId} ORDER BY s.name`,
    sql`SELECT id, name, vni, subnet, description, mac_count AS macs, revision, digest FROM networks
      WHERE tenant_id = ${tenantId} ORDER BY name`,
    sql`SELECT a.site_id AS siteId, a.network_id AS networkId, a.state = 'live' AS isLive, max(n.revision, a.revision) AS revision, a.vni AS vni
      FROM networks n CROSS JOIN attachments a ON a.network_id = n.id
      WHERE n.tenant_id = ${tenantId} AND a.tenant_id = ${tenantId} AND a.state <> 'gone'`,
    // Of the reports only what tells where the site is: the counters are most of them.
    sql`SELECT st.site_id AS siteId, r.value ->> 'vni' AS vni, r.value ->> 'revision' AS revision, r.value ->> 'digest' AS digest,
        r.value ->> 'error' AS error, r.value ->> 'heldRemovals' AS heldRemovals
      FROM sites s CROSS JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id CROSS JOIN json_each(st.report) r
      WHERE s.tenant_id = ${tenantId}`,
  ])) as [{ revision: number }[], SiteRow[], TopologyNetwork[], AttachmentRow[], ReportRow[]];
  const saidOf = new Map(reports.map(({ siteId, vni, ...said }) => [`${siteId} ${vni}`, said]));
  return {
    revision: tenants[0]?.revision ?? 0,
    sites: sites.map((row) => ({
      ...row,
      disabled: row.disabled === 1,
      labels: JSON.parse(row.labels) as Record<string, string>,
    })),
    networks,
    attachments: attachments.map(({ vni, isLive, ...row }) => ({
      ...row,
      isLive: isLive === 1,
      said: saidOf.get(`${row.siteId} ${vni}`) ?? null,
    })),
  };
}

type SiteRow = Omit<TopologySite, 'disabled' | 'labels'> & { readonly disabled: number; readonly labels: string };

interface AttachmentRow {
  readonly siteId: string;
  readonly networkId: string;
  readonly isLive: number;
  readonly revision: number;
  readonly vni: number;
}

interface ReportRow extends NonNullable<Standing['said']> {
  readonly siteId: string;
  readonly vni: number;
}
