import type { Context } from 'hono';
import type { Actor } from '../contract/events.ts';
import { writtenBy } from '../db/database.ts';
import { createSession, type SessionRow } from '../db/sessions.ts';
import { newId } from '../domain/ids.ts';
import { hashSecret, newSecret } from '../domain/secrets.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { authorOf } from '../middleware/author.ts';
import { giveSession, secretOf } from '../middleware/session.ts';

/** Whose it is, as its row has it. */
export interface SessionOwner {
  readonly tenantId: string | null;
  readonly keyId?: string | null;
  readonly memberId?: string;
  readonly email?: string | null;
  readonly subject?: string;
  /** When what it is given for ends, milliseconds since 1970; null where it doesn't. */
  readonly until: number | null;
}

/** Begins a session, and gives the browser its cookie. */
export async function openSession(
  gateway: Gateway,
  c: Context<AppEnv>,
  actor: Actor,
  owner: SessionOwner,
): Promise<SessionRow> {
  const { config, db, clientAddress } = gateway;
  const now = gateway.now();
  const id = newId(now);
  const token = newSecret('ols', id);
  const endsAt = Math.min(now + config.sessionSeconds * 1000, owner.until ?? Number.MAX_SAFE_INTEGER);
  const { tenantId, keyId = null, memberId = null, email = null, subject = null } = owner;
  const row: SessionRow = {
    id,
    hash: await hashSecret(secretOf({ session: { tenantId, subject } }, token, config.operatorKey)),
    tenantId,
    keyId,
    memberId,
    email,
    subject,
    address: clientAddress(c),
    createdAt: now,
    usedAt: now,
    expiresAt: Math.min(now + config.sessionIdleSeconds * 1000, endsAt),
    endsAt,
    looksAt: [],
  };
  await createSession(writtenBy(db, authorOf(gateway, c, actor)), row, actor.name ?? actor.kind);
  giveSession(c, token, endsAt);
  return row;
}
