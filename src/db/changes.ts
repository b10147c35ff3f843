/**
 * All that changed in a tenant after a revision, as far as it concerns some of its sites: read once, however many sites are then told.
 * One batch is one transaction, so all rows are of one moment.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { PortSpec } from '../contract/port.ts';
import type { AntiSpoofMode, FloodMode } from '../contract/table.ts';
import type { Transport } from '../contract/wireguard.ts';
import type { CarrierRow, ChangedMac, ChangedPeer, TenantChanges, WatchedSite } from '../domain/fan-out.ts';
import type { NetworkHeader } from '../domain/table-update.ts';
import { type Database, runAll } from './database.ts';
import { MAC_COLUMNS, type MacRow, type PeerRow, toMac, toPeer } from './tables.ts';

/** More changes than this are not worth telling one by one. */
export const MAX_CHANGES = 5000;

/**
 * @param siteIds the sites that are to be told
 * @returns null where the tenant is no more.
 */
export async function readChanges(
  db: Database,
  tenantId: string,
  siteIds: readonly string[],
  since: number,
): Promise<TenantChanges | null> {
  const wanted = sql`json_each(${JSON.stringify(siteIds)}) w`;
  const ownChanged = sql`${wanted} CROSS JOIN attachments a ON a.site_id = w.value AND a.revision > ${since}`;
  const [heads, sites, networks, carriers, peers, macs] = (await runAll(db, [
    sql`SELECT revision, purged_revision AS purgedRevision FROM tenants WHERE id = ${tenantId}`,
    sql`SELECT s.id AS siteId, s.hash AS hash, s.tunnel_hash AS tunnelHash, s.disabled AS disabled, s.public_key AS publicKey
      FROM ${wanted} CROSS JOIN sites s ON s.id = w.value WHERE s.tenant_id = ${tenantId}`,
    selectNetworks(tenantId, since, ownChanged),
    selectCarriers(tenantId, since, ownChanged),
    sql`SELECT a.network_id AS networkId, a.site_id AS siteId, a.revision AS revision, a.state = 'live' AS live, a.intended AS intended,
        s.vtep_address AS address, s.vtep_port AS port, s.wireguard AS wireguard
      FROM networks n CROSS JOIN attachments a ON a.network_id = n.id AND a.revision > ${since}
      LEFT JOIN sites s ON s.id = a.site_id AND s.tenant_id = a.tenant_id
      WHERE n.tenant_id = ${tenantId} AND n.revision > ${since} AND a.tenant_id = ${tenantId} LIMIT ${MAX_CHANGES + 1}`,
    sql`SELECT ${MAC_COLUMNS} FROM networks n CROSS JOIN macs m ON m.network_id = n.id AND m.revision > ${since}
      WHERE n.tenant_id = ${tenantId} AND n.revision > ${since} AND m.tenant_id = ${tenantId} LIMIT ${MAX_CHANGES + 1}`,
  ])) as [HeadRow[], SiteRow[], NetworkRow[], OwnRow[], ChangedPeerRow[], MacRow[]];
  const [head] = heads;
  if (head === undefined) return null;
  return {
    ...head,
    isTooMuch: peers.length + macs.length > MAX_CHANGES,
    sites: new Map(sites.map((site) => [site.siteId, toSite(site)])),
    networks: new Map(networks.map((network) => [network.networkId, toHeader(network)])),
    carriers: Map.groupBy(carriers.map(toCarrier), ({ siteId }) => siteId),
    peers: Map.groupBy(peers.map(toChangedPeer), ({ networkId }) => networkId),
    macs: Map.groupBy(macs.map(toChangedMac), ({ networkId }) => networkId),
  };
}

/** @returns the tenant's revision, or null where it is no more: one row. */
export async function readRevision(db: Database, tenantId: string): Promise<number | null> {
  const [row] = await db.all<{ revision: number }>(sql`SELECT revision FROM tenants WHERE id = ${tenantId}`);
  return row?.revision ?? null;
}

/** The headers of networks that changed, and of those where only a watched site's own attachment did. */
function selectNetworks(tenantId: string, since: number, ownChanged: SQL): SQL {
  const columns = sql`n.id AS networkId, n.name AS name, n.mtu AS mtu, n.flood AS flood, n.multicast_group AS multicastGroup,
    n.anti_spoof AS antiSpoof, n.arp_suppression AS arpSuppression, n.transport AS transport, n.revision AS revision, n.digest AS digest`;
  return sql`SELECT ${columns} FROM networks n WHERE n.tenant_id = ${tenantId} AND n.revision > ${since}
    UNION SELECT ${columns} FROM ${ownChanged} JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId}`;
}

/** The watched sites' own attachments that changed, and everyone's live ones to the networks that did. */
function selectCarriers(tenantId: string, since: number, ownChanged: SQL): SQL {
  const columns = sql`a.network_id AS networkId, a.site_id AS siteId, a.vni AS vni, a.port AS port, a.state = 'live' AS live,
    a.intended AS intended, a.attached_revision AS attachedRevision, a.revision AS revision`;
  return sql`SELECT ${columns} FROM ${ownChanged} WHERE a.tenant_id = ${tenantId}
    UNION ALL SELECT ${columns} FROM networks n CROSS JOIN attachments a ON a.network_id = n.id AND a.revision <= ${since}
    WHERE n.tenant_id = ${tenantId} AND n.revision > ${since} AND a.tenant_id = ${tenantId} AND a.state = 'live'`;
}

interface HeadRow {
  readonly revision: number;
  readonly purgedRevision: number;
}

interface SiteRow {
  readonly siteId: string;
  readonly hash: number;
  readonly tunnelHash: number | null;
  readonly disabled: number;
  readonly publicKey: string | null;
}

interface NetworkRow {
  readonly networkId: string;
  readonly name: string;
  readonly mtu: number;
  readonly flood: FloodMode;
  readonly multicastGroup: string | null;
  readonly antiSpoof: AntiSpoofMode;
  readonly arpSuppression: number;
  readonly transport: Transport;
  readonly revision: number;
  readonly digest: number;
}

interface OwnRow {
  readonly networkId: string;
  readonly siteId: string;
  readonly vni: number;
  readonly port: string;
  readonly live: number;
  readonly intended: number;
  readonly attachedRevision: number;
  readonly revision: number;
}

interface ChangedPeerRow extends PeerRow {
  readonly revision: number;
}

function toSite({ hash, tunnelHash, disabled, publicKey }: SiteRow): WatchedSite {
  return { hash, tunnelHash, disabled: disabled === 1, publicKey };
}

function toHeader({ networkId: _, ...row }: NetworkRow): NetworkHeader {
  return { ...row, arpSuppression: row.arpSuppression === 1 };
}

function toCarrier(row: OwnRow): CarrierRow {
  return { ...row, port: JSON.parse(row.port) as PortSpec, live: row.live === 1, intended: row.intended === 1 };
}

function toChangedPeer(row: ChangedPeerRow): ChangedPeer {
  return { ...toPeer(row), revision: row.revision };
}

function toChangedMac(row: MacRow): ChangedMac {
  return { ...toMac(row), revision: row.revision };
}
