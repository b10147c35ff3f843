import { and, asc, eq, gt, type InferSelectModel, or, sql } from 'drizzle-orm';
import type { NetworkReport } from '../contract/agent.ts';
import { hashVtep } from '../contract/digest.ts';
import { VXLAN_PORT } from '../contract/primitives.ts';
import type { SiteCreate, SitePatch } from '../contract/sites.ts';
import { detachSite, hideSite, moveSite, showSite } from './attachments.ts';
import { type Database, type Write, write, writeAndRead } from './database.ts';
import { recordChange, recordEvent, recordQuotaNear } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfSite } from './pictures.ts';
import { takeRevision } from './revision.ts';
import { siteStatus, sites } from './schema.ts';

export type SiteRow = InferSelectModel<typeof sites>;
export type NewSite = Omit<SiteRow, 'hash' | 'wireguard' | 'tunnelHash' | 'disabled'>;

/** What a site's agent last said, where it has one and it spoke. */
export interface SiteLast {
  readonly lastSeen: number;
  readonly onlineUntil: number;
  readonly version: string;
  readonly report: NetworkReport[];
}

export interface SiteWithLast {
  readonly site: SiteRow;
  readonly last: SiteLast | null;
}

/** The writes with which any new site begins: its place in the count, its row, and the event of it, with the id of the token it joined by. */
export function insertSite(db: Database, row: NewSite, joinToken?: string): Write[] {
  const hash = hashVtep({ site: row.id, address: row.vtepAddress, port: row.vtepPort });
  return [
    takeRevision(row.tenantId),
    sql`UPDATE tenants SET site_count = site_count + 1 WHERE id = ${row.tenantId}`,
    guard('quota_exceeded', sql`SELECT site_count <= limit_sites FROM tenants WHERE id = ${row.tenantId}`),
    db.insert(sites).values({ ...row, hash, disabled: false }),
    ...recordEvent(db, row.tenantId, {
      kind: row.kind === 'static' ? 'site_created' : 'site_enrolled',
      subject: row.id,
      after:
        joinToken === undefined
          ? pictureOfSite(row.tenantId, row.id)
          : sql`json_set(${pictureOfSite(row.tenantId, row.id)}, '$.joinToken', ${joinToken})`,
    }),
    ...recordQuotaNear(db, row.tenantId, 'sites'),
  ];
}

/** Makes a static site. @throws Refusal `name_taken`, `vtep_taken`, `quota_exceeded`. */
export async function createStaticSite(
  db: Database,
  tenantId: string,
  made: { id: string; now: number },
  body: SiteCreate,
): Promise<SiteRow> {
  const row = {
    id: made.id,
    tenantId,
    name: body.name,
    kind: 'static' as const,
    publicKey: null,
    vtepAddress: body.vtep.address,
    vtepPort: body.vtep.port ?? VXLAN_PORT,
    labels: body.labels ?? {},
    place: body.where ?? null,
    createdAt: made.now,
  };
  return (await writeAndRead(db, insertSite(db, row), selectSite(db, tenantId, made.id)))[0]!;
}

/** @param key the site's id or name; an id goes first. */
export async function findSite(db: Database, tenantId: string, key: string): Promise<SiteWithLast | undefined> {
  const [row] = await selectWithLast(db)
    .where(and(eq(sites.tenantId, tenantId), or(eq(sites.id, key), eq(sites.name, key))))
    .orderBy(sql`${sites.id} = ${key} DESC`)
    .limit(1);
  return row;
}

/** By name. A page ends before its limit where its sites' reports are long together. */
export async function listSites(db: Database, tenantId: string, page: PageRequest): Promise<Page<SiteWithLast>> {
  const limit = await countFitting(db, tenantId, page);
  const rows = await selectWithLast(db)
    .where(and(eq(sites.tenantId, tenantId), gt(sites.name, page.after)))
    .orderBy(asc(sites.name))
    .limit(limit + 1);
  return pageOf(rows, limit, ({ site }) => site.name);
}

/** In one answer: a site with hundreds of networks has hundreds of kilobytes. */
const MAX_REPORT_BYTES = 4_000_000;

