/**
 * Which site carries which network, and what a change of that does to revisions, tombstones and digests.
 *
 * The conditions stand in the SQL itself, not in what was read before: a double attach counts once in the digest, and takes one revision.
 * Order within a batch matters: the network's digest is moved before the attachment's state, which it is decided by.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { PortSpec } from '../contract/port.ts';
import type { Transport } from '../contract/wireguard.ts';
import { type Database, runAll, write } from './database.ts';
import { recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { dropHiddenMacs, hideMacs, showMacs, showMacsIn } from './macs-of-site.ts';
import { pictureOfAttachment } from './pictures.ts';
import { DIGEST_MASK, revision, takeRevision } from './revision.ts';

export interface AttachmentRow {
  readonly state: 'live' | 'disabled' | 'gone';
  readonly vni: number;
  /** JSON of a PortSpec. */
  readonly port: string;
  readonly revision: number;
}

interface Place {
  readonly tenantId: string;
  readonly networkId: string;
  readonly siteId: string;
}

/**
 * Attaches the site, or gives its attachment another port; with the same port nothing changes.
 *
 * @returns the attachment, and whether it is new. @throws Refusal `not_found`, `transport_not_for_site`.
 */
export async function attach(
  db: Database,
  place: Place,
  port: PortSpec,
): Promise<{ row: AttachmentRow; isNew: boolean }> {
  const text = JSON.stringify(port);
  const { tenantId, networkId, siteId } = place;
  const select = sql`SELECT state, vni, port, revision FROM attachments WHERE ${at(place)}`;
  const unchanged = sql`EXISTS (SELECT 1 FROM attachments WHERE ${at(place)} AND state <> 'gone' AND port = ${text})`;
  const becomesLive = sql`NOT EXISTS (SELECT 1 FROM attachments WHERE ${at(place)} AND state = 'live')
    AND EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${siteId} AND NOT disabled)`;
  const writes = [
    guard(
      'not_found',
      sql`EXISTS (SELECT 1 FROM networks WHERE tenant_id = ${tenantId} AND id = ${networkId})
      AND EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${siteId})`,
    ),
    guard(
      'transport_not_for_site',
      sql`NOT EXISTS (SELECT 1 FROM networks n JOIN sites s ON s.tenant_id = n.tenant_id
      WHERE n.tenant_id = ${tenantId} AND n.id = ${networkId} AND n.transport <> 'plain' AND s.id = ${siteId} AND s.kind = 'static')`,
    ),
    sql`${takeRevision(tenantId)} AND NOT ${unchanged}`,
    ...recordEvent(db, tenantId, {
      kind: 'site_attached',
      subject: siteId,
      before: pictureOfAttachment(tenantId, networkId, siteId),
      after: sql`json_object('network', id, 'vni', vni, 'port', json(${text}))`,
      from: sql`FROM networks WHERE tenant_id = ${tenantId} AND id = ${networkId} AND NOT ${unchanged}`,
    }),
    sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (digest + ${siteHash(tenantId, siteId)}) & ${DIGEST_MASK}
      WHERE tenant_id = ${tenantId} AND id = ${networkId} AND ${becomesLive}`,
    ...showMacsIn(place, becomesLive),
    // A disabled site's attachment is seen by no one, so it is stamped only when its site is enabled.
    sql`INSERT INTO attachments (tenant_id, network_id, site_id, vni, port, state, attached_revision, revision)
      SELECT s.tenant_id, n.id, s.id, n.vni, ${text}, iif(s.disabled, 'disabled', 'live'),
        iif(s.disabled, 0, ${revision(tenantId)}), iif(s.disabled, 0, ${revision(tenantId)})
      FROM sites s JOIN networks n ON n.tenant_id = s.tenant_id
      WHERE s.tenant_id = ${tenantId} AND s.id = ${siteId} AND n.id = ${networkId} AND NOT ${unchanged}
      ON CONFLICT (network_id, site_id) DO UPDATE SET port = excluded.port, state = excluded.state, gone_at = NULL,
        intended = iif(excluded.state = 'live', 0, attachments.intended),
        attached_revision = iif(attachments.state = 'live' OR excluded.state = 'disabled',
          attachments.attached_revision, excluded.attached_revision),
        revision = iif(excluded.state = 'disabled', attachments.revision, excluded.revision)`,
  ];
  const results = await runAll(db, [select, ...writes, select]);
  const [before] = results[0] as AttachmentRow[];
  const [row] = results.at(-1) as AttachmentRow[];
  return { row: row!, isNew: before === undefined || before.state === 'gone' };
}

/** @throws Refusal `not_found` where the site isn't attached. */
export async function detach(db: Database, place: Place, now: number): Promise<void> {
  const { tenantId, networkId, siteId } = place;
  const attached = sql`EXISTS (SELECT 1 FROM attachments WHERE ${at(place)} AND state <> 'gone')`;
  const live = sql`EXISTS (SELECT 1 FROM attachments WHERE ${at(place)} AND state = 'live')`;
  await write(db, [
    guard('not_found', attached),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, {
      kind: 'site_detached',
      subject: siteId,
      before: pictureOfAttachment(tenantId, networkId, siteId),
    }),
    sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (digest - ${siteHash(tenantId, siteId)}) & ${DIGEST_MASK}
      WHERE tenant_id = ${tenantId} AND id = ${networkId} AND ${live}`,
    ...hideMacs(place, now),
    sql`UPDATE attachments SET ${becomeGone(tenantId, now)} WHERE ${at(place)} AND state <> 'gone'`,
  ]);
}

