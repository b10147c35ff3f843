/**
 * Who may call a route. Every route but the public ones begins with one of these, and a test walks them all.
 *
 * What is another tenant's is answered as if it were not there; what is one's own but not allowed is answered so.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Actor } from '../contract/events.ts';
import type { SessionRole } from '../contract/sessions.ts';
import { writtenBy } from '../db/database.ts';
import type { MemberRow } from '../db/members.ts';
import { findTenant } from '../db/tenants.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { authorOf } from './author.ts';
import { principalsOf } from './principal.ts';

export interface Access {
  /** The operator only, on what belongs to no tenant. */
  readonly operator: MiddlewareHandler<AppEnv>;
  /** The operator only, on the tenant of the path. */
  readonly operatorOfTenant: MiddlewareHandler<AppEnv>;
  /** Any key and member of the tenant of the path, and the operator. */
  readonly viewer: MiddlewareHandler<AppEnv>;
  /** An admin of the tenant of the path, and the operator. */
  readonly admin: MiddlewareHandler<AppEnv>;
  /** Whoever has a session, on what is their own. */
  readonly signedIn: MiddlewareHandler<AppEnv>;
}

export function accessTo(gateway: Gateway): Access {
  const principals = principalsOf(gateway);

  async function enterTenant(c: Context<AppEnv>, principal: Principal): Promise<void> {
    const slug = c.req.param('tenant') ?? '';
    const tenant = principal.kind === 'operator' ? await findTenant(gateway.db, slug) : principal.tenant;
    if (tenant === undefined || tenant.slug !== slug) throw notFound('tenant', slug);
    c.set('tenant', tenant);
  }

  function check(
    scope: 'gateway' | 'tenant' | 'own',
    allows: (principal: Principal) => boolean,
    otherwise: string,
  ): MiddlewareHandler<AppEnv> {
    return async function access(c, next) {
      const principal = await principals.ofRequest(c);
      if (scope === 'tenant') await enterTenant(c, principal);
      if (scope === 'own' && principal.kind !== 'operator') c.set('tenant', principal.tenant);
      if (!allows(principal)) throw new Refusal('forbidden', otherwise);
      c.set('principal', principal);
      c.set('db', writtenBy(gateway.db, authorOf(gateway, c, actorOf(principal))));
      await next();
    };
  }

  const isOperator = (principal: Principal) => principal.kind === 'operator';
  const mayWrite = (principal: Principal) => roleOf(principal) !== 'viewer';
  return {
    operator: check('gateway', isOperator, OPERATOR_ONLY),
    operatorOfTenant: check('tenant', isOperator, OPERATOR_ONLY),
    viewer: check('tenant', () => true, ''),
    admin: check('tenant', mayWrite, 'A viewer only reads: this takes an admin, or the operator.'),
    signedIn: check('own', ({ session }) => session !== null, 'This is for sessions: with a key there is none.'),
  };
}

export function roleOf(principal: Principal): SessionRole {
  if (principal.kind === 'operator') return 'operator';
  return principal.kind === 'key' ? principal.key.role : principal.member.role;
}

export function actorOf(principal: Principal): Actor {
  switch (principal.kind) {
    case 'operator': {
      const name = principal.session?.email ?? principal.session?.subject;
      return { kind: 'operator', ...(name ? { name } : {}) };
    }
    case 'key':
      return { kind: 'key', id: principal.key.id, name: principal.key.name };
    case 'member':
      return { kind: 'member', id: principal.member.id, name: nameOf(principal.member) };
  }
}

function nameOf({ email, subject }: MemberRow): string {
  return email ?? subject ?? '';
}

const OPERATOR_ONLY = "This is the operator's to do: a tenant's key may not.";
