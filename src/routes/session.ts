/** Signing in and out by a key, and who is signed in. */
import { type Context, Hono } from 'hono';
import {
  type Session,
  SessionSchema,
  type SignInMethods,
  SignInMethodsSchema,
  SignInSchema,
} from '../contract/sessions.ts';
import { findMemberships } from '../db/members.ts';
import { endSession, type SessionRow } from '../db/sessions.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { type Access, actorOf, roleOf } from '../middleware/access.ts';
import { body } from '../middleware/body.ts';
import { principalsOf } from '../middleware/principal.ts';
import { countFailure } from '../middleware/rate-limit.ts';
import { assertOwnPage, clearSession, cookieOf, principalOfSession } from '../middleware/session.ts';
import { describe } from './describe.ts';
import { openSession } from './open-session.ts';

const tag = 'Sessions';

export function sessionRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, config } = gateway;
  const principals = principalsOf(gateway);
  const app = new Hono<AppEnv>();

  async function show(principal: Principal, session: SessionRow): Promise<Session> {
    const tenants = principal.kind === 'member' ? await tenantsOf(session) : undefined;
    const tenant = principal.kind === 'operator' ? null : nameOf(principal.tenant);
    return {
      id: session.id,
      role: roleOf(principal),
      tenant,
      who: actorOf(principal).name ?? 'operator',
      expiresAt: new Date(session.expiresAt).toISOString(),
      ...(tenants === undefined ? {} : { tenants }),
    };
  }

  async function tenantsOf({ subject, email }: SessionRow): Promise<Session['tenants']> {
    if (subject === null) return [];
    return (await findMemberships(db, { subject, email })).map(({ tenant }) => nameOf(tenant));
  }

  async function signedIn(c: Context<AppEnv>): Promise<Session | null> {
    const token = cookieOf(c);
    if (token === undefined) return null;
    const principal = await principalOfSession(gateway, c, token);
    if (principal !== null) return show(principal, principal.session!);
    clearSession(c);
    await countFailure(gateway, c);
    return null;
  }

  app.get(
    '/v1/sign-in-methods',
    describe({
      summary: 'Say how one can sign in to the dashboard, and who is signed in',
      tag,
      status: 200,
      gives: SignInMethodsSchema,
      isPublic: true,
    }),
    async (c) => {
      const { identity } = config;
      const url = identity?.kind === 'access' ? '/v1/access/start' : '/v1/oidc/start';
      const oidc = identity === null ? null : { name: identity.name, url };
      return c.json<SignInMethods>({ key: true, oidc, session: await signedIn(c) });
    },
  );

  app.post(
    '/v1/session',
    describe({
      summary: 'Sign in: exchange a key for a session, which is kept in a cookie',
      tag,
      status: 201,
      gives: SessionSchema,
      errors: ['unauthenticated', 'rate_limited', 'origin_mismatch', 'invalid_body'],
      isPublic: true,
    }),
    body(SignInSchema),
    async (c) => {
      // A program may sign in; a page of somebody else's may not do it for one who looks at it.
      if (c.req.header('origin') !== undefined) assertOwnPage(gateway, c);
      const principal = await principals.ofKey(c.req.valid('json').key);
      const owner =
        principal.kind === 'key'
          ? { tenantId: principal.tenant.id, keyId: principal.key.id }
          : { tenantId: null, keyId: null };
      const until = principal.kind === 'key' ? principal.key.expiresAt : null;
      const session = await openSession(gateway, c, actorOf(principal), { ...owner, until });
      return c.json(await show(principal, session), 201);
    },
  );

  app.get(
    '/v1/session',
    describe({ summary: 'Say who is signed in', tag, status: 200, gives: SessionSchema, errors: ['forbidden'] }),
    access.signedIn,
    async (c) => {
      const principal = c.get('principal');
      return c.json(await show(principal, principal.session!));
    },
  );

  app.delete(
    '/v1/session',
    describe({ summary: 'Sign out', tag, status: 204, errors: ['forbidden', 'origin_mismatch'] }),
    access.signedIn,
    async (c) => {
      const { tenantId, id } = c.get('principal').session!;
      c.set('changedTenants', await endSession(c.get('db'), tenantId, id));
      clearSession(c);
      return c.body(null, 204);
    },
  );

  return app;
}

function nameOf({ slug, name }: { readonly slug: string; readonly name: string }): { slug: string; name: string } {
  return { slug, name };
}