/** @returns how many sites the page may have, one at least. Their reports are measured, not read. */
async function countFitting(db: Database, tenantId: string, { after, limit }: PageRequest): Promise<number> {
  const [row] = await db.all<{ count: number }>(sql`SELECT count(*) AS count
    FROM (SELECT sum(bytes) OVER (ORDER BY name) AS total FROM (SELECT s.name AS name, coalesce(octet_length(st.report), 0) AS bytes
      FROM sites s LEFT JOIN site_status st ON st.site_id = s.id AND st.tenant_id = s.tenant_id
      WHERE s.tenant_id = ${tenantId} AND s.name > ${after} ORDER BY s.name LIMIT ${limit}))
    WHERE total <= ${MAX_REPORT_BYTES}`);
  return Math.max(1, row?.count ?? 0);
}

/**
 * Sets what `patch` names. A new VTEP, or being disabled or enabled, reaches every peer by the site's attachments, in the same batch.
 *
 * @throws Refusal `name_taken`, `vtep_taken`, `not_found`.
 */
export async function patchSite(db: Database, current: SiteRow, patch: SitePatch, now: number): Promise<void> {
  const { tenantId, id } = current;
  const set: Partial<SiteRow> = {};
  const peers: Write[] = [];
  if (patch.name !== undefined && patch.name !== current.name) set.name = patch.name;
  if (patch.where !== undefined && patch.where !== current.place) set.place = patch.where;
  if (patch.labels !== undefined && !sameLabels(patch.labels, current.labels)) set.labels = patch.labels;
  const address = patch.vtep?.address ?? current.vtepAddress;
  const port = patch.vtep?.port ?? current.vtepPort;
  if (address !== current.vtepAddress || port !== current.vtepPort) {
    const hash = hashVtep({ site: id, address, port });
    Object.assign(set, { vtepAddress: address, vtepPort: port, hash });
    peers.push(...moveSite(tenantId, id, 'plain', hash));
  }
  const update = () => db.update(sites).set(set).where(mine(tenantId, id));
  if (patch.disabled !== undefined && patch.disabled !== current.disabled) {
    set.disabled = patch.disabled;
    // By now the site's own row has its new hash, so it is that one that goes or comes.
    peers.push(update(), ...(patch.disabled ? hideSite(tenantId, id, now) : showSite(tenantId, id)));
  }
  if (Object.keys(set).length === 0) return;
  const picture = pictureOfSite(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'site_changed', subject: id, picture });
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...before,
    ...peers,
    update(),
    after,
  ]);
}

/**
 * Gives the site's agent another key, where it has `from` still; where it has `to` already, nothing changes.
 *
 * @throws Refusal `conflict` where the site has another key by now, `key_taken` where another site has `to`.
 */
export async function rotateSiteKey(db: Database, site: SiteRow, from: string, to: string): Promise<void> {
  if (from === to) return;
  const { tenantId, id } = site;
  const picture = pictureOfSite(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'site_key_rotated', subject: id, picture });
  await write(db, [
    guard(
      'conflict',
      sql`EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${id} AND public_key = ${from})`,
    ),
    takeRevision(tenantId),
    ...before,
    db.update(sites).set({ publicKey: to }).where(mine(tenantId, id)),
    after,
  ]);
}

/** Deletes the site; its attachments stay as tombstones for its peers. @throws Refusal `not_found`. */
export async function deleteSite(db: Database, tenantId: string, id: string, now: number): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM sites WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, { kind: 'site_deleted', subject: id, before: pictureOfSite(tenantId, id) }),
    sql`UPDATE tenants SET site_count = site_count - 1 WHERE id = ${tenantId}`,
    ...detachSite(tenantId, id, now),
    sql`DELETE FROM site_status WHERE tenant_id = ${tenantId} AND site_id = ${id}`,
    db.delete(sites).where(mine(tenantId, id)),
  ]);
}

export function selectSite(db: Database, tenantId: string, id: string) {
  return db.select().from(sites).where(mine(tenantId, id));
}

function selectWithLast(db: Database) {
  return db
    .select({
      site: sites,
      last: {
        lastSeen: siteStatus.lastSeen,
        onlineUntil: siteStatus.onlineUntil,
        version: siteStatus.version,
        report: siteStatus.report,
      },
    })
    .from(sites)
    .leftJoin(siteStatus, and(eq(siteStatus.tenantId, sites.tenantId), eq(siteStatus.siteId, sites.id)));
}

function mine(tenantId: string, id: string) {
  return and(eq(sites.tenantId, tenantId), eq(sites.id, id))!;
}

function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
