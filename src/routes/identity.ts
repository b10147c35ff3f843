/** Signing in by an identity provider. The browser comes here by itself, so every answer sends it on to a page. */
import { type Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { SignInError } from '../contract/sessions.ts';
import { findMemberships } from '../db/members.ts';
import { isOperator, type Person } from '../domain/person.ts';
import { seal, unseal } from '../domain/sealed.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { ACCESS_COOKIE, ACCESS_HEADER, Access } from '../identity/access.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { type Begun, Oidc } from '../identity/oidc.ts';
import { originsFor } from '../middleware/origins.ts';
import { countFailure, countRequest } from '../middleware/rate-limit.ts';
import { describe } from './describe.ts';
import { openSession } from './open-session.ts';

const tag = 'Sessions';
/** What is remembered of a sign-in under way. Lax: the provider's page is what sends the browser back. */
const BEGUN_COOKIE = '__Host-overlane-sign-in';
const BEGUN_SECONDS = 600;
const COOKIE = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const;

export function identityRoutes(gateway: Gateway): Hono<AppEnv> {
  const { config, now, log } = gateway;
  const { identity } = config;
  const app = new Hono<AppEnv>();

  /** Lets the person in, to the tenant that was asked for where they are of that. @throws IdentityError `not_a_member`; Refusal `rate_limited`. */
  async function letIn(c: Context<AppEnv>, person: Person, wanted: string, until: number | null): Promise<void> {
    const { subject, email } = person;
    if (isOperator(config.operators, person)) {
      const owner = { tenantId: null, subject, email, until };
      await openSession(gateway, c, { kind: 'operator', name: person.name }, owner);
      return;
    }
    const memberships = await findMemberships(gateway.db, person);
    const found = memberships.find(({ tenant }) => tenant.slug === wanted) ?? memberships[0];
    if (found === undefined) throw new IdentityError('not_a_member', 'no tenant lists them');
    const { member, tenant } = found;
    await countRequest(gateway.limits, 'key', member.id, now());
    const actor = { kind: 'member', id: member.id, name: member.email ?? person.name } as const;
    await openSession(gateway, c, actor, { tenantId: tenant.id, memberId: member.id, subject, email, until });
  }

  /** Does what may fail, and sends the browser to the page, or back to where it says why not. */
  async function orSayWhy(c: Context<AppEnv>, act: () => Promise<Response>): Promise<Response> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      log.error(
        { requestId: c.get('requestId'), code: error.code, error },
        'signing in by the identity provider failed',
      );
      // A wrong answer makes this gateway ask the provider, so who has many is not listened to for a while.
      await countFailure(gateway, c);
      return backToSignIn(c, error.code);
    }
  }

  if (identity?.kind === 'oidc') {
    const oidc = new Oidc(identity, now);
    const end = (c: Context<AppEnv>): string => `${originOf(gateway, c)}/v1/oidc/end`;

    app.get(
      '/v1/oidc/start',
      describe({ summary: 'Go to the identity provider to sign in', tag, status: 302, isPublic: true }),
      (c) =>
        orSayWhy(c, async () => {
          const { url, begun } = await oidc.begin(end(c), c.req.query('tenant') ?? '');
          const sealed = await seal(JSON.stringify({ ...begun, at: now() }), config.operatorKey, BEGUN_COOKIE);
          setCookie(c, BEGUN_COOKIE, sealed, { ...COOKIE, maxAge: BEGUN_SECONDS });
          return c.redirect(url.href);
        }),
    );

    app.get(
      '/v1/oidc/end',
      describe({ summary: 'Come back from the identity provider, signed in', tag, status: 302, isPublic: true }),
      (c) =>
        orSayWhy(c, async () => {
          const begun = await begunOf(c);
          deleteCookie(c, BEGUN_COOKIE, COOKIE);
          if (begun === null) return backToSignIn(c, 'outdated');
          const person = await oidc.end(new URL(c.req.url), end(c), begun);
          await letIn(c, person, begun.tenant, null);
          return c.redirect('/');
        }),
    );
  }

  if (identity?.kind === 'access') {
    const provider = new Access(identity, now);
    app.get(
      '/v1/access/start',
      describe({ summary: 'Sign in as who Cloudflare Access says that one is', tag, status: 302, isPublic: true }),
      (c) =>
        orSayWhy(c, async () => {
          const token = c.req.header(ACCESS_HEADER) ?? getCookie(c, ACCESS_COOKIE);
          // Cloudflare Access is not in front.
          if (token === undefined) return backToSignIn(c, 'refused');
          const { person, until } = await provider.verify(token);
          await letIn(c, person, c.req.query('tenant') ?? '', until);
          return c.redirect('/');
        }),
    );
  }

  async function begunOf(c: Context<AppEnv>): Promise<Begun | null> {
    const text = await unseal(getCookie(c, BEGUN_COOKIE) ?? '', config.operatorKey, BEGUN_COOKIE);
    const begun = text === null ? null : (JSON.parse(text) as Begun & { readonly at: number });
    return begun !== null && begun.at > now() - BEGUN_SECONDS * 1000 ? begun : null;
  }

  return app;
}

/** By itself for who shows nothing: any page can send a browser here, and must not use up the tries of its address. */
function backToSignIn(c: Context<AppEnv>, code: SignInError): Response {
  return c.redirect(`/sign-in?error=${code}`);
}

/** Of several origins the one that the browser used, so that it comes back to where its cookie is. */
function originOf(gateway: Gateway, c: Context<AppEnv>): string {
  const origins = originsFor(gateway, c);
  return origins.find((origin) => new URL(origin).host === new URL(c.req.url).host) ?? origins[0]!;
}
