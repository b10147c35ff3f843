/** 429 for those who ask too much: a key or a site by its requests, an address by its failed authentications. */
import type { MiddlewareHandler } from 'hono';
import { addressBlock } from '../domain/client-address.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway, RateLimits } from '../gateway.ts';

/** Failures that may be somebody trying: not those of a wrong clock, or of a token past its time. */
const TRIES: ReadonlySet<string> = new Set(['unauthenticated', 'join_token_invalid']);

/**
 * An address from which too many credentials were wrong is not looked at until it may try again: not even whether this one is right,
 * so that trying costs the store nothing.
 */
export function limitFailures({ limits, clientAddress, now }: Gateway): MiddlewareHandler<AppEnv> {
  return async function limitFailures(c, next) {
    const address = clientAddress(c);
    if (address === null || c.req.header('authorization') === undefined) return next();
    const from = addressBlock(address);
    assertMay(limits.failureWait(from, now()), 'Too many credentials from this address were wrong');
    await next();
    if (c.error instanceof Refusal && TRIES.has(c.error.code)) await limits.countFailure(from, now());
  };
}

/** Counts a request of one who is known. @throws Refusal `rate_limited`. */
export async function countRequest(limits: RateLimits, by: 'key' | 'site', id: string, now: number): Promise<void> {
  assertMay(await limits.countRequest(by, id, now), `This ${by} asks too much at once`);
}

function assertMay(waitSeconds: number, why: string): void {
  if (waitSeconds === 0) return;
  throw new Refusal('rate_limited', `${why}: try again in ${waitSeconds} s.`, { retryAfter: waitSeconds });
}
