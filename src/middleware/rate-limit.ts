/** 429 for those who ask too much: a key or a site by its requests, an address by its failed authentications. */
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { SESSION_COOKIE } from '../contract/sessions.ts';
import { addressBlock } from '../domain/client-address.ts';
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
 * An address from which too many credentials were wrong is not looked at until it may try again: not even whether this one is right,
 * so that trying costs the store nothing.
 */
export function limitFailures({ limits, clientAddress, now }: Gateway): MiddlewareHandler<AppEnv> {
  return async function limitFailures(c, next) {
    const address = clientAddress(c);
    if (address === null || !comesWithCredential(c)) return next();
    const from = addressBlock(address);
    assertMay(limits.failureWait(from, now()), 'Too many credentials from this address were wrong');
    await next();
    if (c.error instanceof Refusal && TRIES.has(c.error.code)) await limits.countFailure(from, now());
  };
}

/** Counts a credential that was wrong, where the route answers all the same. */
export async function countFailure({ limits, clientAddress, now }: Gateway, c: Context<AppEnv>): Promise<void> {
  const address = clientAddress(c);
  if (address !== null) await limits.countFailure(addressBlock(address), now());
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
