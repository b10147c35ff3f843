import { and, asc, eq, gt, type InferSelectModel, sql } from 'drizzle-orm';
import type { ApiKeyCreate } from '../contract/tenants.ts';
import { type Database, write, writeAndRead } from './database.ts';
import { recordEvent } from './events.ts';
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
    recordEvent(db, tenantId, { kind: 'api_key_created', subject: row.id, after: pictureOfApiKey(tenantId, row.id) }),
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

/** @throws Refusal `not_found`. */
export async function deleteApiKey(db: Database, tenantId: string, id: string): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM api_keys WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    recordEvent(db, tenantId, { kind: 'api_key_deleted', subject: id, before: pictureOfApiKey(tenantId, id) }),
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
