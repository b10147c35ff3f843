/**
 * Sessions of browsers. A cookie is sent by the browser itself, whoever made it ask: so what writes, and what opens a socket, must come
 * from a page of this gateway, beside the cookie's own SameSite=Strict.
 */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { SESSION_COOKIE } from '../contract/sessions.ts';
import { extendSession, type FoundSession, findSession } from '../db/sessions.ts';
import { isOperator } from '../domain/person.ts';
import { Refusal } from '../domain/refusal.ts';
import { matchesHash, secretId } from '../domain/secrets.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { originsFor } from './origins.ts';
import { countRequest } from './rate-limit.ts';

/** A use is noted when the one before was so long ago: a write an hour for each session that is used. */
const NOTE_USE_MS = 3600_000;

const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'Strict' } as const;

export function cookieOf(c: Context<AppEnv>): string | undefined {
  return getCookie(c, SESSION_COOKIE);
}

/** @param endsAt milliseconds since 1970. */
export function giveSession(c: Context<AppEnv>, token: string, endsAt: number): void {
  setCookie(c, SESSION_COOKIE, token, { ...COOKIE, expires: new Date(endsAt) });
}

export function clearSession(c: Context<AppEnv>): void {
  deleteCookie(c, SESSION_COOKIE, COOKIE);
}

/**
 * @returns who is signed in, or null where the session, or what it was given for, is no more.
 * @throws Refusal `origin_mismatch`, `rate_limited`.
 */
export async function principalOfSession(
  gateway: Gateway,
  c: Context<AppEnv>,
  token: string,
): Promise<Principal | null> {
  const { db, config, now, limits } = gateway;
  const id = secretId('ols', token);
  const found = id === null ? undefined : await findSession(db, id);
  if (found === undefined || !(await matchesHash(secretOf(found, token, config.operatorKey), found.session.hash))) {
    return null;
  }
  const principal = worthOf(found, config.operators, now());
  if (principal === null) return null;
  if (!isSafe(c)) assertOwnPage(gateway, c);
  // By the key or the member: of sessions one can have as many as one likes.
  if (principal.kind === 'key') await countRequest(limits, 'key', principal.key.id, now());
  if (principal.kind === 'member') await countRequest(limits, 'key', principal.member.id, now());
  const { usedAt, endsAt } = found.session;
  const expiresAt = Math.min(now() + config.sessionIdleSeconds * 1000, endsAt);
  const isDue = usedAt <= now() - Math.min(NOTE_USE_MS, config.sessionIdleSeconds * 500);
  if (isDue) await extendSession(db, found.session.id, now(), expiresAt);
  return principal;
}

/** What is hashed: with the operator's key in it, sessions that were given for it end with it. */
export function secretOf(
  { session }: { readonly session: Pick<FoundSession['session'], 'tenantId' | 'subject'> },
  token: string,
  operatorKey: string,
): string {
  return session.tenantId === null && session.subject === null ? `${token}\n${operatorKey}` : token;
}

/** @returns null where it is worth nothing any more. */
export function worthOf(
  { session, key, member, tenant }: FoundSession,
  operators: readonly string[],
  now: number,
): Principal | null {
  if (session.expiresAt <= now) return null;
  if (session.tenantId === null) {
    const { subject, email } = session;
    const isStill = subject === null || isOperator(operators, { subject, email });
    return isStill ? { kind: 'operator', session } : null;
  }
  if (tenant === null) return null;
  if (key !== null && (key.expiresAt === null || key.expiresAt > now)) return { kind: 'key', key, tenant, session };
  return member === null ? null : { kind: 'member', member, tenant, session };
}

function isSafe(c: Context<AppEnv>): boolean {
  return (c.req.method === 'GET' || c.req.method === 'HEAD') && c.req.header('upgrade') === undefined;
}

/** @throws Refusal `origin_mismatch` where the request is not one of a page that this gateway served. */
export function assertOwnPage(gateway: Gateway, c: Context<AppEnv>): void {
  if (c.req.header('sec-fetch-site') === 'same-origin') return;
  const origin = c.req.header('origin') ?? '';
  // A proxy in front may have taken TLS away, so the scheme of the address is not to be gone by.
  const isOwn = URL.canParse(origin) && new URL(origin).host === new URL(c.req.url).host;
  if (!isOwn && !originsFor(gateway, c).includes(origin)) {
    throw new Refusal(
      'origin_mismatch',
      'With a session, this is for pages of this gateway: send its Origin, or a key.',
    );
  }
}
