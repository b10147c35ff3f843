/** The rows of a site's table, all of one moment: one batch is one transaction. */
import { type SQL, sql } from 'drizzle-orm';
import type { PortSpec } from '../contract/port.ts';
import type { AntiSpoofMode, FloodMode } from '../contract/table.ts';
import type { Transport } from '../contract/wireguard.ts';
import type { SiteWireguard } from '../domain/site-wireguard.ts';
import type { MacChange, OwnAttachment, PeerAttachment, TableRows } from '../domain/table-update.ts';
import { type Database, runAll } from './database.ts';

export interface TableMoment extends TableRows {
  /** The tenant's revision that these rows are of, and that of the last purged tombstone. */
  readonly revision: number;
  readonly purgedRevision: number;
}

interface Place {
  readonly tenantId: string;
  readonly siteId: string;
}

/** Before any revision: what changed after it is everything. */
const BEGINNING = -1;

/**
 * @param since the revision after which to look; null for everything
 * @returns null where the site is no more.
 */
export async function readTable(db: Database, place: Place, since: number | null): Promise<TableMoment | null> {
  const { tenantId, siteId } = place;
  const after = since ?? BEGINNING;
  const [heads, own, peers, macs] = (await runAll(db, [
    sql`SELECT t.revision AS revision, t.purged_revision AS purgedRevision, s.hash AS hash,
        s.tunnel_hash AS tunnelHash FROM tenants t JOIN sites s ON s.tenant_id = t.id WHERE t.id = ${tenantId} AND s.id = ${siteId}`,
    selectOwn(place, after),
    selectPeers(place, after),
    selectMacs(place, after),
  ])) as [HeadRow[], OwnRow[], PeerRow[], MacRow[]];
  const [head] = heads;
  if (head === undefined) return null;
  const { revision, purgedRevision, ...self } = head;
  return {
    revision,
    purgedRevision,
    self,
    own: own.map(toOwn),
    peers: peers.map(toPeer),
    macs: macs.map(toMac),
  };
}

/** The site's own attachments that changed, and the live ones whose network changed: a seek in an index either way. */
function selectOwn({ tenantId, siteId }: Place, after: number): SQL {
  const columns = sql`a.network_id AS networkId, a.vni AS vni, a.port AS port, a.state = 'live' AS live, a.intended AS intended, a.revision AS ownRevision,
    n.name AS name, n.mtu AS mtu, n.flood AS flood, n.multicast_group AS multicastGroup, n.anti_spoof AS antiSpoof,
    n.arp_suppression AS arpSuppression, n.transport AS transport, n.revision AS networkRevision, n.digest AS digest`;
  const attachmentChanged = sql`SELECT ${columns} FROM attachments a
    LEFT JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId} AND a.site_id = ${siteId} AND a.revision > ${after}`;
  if (after === BEGINNING) return sql`${attachmentChanged} AND a.state = 'live'`;
  return sql`${attachmentChanged} UNION ALL SELECT ${columns} FROM networks n
    CROSS JOIN attachments a ON a.network_id = n.id AND a.site_id = ${siteId}
    WHERE n.tenant_id = ${tenantId} AND n.revision > ${after}
      AND a.tenant_id = ${tenantId} AND a.state = 'live' AND a.revision <= ${after}`;
}

/** Of a network that the site came to carry after the cursor, all live peers and all that went since; else what changed since. */
function selectPeers(place: Place, after: number): SQL {
  const { tenantId, siteId } = place;
  return sql`${withTold(place, after)}
    SELECT o.network_id AS networkId, o.site_id AS siteId, o.state = 'live' AS live, o.intended AS intended,
      s.vtep_address AS address, s.vtep_port AS port, s.wireguard AS wireguard
    FROM told CROSS JOIN attachments o ON ${isTold(sql`o`, after)}
    LEFT JOIN sites s ON s.id = o.site_id AND s.tenant_id = o.tenant_id
    WHERE o.tenant_id = ${tenantId} AND o.site_id <> ${siteId}`;
}

/** Of `m`, for `toMac`. */
export const MAC_COLUMNS = sql`m.network_id AS networkId, m.mac AS mac, m.ip AS ip, m.site_id AS siteId, m.revision AS revision,
  m.sticky AS sticky, m.state = 'live' AS live`;