/** Takes the site out of its networks for its peers; it keeps its attachments. For a site that is being disabled. */
export function hideSite(tenantId: string, siteId: string, now: number): SQL[] {
  return [
    moveDigests(tenantId, siteId, 'live', sql`digest - ${siteHash(tenantId, siteId)}`),
    ...hideMacs({ tenantId, siteId }, now),
    sql`UPDATE attachments SET state = 'disabled', intended = 1, revision = ${revision(tenantId)}
      WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state = 'live'`,
  ];
}

/** The reverse, for a site that is being enabled. */
export function showSite(tenantId: string, siteId: string): SQL[] {
  return [
    moveDigests(tenantId, siteId, 'disabled', sql`digest + ${siteHash(tenantId, siteId)}`),
    ...showMacs({ tenantId, siteId }),
    sql`UPDATE attachments SET state = 'live', intended = 0, revision = ${revision(tenantId)}, attached_revision = ${revision(tenantId)}
      WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state = 'disabled'`,
  ];
}

/**
 * Tells the peers in its networks of that transport where the site is now, as an entry whose hash is `hash`. Must come before the site's own
 * row is changed. `anew`: the site was told nothing of these networks, and shall now be told all.
 */
export function moveSite(tenantId: string, siteId: string, transport: Transport, hash: number, anew = false): SQL[] {
  const ofTransport = sql`network_id IN (SELECT id FROM networks WHERE tenant_id = ${tenantId} AND transport = ${transport})`;
  return [
    moveDigests(tenantId, siteId, 'live', sql`digest - ${siteHash(tenantId, siteId)} + ${hash}`, ofTransport),
    sql`UPDATE attachments SET revision = ${revision(tenantId)}${anew ? sql`, attached_revision = ${revision(tenantId)}` : sql``}
      WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state = 'live' AND ${ofTransport}`,
  ];
}

/**
 * Gives the network another transport for all of its sites, each of which is told all of it anew. Must come before the network's own row is
 * changed. @returns also what its digest will be.
 */
