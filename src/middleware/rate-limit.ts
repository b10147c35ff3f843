/** 429 for those who ask too much: a key or a site by its requests, an address by its failed authentications. */
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { SESSION_COOKIE } from '../contract/sessions.ts';
import { addressBlock } from '../domain/client-address.ts';
import { type Claimant, nameOfCredential } from '../domain/failures.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway, RateLimits } from '../gateway.ts';

/** Failures that may be somebody trying: not those of a wrong clock, or of a token past its time. */
const TRIES: ReadonlySet<string> = new Set(['unauthenticated', 'join_token_invalid']);

const SIGN_IN: ReadonlySet<string> = new Set([
  'POST /v1/session',
  'GET /v1/oidc/start',
  'GET /v1/oidc/end',
  'GET /v1/access/start',
]);

/**
 * An address from which too many credentials were wrong, or one of them too often, is not looked at until it may try again: not even whether
 * this one is right, so that trying costs the store nothing.
 */
export function limitFailures(gateway: Gateway): MiddlewareHandler<AppEnv> {
  const { limits, now } = gateway;
  return async function limitFailures(c, next) {
    const by = claimantOf(gateway, c);
    if (by === null || !comesWithCredential(c)) return next();
    assertMay(limits.failureWait(by, now()), 'Too many credentials from this address were wrong');
    await next();
    if (c.error instanceof Refusal && TRIES.has(c.error.code)) await limits.countFailure(by, now());
  };
}

/** Counts a credential that was wrong, where the route answers all the same. */
export async function countFailure(gateway: Gateway, c: Context<AppEnv>): Promise<void> {
  const by = claimantOf(gateway, c);
  if (by !== null) await gateway.limits.countFailure(by, gateway.now());
}

/** @returns null where the host can't tell the address. */
function claimantOf({ clientAddress }: Gateway, c: Context<AppEnv>): Claimant | null {
  const address = clientAddress(c);
  if (address === null) return null;
  const sent = c.req.header('authorization')?.replace(/^Bearer +/i, '') ?? getCookie(c, SESSION_COOKIE);
  const isSignIn = SIGN_IN.has(`${c.req.method} ${c.req.path}`);
  return { address: addressBlock(address), credential: sent === undefined || isSignIn ? null : nameOfCredential(sent) };
}

/** Signing in brings its credential in the body, or in a provider's answer. */
function comesWithCredential(c: Context<AppEnv>): boolean {
  if (c.req.header('authorization') !== undefined || getCookie(c, SESSION_COOKIE) !== undefined) return true;
  return SIGN_IN.has(`${c.req.method} ${c.req.path}`);
}

/** Counts a request of one who is known. @throws Refusal `rate_limited`. */
export async function countRequest(limits: RateLimits, by: 'key' | 'site', id: string, now: number): Promise<void> {
  assertMay(await limits.countRequest(by, id, now), `This ${by} asks too much at once`);
}

function assertMay(waitSeconds: number, why: string): void {
  if (waitSeconds === 0) return;
  throw new Refusal('rate_limited', `${why}: try again in ${waitSeconds} s.`, { retryAfter: waitSeconds });
}