/** The same of MACs; the site's own are among them. */
function selectMacs(place: Place, after: number): SQL {
  return sql`${withTold(place, after)}
    SELECT ${MAC_COLUMNS} FROM told CROSS JOIN macs m ON ${isTold(sql`m`, after)} WHERE m.tenant_id = ${place.tenantId}`;
}

/** The site's networks in which there is something to tell: `in_full` where it came to carry them after the cursor. */
function withTold({ tenantId, siteId }: Place, after: number): SQL {
  const changedNetworks =
    after === BEGINNING
      ? sql``
      : sql`UNION ALL SELECT n.id, 0 FROM networks n
          CROSS JOIN attachments a ON a.network_id = n.id AND a.site_id = ${siteId}
          WHERE n.tenant_id = ${tenantId} AND n.revision > ${after}
            AND a.tenant_id = ${tenantId} AND a.state = 'live' AND a.revision <= ${after}`;
  return sql`WITH told (network_id, in_full) AS (
      SELECT a.network_id, a.attached_revision > ${after} FROM attachments a
      WHERE a.tenant_id = ${tenantId} AND a.site_id = ${siteId} AND a.revision > ${after} AND a.state = 'live'
        AND (a.attached_revision > ${after} OR EXISTS (SELECT 1 FROM networks n
          WHERE n.id = a.network_id AND n.tenant_id = a.tenant_id AND n.revision > ${after}))
      ${changedNetworks}
    )`;
}

function isTold(row: SQL, after: number): SQL {
  const isNews =
    after === BEGINNING ? sql`${row}.state = 'live'` : sql`(${row}.state = 'live' OR ${row}.revision > ${after})`;
  return sql`${row}.network_id = told.network_id AND ${row}.revision > iif(told.in_full, ${BEGINNING}, ${after}) AND ${isNews}`;
}

interface HeadRow {
  readonly revision: number;
  readonly purgedRevision: number;
  readonly hash: number;
  readonly tunnelHash: number | null;
}

interface OwnRow {
  readonly networkId: string;
  readonly vni: number;
  readonly port: string;
  readonly live: number;
  readonly intended: number;
  readonly ownRevision: number;
  readonly name: string | null;
  readonly mtu: number;
  readonly flood: FloodMode;
  readonly multicastGroup: string | null;
  readonly antiSpoof: AntiSpoofMode;
  readonly arpSuppression: number;
  readonly transport: Transport;
  readonly networkRevision: number;
  readonly digest: number;
}

export interface PeerRow {
  readonly networkId: string;
  readonly siteId: string;
  readonly live: number;
  readonly intended: number;
  readonly address: string;
  readonly port: number;
  /** JSON of a SiteWireguard. */
  readonly wireguard: string | null;
}

export interface MacRow {
  readonly networkId: string;
  readonly mac: string;
  readonly ip: string | null;
  readonly siteId: string;
  readonly revision: number;
  readonly sticky: number;
  readonly live: number;
}

function toOwn(row: OwnRow): OwnAttachment {
  return {
    networkId: row.networkId,
    vni: row.vni,
    port: JSON.parse(row.port) as PortSpec,
    live: row.live === 1,
    intended: row.intended === 1,
    revision: row.ownRevision,
    network:
      row.name === null
        ? null
        : {
            name: row.name,
            mtu: row.mtu,
            flood: row.flood,
            multicastGroup: row.multicastGroup,
            antiSpoof: row.antiSpoof,
            arpSuppression: row.arpSuppression === 1,
            transport: row.transport,
            revision: row.networkRevision,
            digest: row.digest,
          },
  };
}

export function toPeer({ networkId, siteId, live, intended, address, port, wireguard }: PeerRow): PeerAttachment {
  const where = (): PeerAttachment['where'] => ({
    address,
    port,
    wireguard: wireguard === null ? null : (JSON.parse(wireguard) as SiteWireguard),
  });
  return { networkId, siteId, where: live === 1 ? where() : null, intended: intended === 1 };
}

export function toMac({ networkId, mac, ip, siteId, revision, sticky, live }: MacRow): MacChange {
  if (live === 0) return { networkId, mac, row: null };
  return {
    networkId,
    mac,
    row: { mac, ...(ip === null ? {} : { ip }), site: siteId, seq: revision, sticky: sticky === 1 },
  };
}
