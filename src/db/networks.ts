import { and, asc, eq, gt, type InferSelectModel, or, type SQL, sql } from 'drizzle-orm';
import { DEFAULT_MTU, type NetworkCreate, type NetworkPatch } from '../contract/networks.ts';
import type { Transport } from '../contract/wireguard.ts';
import { explainUnavailable } from '../domain/vni.ts';
import { changeTransport, detachNetwork } from './attachments.ts';
import { type Database, type Write, write, writeAndRead } from './database.ts';
import { recordChange, recordEvent, recordQuotaNear } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfNetwork } from './pictures.ts';
import { revision, takeRevision } from './revision.ts';
import { networks } from './schema.ts';
import { refusalOf } from './store-error.ts';
import { isFree, lowestFree, quarantine, standingOf, sweepQuarantine, takeLowest, takeOne } from './vni-pool.ts';

export type NetworkRow = InferSelectModel<typeof networks>;

/**
 * Makes a network with the VNI asked for, or the lowest free one, in one batch: numbers can't be given twice, however many ask at once.
 *
 * @throws Refusal `name_taken`, `quota_exceeded`, `transport_required`, `vni_taken`, `vni_quarantined`, `vni_out_of_range`, `vni_exhausted`.
 */
export async function createNetwork(
  db: Database,
  tenantId: string,
  made: { id: string; now: number },
  body: NetworkCreate,
): Promise<NetworkRow> {
  await sweepQuarantine(db, made.now);
  const { vni } = body;
  const insert = sql`INSERT INTO networks (id, tenant_id, name, vni, mtu, subnet, description, anti_spoof, arp_suppression, flood,
      multicast_group, transport, header_revision, revision, created_at)
    SELECT ${made.id}, id, ${body.name}, ${vni ?? lowestFree(tenantId)}, ${body.mtu ?? DEFAULT_MTU}, ${body.subnet ?? null},
      ${body.description ?? null}, ${body.antiSpoof ?? 'vtep'}, ${body.arpSuppression ?? false}, ${body.flood ?? 'headend'},
      ${body.multicastGroup ?? null}, ${body.transport ?? sql`transport`}, revision, revision, ${made.now}
    FROM tenants WHERE id = ${tenantId}`;
  const writes = [
    takeRevision(tenantId),
    sql`UPDATE tenants SET network_count = network_count + 1 WHERE id = ${tenantId}`,
    guard('quota_exceeded', sql`SELECT network_count <= limit_networks FROM tenants WHERE id = ${tenantId}`),
    // Or whoever makes networks and deletes them again puts all of a pool to rest.
    guard(
      'vnis_resting',
      sql`SELECT network_count + resting_vnis <= 2 * limit_networks FROM tenants WHERE id = ${tenantId}`,
    ),
    ...(body.transport === 'plain' ? [mayBePlain(tenantId)] : []),
    ...(vni === undefined
      ? [insert, ...takeLowest(tenantId, made.id)]
      : [guard('vni_not_free', isFree(tenantId, vni)), ...takeOne(vni), insert]),
    ...recordEvent(db, tenantId, {
      kind: 'network_created',
      subject: made.id,
      after: pictureOfNetwork(tenantId, made.id),
    }),
    ...recordQuotaNear(db, tenantId, 'networks'),
  ];
  try {
    const [row] = await writeAndRead(db, writes, selectNetwork(db, tenantId, made.id));
    return row!;
  } catch (error) {
    if (vni !== undefined && refusalOf(error)?.code === 'vni_taken') {
      throw explainUnavailable(vni, await standingOf(db, tenantId, vni));
    }
    throw error;
  }
}

/** @param key the network's id or name; an id goes first. */
export async function findNetwork(db: Database, tenantId: string, key: string): Promise<NetworkRow | undefined> {
  const [row] = await db
    .select()
    .from(networks)
    .where(and(eq(networks.tenantId, tenantId), or(eq(networks.id, key), eq(networks.name, key))))
    .orderBy(sql`id = ${key} DESC`)
    .limit(1);
  return row;
}

export async function listNetworks(db: Database, tenantId: string, page: PageRequest): Promise<Page<NetworkRow>> {
  const rows = await db
    .select()
    .from(networks)
    .where(and(eq(networks.tenantId, tenantId), gt(networks.name, page.after)))
    .orderBy(asc(networks.name))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, (row) => row.name);
}

/** How many MACs the tenant's fullest network has; 0 where it has no network. */
export async function mostMacs(db: Database, tenantId: string): Promise<number> {
  const [row] = await db.all<{ most: number | null }>(
    sql`SELECT max(mac_count) AS most FROM networks WHERE tenant_id = ${tenantId}`,
  );
  return row?.most ?? 0;
}

/** The columns that agents see: a change of another (subnet, description) is none for them. */
const HEADER = ['name', 'mtu', 'antiSpoof', 'arpSuppression', 'flood', 'multicastGroup', 'transport'] as const;

/** Sets what `patch` names, null clearing it. What changes nothing takes no revision. @throws Refusal `name_taken`, `transport_required`, `transport_not_for_site`. */
export async function patchNetwork(db: Database, current: NetworkRow, patch: NetworkPatch): Promise<NetworkRow> {
  const changed = Object.fromEntries(
    Object.entries(patch).filter(([key, value]) => value !== undefined && value !== current[key as keyof NetworkRow]),
  );
  if (Object.keys(changed).length === 0) return current;
  const { tenantId, id } = current;
  const stamp = HEADER.some((key) => key in changed)
    ? { headerRevision: revision(tenantId), revision: revision(tenantId) }
    : {};
  const transport =
    changed.transport === undefined ? null : changeTransport(tenantId, id, changed.transport as Transport);
  const picture = pictureOfNetwork(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'network_changed', subject: id, picture });
  const writes: Write[] = [
    guard('not_found', sql`EXISTS (SELECT 1 FROM networks WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...(changed.transport === 'plain' ? [mayBePlain(tenantId)] : []),
    ...before,
    ...(transport?.writes ?? []),
    db
      .update(networks)
      .set({ ...changed, ...stamp, ...(transport === null ? {} : { digest: transport.digest }) })
      .where(and(eq(networks.tenantId, tenantId), eq(networks.id, id))),
    after,
  ];
  return (await writeAndRead(db, writes, selectNetwork(db, tenantId, id)))[0]!;
}

/** Deletes the network; its number rests until `until`, and its attachments stay as tombstones for the agents that had it. */
export async function deleteNetwork(
  db: Database,
  tenantId: string,
  id: string,
  time: { now: number; until: number },
): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM networks WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, { kind: 'network_deleted', subject: id, before: pictureOfNetwork(tenantId, id) }),
    sql`UPDATE tenants SET network_count = network_count - 1, resting_vnis = resting_vnis + 1 WHERE id = ${tenantId}`,
    quarantine(tenantId, id, time.now, time.until),
    ...detachNetwork(tenantId, id, time.now),
    db.delete(networks).where(and(eq(networks.tenantId, tenantId), eq(networks.id, id))),
  ]);
}

function mayBePlain(tenantId: string): SQL {
  return guard('transport_required', sql`SELECT transport = 'plain' FROM tenants WHERE id = ${tenantId}`);
}

function selectNetwork(db: Database, tenantId: string, id: string) {
  return db
    .select()
    .from(networks)
    .where(and(eq(networks.tenantId, tenantId), eq(networks.id, id)));
}
