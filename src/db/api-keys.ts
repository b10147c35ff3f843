import { and, asc, eq, gt, type InferSelectModel, sql } from 'drizzle-orm';
import type { ApiKeyCreate } from '../contract/tenants.ts';
import { type Database, write, writeAndRead } from './database.ts';
import { recordChange, recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfApiKey } from './pictures.ts';
import { takeRevision } from './revision.ts';
import { apiKeys, tenants } from './schema.ts';
import type { TenantRow } from './tenants.ts';

export type ApiKeyRow = InferSelectModel<typeof apiKeys>;

export async function createApiKey(
  db: Database,
  tenantId: string,
  made: { id: string; hash: string; now: number },
  body: ApiKeyCreate,
): Promise<ApiKeyRow> {
  const row = {
    id: made.id,
    tenantId,
    name: body.name,
    role: body.role,
    hash: made.hash,
    expiresAt: body.expiresAt === undefined ? null : Date.parse(body.expiresAt),
    createdAt: made.now,
  };
  const writes = [
    takeRevision(tenantId),
    db.insert(apiKeys).values(row),
    ...recordEvent(db, tenantId, {
      kind: 'api_key_created',
      subject: row.id,
      after: pictureOfApiKey(tenantId, row.id),
    }),
  ];
  const [created] = await writeAndRead(db, writes, db.select().from(apiKeys).where(mine(tenantId, row.id)));
  return created!;
}

export async function listApiKeys(db: Database, tenantId: string, page: PageRequest): Promise<Page<ApiKeyRow>> {
  const rows = await db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), gt(apiKeys.id, page.after)))
    .orderBy(asc(apiKeys.id))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, (row) => row.id);
}

/**
 * Makes a key like the one with this id, which ends at `until`, or when it would anyway.
 *
 * @throws Refusal `not_found`.
 */
export async function rotateApiKey(
  db: Database,
  tenantId: string,
  id: string,
  made: { id: string; hash: string; now: number; until: number },
): Promise<ApiKeyRow> {
  const picture = pictureOfApiKey(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'api_key_rotated', subject: id, picture });
  const writes = [
    guard('not_found', sql`EXISTS (SELECT 1 FROM api_keys WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...before,
    sql`INSERT INTO api_keys (id, tenant_id, name, role, hash, expires_at, created_at)
      SELECT ${made.id}, tenant_id, name, role, ${made.hash}, expires_at, ${made.now} FROM api_keys
      WHERE tenant_id = ${tenantId} AND id = ${id}`,
    sql`UPDATE api_keys SET expires_at = min(coalesce(expires_at, ${made.until}), ${made.until})
      WHERE tenant_id = ${tenantId} AND id = ${id}`,
    after,
    ...recordEvent(db, tenantId, {
      kind: 'api_key_created',
      subject: made.id,
      after: pictureOfApiKey(tenantId, made.id),
    }),
  ];
  const read = db.select().from(apiKeys).where(mine(tenantId, made.id));
  return (await writeAndRead(db, writes, read))[0]!;
}

/** @throws Refusal `not_found`. */
export async function deleteApiKey(db: Database, tenantId: string, id: string): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM api_keys WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, { kind: 'api_key_deleted', subject: id, before: pictureOfApiKey(tenantId, id) }),
    db.delete(apiKeys).where(mine(tenantId, id)),
  ]);
}

/** Finds a key by its id, in whichever tenant: the caller compares the secret before it trusts anything in it. */
export async function findApiKey(db: Database, id: string): Promise<{ key: ApiKeyRow; tenant: TenantRow } | undefined> {
  const [row] = await db
    .select({ key: apiKeys, tenant: tenants })
    .from(apiKeys)
    .innerJoin(tenants, eq(tenants.id, apiKeys.tenantId))
    .where(eq(apiKeys.id, id));
  return row;
}

function mine(tenantId: string, id: string) {
  return and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id))!;
}
