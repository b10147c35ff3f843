/** Who asks: by a key that is sent, or by a session that was given for one and that a browser keeps in a cookie. */
import type { Context } from 'hono';
import { findApiKey } from '../db/api-keys.ts';
import { Refusal } from '../domain/refusal.ts';
import { hashSecret, matchesHash, secretId } from '../domain/secrets.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { bearerOf } from './bearer.ts';
import { countRequest } from './rate-limit.ts';
import { clearSession, cookieOf, principalOfSession } from './session.ts';

export interface Principals {
  /** @throws Refusal `unauthenticated`, `rate_limited`, `origin_mismatch`. Leaves the secret that was sent for the handler. */
  readonly ofRequest: (c: Context<AppEnv>) => Promise<Principal>;
  /** @throws Refusal `unauthenticated`, `rate_limited`. */
  readonly ofKey: (key: string) => Promise<Principal>;
}

export function principalsOf(gateway: Gateway): Principals {
  const operatorHash = hashSecret(gateway.config.operatorKey);

  async function ofKey(credential: string): Promise<Principal> {
    if (await matchesHash(credential, await operatorHash)) return { kind: 'operator', session: null };
    const id = secretId('olk', credential);
    const found = id === null ? undefined : await findApiKey(gateway.db, id);
    if (found === undefined || !(await matchesHash(credential, found.key.hash))) {
      throw new Refusal('unauthenticated', 'The credential is no key of this gateway, or was revoked.');
    }
    const { key, tenant } = found;
    if (key.expiresAt !== null && key.expiresAt <= gateway.now()) {
      throw new Refusal('unauthenticated', `The key expired at ${new Date(key.expiresAt).toISOString()}.`);
    }
    await countRequest(gateway.limits, 'key', key.id, gateway.now());
    return { kind: 'key', key, tenant, session: null };
  }

  async function ofRequest(c: Context<AppEnv>): Promise<Principal> {
    const token = c.req.header('authorization') === undefined ? cookieOf(c) : undefined;
    if (token === undefined) {
      const credential = bearerOf(c);
      c.set('credential', credential);
      return ofKey(credential);
    }
    c.set('credential', token);
    const principal = await principalOfSession(gateway, c, token);
    if (principal !== null) return principal;
    clearSession(c);
    throw new Refusal('unauthenticated', 'The session has ended: sign in again.');
  }

  return { ofRequest, ofKey };
}
