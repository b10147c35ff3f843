import { and, asc, eq, gt, type InferSelectModel, sql } from 'drizzle-orm';
import { type Database, write, writeAndRead } from './database.ts';
import { recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { pictureOfJoinToken } from './pictures.ts';
import { takeRevision } from './revision.ts';
import { joinTokens } from './schema.ts';

export type JoinTokenRow = InferSelectModel<typeof joinTokens>;

/** Of a tenant. Where there are as many, those that can be used no more make room. */
const MAX_JOIN_TOKENS = 5000;

/** @throws Refusal `quota_exceeded` where there are too many that can still be used. */
export async function createJoinToken(db: Database, row: Omit<JoinTokenRow, 'uses'>): Promise<JoinTokenRow> {
  const { id, tenantId } = row;
  const hasRoom = sql`(SELECT count(*) < ${MAX_JOIN_TOKENS} FROM join_tokens WHERE tenant_id = ${tenantId})`;
  const writes = [
    takeRevision(tenantId),
    sql`DELETE FROM join_tokens WHERE tenant_id = ${tenantId} AND NOT ${hasRoom} AND (expires_at <= ${row.createdAt} OR uses >= max_uses)`,
    guard('too_many', hasRoom),
    db.insert(joinTokens).values(row),
    ...recordEvent(db, tenantId, { kind: 'join_token_created', subject: id, after: pictureOfJoinToken(tenantId, id) }),
  ];
  return (await writeAndRead(db, writes, db.select().from(joinTokens).where(mine(tenantId, id))))[0]!;
}

export async function listJoinTokens(db: Database, tenantId: string, page: PageRequest): Promise<Page<JoinTokenRow>> {
  const rows = await db
    .select()
    .from(joinTokens)
    .where(and(eq(joinTokens.tenantId, tenantId), gt(joinTokens.id, page.after)))
    .orderBy(asc(joinTokens.id))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, (row) => row.id);
}

export async function getJoinToken(db: Database, tenantId: string, id: string): Promise<JoinTokenRow | undefined> {
  const [row] = await db.select().from(joinTokens).where(mine(tenantId, id));
  return row;
}

/** @throws Refusal `not_found`. Sites that enrolled with it stay. */
export async function deleteJoinToken(db: Database, tenantId: string, id: string): Promise<void> {
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM join_tokens WHERE tenant_id = ${tenantId} AND id = ${id})`),
    takeRevision(tenantId),
    ...recordEvent(db, tenantId, { kind: 'join_token_deleted', subject: id, before: pictureOfJoinToken(tenantId, id) }),
    db.delete(joinTokens).where(mine(tenantId, id)),
  ]);
}

/** @returns the ids of those of `keys` (ids or names) that are networks of the tenant, by key; an id goes first. */
export async function resolveNetworks(
  db: Database,
  tenantId: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map();
  const rows = await db.all<{ key: string; id: string }>(sql`SELECT wanted.value AS key, n.id AS id
    FROM json_each(${JSON.stringify(keys)}) wanted CROSS JOIN networks n
      ON n.id = wanted.value OR (n.tenant_id = ${tenantId} AND n.name = wanted.value)
    WHERE n.tenant_id = ${tenantId} ORDER BY n.id = wanted.value`);
  return new Map(rows.map((row) => [row.key, row.id]));
}

function mine(tenantId: string, id: string) {
  return and(eq(joinTokens.tenantId, tenantId), eq(joinTokens.id, id))!;
}
