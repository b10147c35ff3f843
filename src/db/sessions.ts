/**
 * Who is signed in. A session's row says whose it is, never what it may: that is read with it, from its key or its member as they are at
 * that moment, so that a session ends with what it was given for.
 */
import { and, eq, gt, type InferSelectModel, isNull, type SQL, sql } from 'drizzle-orm';
import type { ApiKeyRow } from './api-keys.ts';
import { type Database, write } from './database.ts';
import { NO_TENANT, recordEvent } from './events.ts';
import { guard } from './guards.ts';
import type { MemberRow } from './members.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { apiKeys, members, sessions, tenants } from './schema.ts';
import type { TenantRow } from './tenants.ts';
import { PURGE_LIMIT } from './tombstones.ts';

export type SessionRow = InferSelectModel<typeof sessions>;

/** With what it is worth; a part that is null where the row names one is no more. */
export interface FoundSession {
  readonly session: SessionRow;
  readonly key: ApiKeyRow | null;
  readonly member: MemberRow | null;
  readonly tenant: TenantRow | null;
}

/** Of one key, or one person in one tenant: those that were used least recently end for another. */
const MAX_SESSIONS = 50;

export async function createSession(db: Database, row: SessionRow, who: string): Promise<void> {
  await write(db, [
    db.insert(sessions).values(row),
    sql`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE tenant_id IS ${row.tenantId} AND key_id IS ${row.keyId}
      AND member_id IS ${row.memberId} AND subject IS ${row.subject} ORDER BY used_at DESC, id DESC LIMIT -1 OFFSET ${MAX_SESSIONS})`,
    ...recordEvent(db, row.tenantId ?? NO_TENANT, {
      kind: 'session_created',
      subject: row.id,
      after: sql`json_object('who', ${who}, 'key', ${row.keyId}, 'member', ${row.memberId})`,
    }),
  ]);
}

/** Finds a session by its id, in whichever tenant: the caller compares the secret before it trusts anything in it. */
export async function findSession(db: Database, id: string): Promise<FoundSession | undefined> {
  const [row] = await selectSessions(db).where(eq(sessions.id, id));
  return row;
}

/** The tenant's sessions, or the operator's where it is null, that have not ended by `now`, the oldest first. */
export async function listSessions(
  db: Database,
  tenantId: string | null,
  page: PageRequest,
  now: number,
): Promise<Page<FoundSession>> {
  const rows = await selectSessions(db)
    .where(and(of(tenantId), gt(sessions.id, page.after), gt(sessions.expiresAt, now)))
    .orderBy(sessions.id)
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, ({ session }) => session.id);
}

/** Notes that it was used, and so lives until `expiresAt` at least. */
export async function extendSession(db: Database, id: string, usedAt: number, expiresAt: number): Promise<void> {
  await db.update(sessions).set({ usedAt, expiresAt }).where(eq(sessions.id, id));
}

/** An operator's session is remembered in as many tenants; beyond that its sockets end when they are looked at next. */
const MAX_LOOKS = 100;

/** Notes that the operator's session holds a socket of the tenant: a write for each tenant, once. */
export async function noteLook(db: Database, id: string, tenantId: string): Promise<void> {
  await db.run(sql`UPDATE sessions SET looks_at = json_insert(looks_at, '$[#]', ${tenantId})
    WHERE id = ${id} AND json_array_length(looks_at) < ${MAX_LOOKS}
      AND NOT EXISTS (SELECT 1 FROM json_each(looks_at) w WHERE w.value = ${tenantId})`);
}

/** @returns the tenants that may have sockets of it. @throws Refusal `not_found`. */
export async function endSession(db: Database, tenantId: string | null, id: string): Promise<readonly string[]> {
  const which = and(of(tenantId), eq(sessions.id, id));
  const [session] = await db.select({ looksAt: sessions.looksAt }).from(sessions).where(which);
  const mine = tenantId === null ? sql`tenant_id IS NULL` : sql`tenant_id = ${tenantId}`;
  await write(db, [
    guard('not_found', sql`EXISTS (SELECT 1 FROM sessions WHERE ${mine} AND id = ${id})`),
    ...recordEvent(db, tenantId ?? NO_TENANT, { kind: 'session_ended', subject: id }),
    db.delete(sessions).where(which),
  ]);
  return tenantId === null ? (session?.looksAt ?? []) : [tenantId];
}

/**
 * Forgets sessions that ended before `now` however they were used: the oldest first, so that none of them is looked for.
 *
 * @returns how many; `limit` means there may be more.
 */
export async function purgeSessions(db: Database, now: number, limit: number = PURGE_LIMIT): Promise<number> {
  const gone =
    await db.all(sql`DELETE FROM sessions WHERE ends_at < ${now} AND rowid IN (SELECT rowid FROM sessions ORDER BY rowid
    LIMIT (CASE WHEN (SELECT ends_at FROM sessions ORDER BY rowid LIMIT 1) < ${now} THEN ${limit} ELSE 0 END)) RETURNING 1`);
  return gone.length;
}

function of(tenantId: string | null): SQL {
  return tenantId === null ? isNull(sessions.tenantId) : eq(sessions.tenantId, tenantId);
}

function selectSessions(db: Database) {
  return db
    .select({ session: sessions, key: apiKeys, member: members, tenant: tenants })
    .from(sessions)
    .leftJoin(apiKeys, and(eq(apiKeys.id, sessions.keyId), eq(apiKeys.tenantId, sessions.tenantId)))
    .leftJoin(members, and(eq(members.id, sessions.memberId), eq(members.tenantId, sessions.tenantId)))
    .leftJoin(tenants, eq(tenants.id, sessions.tenantId));
}
