import { and, asc, eq, gt, type InferSelectModel, or, type SQL, sql } from 'drizzle-orm';
import type { MemberCreate } from '../contract/members.ts';
import type { Role } from '../contract/tenants.ts';
import type { Person } from '../domain/person.ts';
import { type Database, write, writeAndRead } from './database.ts';
import { recordChange, recordEvent } from './events.ts';
import { guard } from './guards.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { members, tenants } from './schema.ts';
import type { TenantRow } from './tenants.ts';

export type MemberRow = InferSelectModel<typeof members>;

const MAX_MEMBERS = 5000;

/** @throws Refusal `member_taken`, `quota_exceeded` where there are too many. */
export async function createMember(
  db: Database,
  tenantId: string,
  made: { readonly id: string; readonly now: number },
  { email = undefined, subject = undefined, role }: MemberCreate,
): Promise<MemberRow> {
  const row = {
    id: made.id,
    tenantId,
    email: email ?? null,
    subject: subject ?? null,
    role,
    createdAt: made.now,
  };
  const after = pictureOfMember(tenantId, row.id);
  const event = recordEvent(db, tenantId, { kind: 'member_created', subject: row.id, after });
  const read = db.select().from(members).where(mine(tenantId, row.id));
  const hasRoom = sql`SELECT count(*) < ${MAX_MEMBERS} FROM members WHERE tenant_id = ${tenantId}`;
  const writes = [guard('too_many', hasRoom), db.insert(members).values(row), ...event];
  return (await writeAndRead(db, writes, read))[0]!;
}

export async function listMembers(db: Database, tenantId: string, page: PageRequest): Promise<Page<MemberRow>> {
  const rows = await db
    .select()
    .from(members)
    .where(and(eq(members.tenantId, tenantId), gt(members.id, page.after)))
    .orderBy(asc(members.id))
    .limit(page.limit + 1);
  return pageOf(rows, page.limit, ({ id }) => id);
}

/** @throws Refusal `not_found`. */
export async function patchMember(db: Database, tenantId: string, id: string, role: Role): Promise<MemberRow> {
  const picture = pictureOfMember(tenantId, id);
  const [before, after] = recordChange(db, tenantId, { kind: 'member_changed', subject: id, picture });
  const update = db.update(members).set({ role }).where(mine(tenantId, id));
  const read = db.select().from(members).where(mine(tenantId, id));
  return (await writeAndRead(db, [isThere(tenantId, id), ...before, update, after], read))[0]!;
}

/** @throws Refusal `not_found`. */
export async function deleteMember(db: Database, tenantId: string, id: string): Promise<void> {
  await write(db, [
    isThere(tenantId, id),
    ...recordEvent(db, tenantId, { kind: 'member_deleted', subject: id, before: pictureOfMember(tenantId, id) }),
    db.delete(members).where(mine(tenantId, id)),
  ]);
}

/** Every tenant that lists the person, by slug: what a person may see is looked for in all of them. */
export async function findMemberships(
  db: Database,
  { email, subject }: Pick<Person, 'email' | 'subject'>,
): Promise<{ member: MemberRow; tenant: TenantRow }[]> {
  const isThem = or(eq(members.subject, subject), ...(email === null ? [] : [eq(members.email, email)]));
  const rows = await db
    .select({ member: members, tenant: tenants })
    .from(members)
    .innerJoin(tenants, eq(tenants.id, members.tenantId))
    .where(isThem)
    .orderBy(asc(tenants.slug), asc(members.role));
  // One who is listed twice, by both names, is what they are listed as that lets them do more.
  return rows.filter(({ tenant }, i) => tenant.id !== rows[i - 1]?.tenant.id);
}

function isThere(tenantId: string, id: string): SQL {
  return guard('not_found', sql`EXISTS (SELECT 1 FROM members WHERE tenant_id = ${tenantId} AND id = ${id})`);
}

function pictureOfMember(tenantId: string, id: string): SQL {
  return sql`(SELECT json_object('email', email, 'subject', subject, 'role', role) FROM members
    WHERE tenant_id = ${tenantId} AND id = ${id})`;
}

function mine(tenantId: string, id: string): SQL {
  return and(eq(members.tenantId, tenantId), eq(members.id, id))!;
}
