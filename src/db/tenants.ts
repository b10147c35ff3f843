import { asc, eq, gt, type InferSelectModel, sql } from 'drizzle-orm';
import { DEFAULT_LIMITS, type TenantCreate, type TenantPatch } from '../contract/tenants.ts';
import { type Database, write, writeAndRead } from './database.ts';
import { NO_TENANT, recordChange, recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfTenant } from './pictures.ts';
import { takeRevision } from './revision.ts';
import { tenants } from './schema.ts';

export type TenantRow = InferSelectModel<typeof tenants>;

/** @throws Refusal `slug_taken`. */
export async function createTenant(
  db: Database,
  made: { id: string; epoch: string; now: number },
  body: TenantCreate,
): Promise<TenantRow> {
  const limits = body.limits ?? {};
  const insert = db.insert(tenants).values({
    id: made.id,
    slug: body.slug,
    name: body.name,
    limitNetworks: limits.networks ?? DEFAULT_LIMITS.networks,
    limitSites: limits.sites ?? DEFAULT_LIMITS.sites,
    limitMacsPerNetwork: limits.macsPerNetwork ?? DEFAULT_LIMITS.macsPerNetwork,
    transport: body.transport ?? 'plain',
    epoch: made.epoch,
    createdAt: made.now,
  });
  const event = { kind: 'tenant_created' as const, subject: made.id, after: pictureOfTenant(made.id) };
  const read = db.select().from(tenants).where(eq(tenants.id, made.id));
  return (await writeAndRead(db, [insert, ...recordEvent(db, NO_TENANT, event)], read))[0]!;
}

export async function findTenant(db: Database, slug: string): Promise<TenantRow | undefined> {
  const [row] = await db.select().from(tenants).where(eq(tenants.slug, slug));
  return row;
}

export async function listTenants(db: Database, page: PageRequest): Promise<Page<TenantRow>> {
  const rows = await db
    .select()
    .from(tenants)
    .where(gt(tenants.slug, page.after))
    .orderBy(asc(tenants.slug))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, (row) => row.slug);
}

/** Sets what `patch` names and leaves the rest; a limit below what is in use stops new ones only. @throws Refusal `plain_networks`. */
export async function patchTenant(db: Database, tenantId: string, patch: TenantPatch): Promise<TenantRow | undefined> {
  const { name, limits = {}, transport } = patch;
  const set = {
    ...(name === undefined ? {} : { name }),
    ...(transport === undefined ? {} : { transport }),
    ...(limits.networks === undefined ? {} : { limitNetworks: limits.networks }),
    ...(limits.sites === undefined ? {} : { limitSites: limits.sites }),
    ...(limits.macsPerNetwork === undefined ? {} : { limitMacsPerNetwork: limits.macsPerNetwork }),
  };
  const read = db.select().from(tenants).where(eq(tenants.id, tenantId));
  if (Object.keys(set).length === 0) return (await read)[0];
  const picture = pictureOfTenant(tenantId);
  const [before, after] = recordChange(db, tenantId, { kind: 'tenant_changed', subject: tenantId, picture });
  const update = db.update(tenants).set(set).where(eq(tenants.id, tenantId));
  const allEncrypted = guard(
    'plain_networks',
    sql`NOT EXISTS (SELECT 1 FROM networks WHERE tenant_id = ${tenantId} AND transport = 'plain')`,
  );
  const writes = [
    takeRevision(tenantId),
    ...(transport === 'wireguard' ? [allEncrypted] : []),
    ...before,
    update,
    after,
  ];
  return (await writeAndRead(db, writes, read))[0];
}

/**
 * Its events stay for their time, the operator's to see; its released VNIs go on resting, and its tombstones go with age.
 *
 * @throws Refusal `tenant_not_empty`.
 */
export async function deleteTenant(db: Database, tenantId: string): Promise<void> {
  await write(db, [
    guard(
      'tenant_not_empty',
      sql`SELECT network_count = 0 AND site_count = 0
      AND NOT EXISTS (SELECT 1 FROM vni_pools WHERE tenant_id = ${tenantId}) FROM tenants WHERE id = ${tenantId}`,
    ),
    ...recordEvent(db, NO_TENANT, { kind: 'tenant_deleted', subject: tenantId, before: pictureOfTenant(tenantId) }),
    sql`DELETE FROM api_keys WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM join_tokens WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM members WHERE tenant_id = ${tenantId}`,
    sql`DELETE FROM sessions WHERE tenant_id = ${tenantId}`,
    db.delete(tenants).where(eq(tenants.id, tenantId)),
  ]);
}
