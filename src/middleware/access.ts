/**
 * Who may call a route. Every route but the public ones begins with one of these, and a test walks them all.
 *
 * What is another tenant's is answered as if it were not there; what is one's own but not allowed is answered so.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Actor } from '../contract/events.ts';
import { findApiKey } from '../db/api-keys.ts';
import { writtenBy } from '../db/database.ts';
import { findTenant } from '../db/tenants.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { hashSecret, matchesHash, secretId } from '../domain/secrets.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { authorOf } from './author.ts';
import { countRequest } from './rate-limit.ts';

export interface Access {
  /** The operator only, on what belongs to no tenant. */
  readonly operator: MiddlewareHandler<AppEnv>;
  /** The operator only, on the tenant of the path. */
  readonly operatorOfTenant: MiddlewareHandler<AppEnv>;
  /** Any key of the tenant of the path, and the operator. */
  readonly viewer: MiddlewareHandler<AppEnv>;
  /** An admin key of the tenant of the path, and the operator. */
  readonly admin: MiddlewareHandler<AppEnv>;
}

export function accessTo(gateway: Gateway): Access {
  const operatorHash = hashSecret(gateway.config.operatorKey);

  async function authenticate(c: Context<AppEnv>): Promise<Principal> {
    const credential = bearerOf(c);
    if (await matchesHash(credential, await operatorHash)) return { kind: 'operator' };
    const id = secretId('olk', credential);
    const found = id === null ? undefined : await findApiKey(gateway.db, id);
    if (found === undefined || !(await matchesHash(credential, found.key.hash))) {
      throw new Refusal('unauthenticated', 'The bearer credential is no key of this gateway, or was revoked.');
    }
    const { key, tenant } = found;
    if (key.expiresAt !== null && key.expiresAt <= gateway.now()) {
      throw new Refusal('unauthenticated', `The key expired at ${new Date(key.expiresAt).toISOString()}.`);
    }
    await countRequest(gateway.limits, 'key', key.id, gateway.now());
    return { kind: 'key', key, tenant };
  }

  async function enterTenant(c: Context<AppEnv>, principal: Principal): Promise<void> {
    const slug = c.req.param('tenant') ?? '';
    const tenant = principal.kind === 'operator' ? await findTenant(gateway.db, slug) : principal.tenant;
    if (tenant === undefined || tenant.slug !== slug) throw notFound('tenant', slug);
    c.set('tenant', tenant);
  }

  function check(
    scope: 'gateway' | 'tenant',
    allows: (principal: Principal) => boolean,
    otherwise: string,
  ): MiddlewareHandler<AppEnv> {
    return async function access(c, next) {
      const principal = await authenticate(c);
      if (scope === 'tenant') await enterTenant(c, principal);
      if (!allows(principal)) throw new Refusal('forbidden', otherwise);
      c.set('db', writtenBy(gateway.db, authorOf(gateway, c, actorOf(principal))));
      await next();
    };
  }

  const isOperator = (principal: Principal) => principal.kind === 'operator';
  const mayWrite = (principal: Principal) => principal.kind === 'operator' || principal.key.role === 'admin';
  return {
    operator: check('gateway', isOperator, OPERATOR_ONLY),
    operatorOfTenant: check('tenant', isOperator, OPERATOR_ONLY),
    viewer: check('tenant', () => true, ''),
    admin: check('tenant', mayWrite, 'A viewer key only reads: this takes an admin key, or the operator.'),
  };
}

function actorOf(principal: Principal): Actor {
  return principal.kind === 'operator'
    ? { kind: 'operator' }
    : { kind: 'key', id: principal.key.id, name: principal.key.name };
}

const OPERATOR_ONLY = "This is the operator's to do: a tenant's key may not.";

/** @returns the bearer credential. @throws Refusal `unauthenticated` where there is none. */
export function bearerOf(c: Context<AppEnv>): string {
  const credential = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (credential === undefined) {
    throw new Refusal('unauthenticated', 'Send a credential: Authorization: Bearer <key>.');
  }
  return credential;
}