export function changeTransport(tenantId: string, networkId: string, to: Transport): { writes: SQL[]; digest: SQL } {
  const sum = (hash: SQL): SQL => sql`(SELECT coalesce(sum(${hash}), 0) FROM attachments a
    JOIN sites s ON s.id = a.site_id AND s.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId} AND a.network_id = ${networkId} AND a.state = 'live')`;
  const [plain, tunnel] = [sum(sql`s.hash`), sum(sql`coalesce(s.tunnel_hash, 0)`)];
  const change = to === 'plain' ? sql`${plain} - ${tunnel}` : sql`${tunnel} - ${plain}`;
  return {
    writes: [
      guard(
        'transport_not_for_site',
        sql`${to} = 'plain' OR NOT EXISTS (SELECT 1 FROM attachments a JOIN sites s ON s.id = a.site_id AND s.tenant_id = a.tenant_id
        WHERE a.tenant_id = ${tenantId} AND a.network_id = ${networkId} AND a.state <> 'gone' AND s.kind = 'static')`,
      ),
      sql`UPDATE attachments SET revision = ${revision(tenantId)}, attached_revision = ${revision(tenantId)}
        WHERE tenant_id = ${tenantId} AND network_id = ${networkId} AND state = 'live'`,
    ],
    digest: sql`(digest + ${change}) & ${DIGEST_MASK}`,
  };
}

/** Leaves tombstones of all the site's attachments. Must come before the site's own row goes. */
export function detachSite(tenantId: string, siteId: string, now: number): SQL[] {
  return [
    moveDigests(tenantId, siteId, 'live', sql`digest - ${siteHash(tenantId, siteId)}`),
    ...hideMacs({ tenantId, siteId }, now),
    ...dropHiddenMacs({ tenantId, siteId }, now),
    sql`UPDATE attachments SET ${becomeGone(tenantId, now)}
      WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state <> 'gone'`,
  ];
}

/**
 * Leaves tombstones of all the network's attachments, whose network goes in the same batch. Its MACs leave none: whoever has them drops
 * them with the network.
 */
export function detachNetwork(tenantId: string, networkId: string, now: number): SQL[] {
  return [
    sql`DELETE FROM macs WHERE tenant_id = ${tenantId} AND network_id = ${networkId}`,
    sql`UPDATE attachments SET ${becomeGone(tenantId, now)}
      WHERE tenant_id = ${tenantId} AND network_id = ${networkId} AND state <> 'gone'`,
  ];
}

/** Attaches a site that was just made, and has no attachment yet, to those of `networks` that still are. */
export function attachNewSite(
  tenantId: string,
  siteId: string,
  networks: readonly { network: string; port: PortSpec }[],
): SQL[] {
  const wanted = JSON.stringify(networks);
  return [
    sql`INSERT INTO attachments (tenant_id, network_id, site_id, vni, port, state, attached_revision, revision)
      SELECT n.tenant_id, n.id, ${siteId}, n.vni, w.value ->> 'port', 'live', ${revision(tenantId)}, ${revision(tenantId)}
      FROM json_each(${wanted}) w JOIN networks n ON n.id = w.value ->> 'network' WHERE n.tenant_id = ${tenantId}`,
    moveDigests(tenantId, siteId, 'live', sql`digest + ${siteHash(tenantId, siteId)}`),
  ];
}

function moveDigests(
  tenantId: string,
  siteId: string,
  state: 'live' | 'disabled',
  digest: SQL,
  where: SQL = sql`TRUE`,
): SQL {
  return sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (${digest}) & ${DIGEST_MASK}
    WHERE tenant_id = ${tenantId} AND id IN (SELECT network_id FROM attachments
      WHERE tenant_id = ${tenantId} AND site_id = ${siteId} AND state = ${state} AND ${where})`;
}

/**
 * Peers of a disabled site saw it go when it was disabled: its tombstone keeps that revision. Every caller is a person's API call, which is
 * what `intended` says.
 */
function becomeGone(tenantId: string, now: number): SQL {
  return sql`state = 'gone', gone_at = ${now}, intended = 1, revision = iif(state = 'live', ${revision(tenantId)}, revision)`;
}

function at({ tenantId, networkId, siteId }: Place): SQL {
  return sql`tenant_id = ${tenantId} AND network_id = ${networkId} AND site_id = ${siteId}`;
}

/** What the site adds to the digest of the row of `networks` that is being updated. */
function siteHash(tenantId: string, siteId: string): SQL {
  return sql`(SELECT iif(networks.transport = 'plain', s.hash, coalesce(s.tunnel_hash, 0)) FROM sites s
    WHERE s.tenant_id = ${tenantId} AND s.id = ${siteId})`;
}
