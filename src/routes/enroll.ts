import { type Context, Hono } from 'hono';
import { type Enroll, type Enrolled, EnrolledSchema, EnrollSchema } from '../contract/agent.ts';
import { type Database, writtenBy } from '../db/database.ts';
import { enrolSite, findJoinToken, findSiteByKey } from '../db/enrolment.ts';
import type { JoinTokenRow } from '../db/join-tokens.ts';
import { saveVersion } from '../db/site-reports.ts';
import { type NewSite, patchSite, type SiteRow } from '../db/sites.ts';
import { refusalOf } from '../db/store-error.ts';
import { verifyAgentToken } from '../domain/agent-token.ts';
import { newId } from '../domain/ids.ts';
import { faultAt, Refusal } from '../domain/refusal.ts';
import { matchesHash, secretId } from '../domain/secrets.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { authorOf } from '../middleware/author.ts';
import { bearerOf } from '../middleware/bearer.ts';
import { body } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { originsFor } from '../middleware/origins.ts';
import { countRequest } from '../middleware/rate-limit.ts';
import { describe } from './describe.ts';

export function enrollRoutes(gateway: Gateway): Hono<AppEnv> {
  const { db } = gateway;
  const as = (c: Context<AppEnv>, { id, name }: { id: string; name: string }) =>
    writtenBy(c.get('db'), authorOf(gateway, c, { kind: 'site', id, name }));
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/agent/enroll',
    describe({
      summary: 'Enrol a site by a join token and a proof of its key; the same key again finds the same site',
      tag: 'Agent',
      status: 201,
      gives: EnrolledSchema,
      also: { 200: 'The site was there already' },
      errors: [
        ...ONCE_ERRORS,
        'token_expired',
        'join_token_invalid',
        'join_token_expired',
        'join_token_used_up',
        'site_disabled',
        'quota_exceeded',
        'invalid_body',
        'name_taken',
        'vtep_taken',
        'key_taken',
      ],
    }),
    // A credential must be there before the body is read; whether it proves the key can be said only after.
    async function hasProof(c, next) {
      bearerOf(c);
      c.set('db', db);
      await next();
    },
    body(EnrollSchema),
    async function provesKey(c, next) {
      const { publicKey } = c.req.valid('json');
      const check = { publicKey, subject: publicKey, origins: originsFor(gateway, c), now: gateway.now() };
      await verifyAgentToken(bearerOf(c), check);
      // By its key: a site that enrols anew is as much of a burden as one that asks.
      await countRequest(gateway.limits, 'site', publicKey, gateway.now());
      await next();
    },
    once(gateway, (c) => {
      const { publicKey, token } = c.req.valid('json' as never) as Enroll;
      return { scope: publicKey, secret: token };
    }),
    async (c) => {
      const asked = c.req.valid('json');
      const now = gateway.now();
      const { publicKey } = asked;
      const { token, tenantSlug } = await tokenOf(db, asked.token);
      c.set('changedTenants', [token.tenantId]);
      const vtep = { address: asked.vtep.address ?? seenAddress(gateway, c), port: asked.vtep.port };

      const known = await findSiteByKey(db, publicKey);
      if (known !== undefined)
        return c.json(await enrolAgain(as(c, known), known, token, tenantSlug, vtep, asked.version, now), 200);

      assertUsable(token, now);
      const site = newSite(asked, token, vtep, now);
      try {
        await enrolSite(as(c, site), token, site, asked.version);
      } catch (error) {
        // The same key may have enrolled at this very moment: then that one's site is this one's.
        const same = refusalOf(error) === null ? undefined : await findSiteByKey(db, publicKey);
        if (same === undefined) throw error;
        return c.json(await enrolAgain(as(c, same), same, token, tenantSlug, vtep, asked.version, now), 200);
      }
      return c.json<Enrolled>({ site: site.id, tenant: tenantSlug, name: site.name, vtep }, 201);
    },
  );

  return app;
}

interface VtepAddress {
  readonly address: string;
  readonly port: number;
}

/** @throws Refusal `join_token_invalid`: one answer for unknown, revoked and forged. */
async function tokenOf(db: Database, text: string): Promise<{ token: JoinTokenRow; tenantSlug: string }> {
  const id = secretId('olj', text);
  const found = id === null ? undefined : await findJoinToken(db, id);
  if (found === undefined || !(await matchesHash(text, found.token.hash))) {
    throw new Refusal('join_token_invalid', 'The join token is unknown or was revoked.');
  }
  return found;
}

function assertUsable(token: JoinTokenRow, now: number): void {
  if (token.expiresAt <= now) {
    const at = new Date(token.expiresAt).toISOString();
    throw new Refusal('join_token_expired', `The join token expired at ${at}; make another.`);
  }
  if (token.uses >= token.maxUses) {
    throw new Refusal(
      'join_token_used_up',
      `The join token was for ${token.maxUses} site(s) and is used up; make another.`,
    );
  }
}

/** Keeps the site's name, labels and networks; takes its VTEP and version, which the host knows best. */
async function enrolAgain(
  db: Database,
  site: SiteRow,
  token: JoinTokenRow,
  tenant: string,
  vtep: VtepAddress,
  version: string,
  now: number,
): Promise<Enrolled> {
  if (site.tenantId !== token.tenantId) {
    throw new Refusal('key_taken', 'The public key belongs to a site elsewhere: give this one a key of its own.');
  }
  if (site.disabled) throw new Refusal('site_disabled', `Site "${site.name}" is disabled.`);
  await patchSite(db, site, { vtep }, now);
  await saveVersion(db, { tenantId: site.tenantId, siteId: site.id }, version, now);
  return { site: site.id, tenant, name: site.name, vtep };
}

function newSite(asked: Enroll, token: JoinTokenRow, vtep: VtepAddress, now: number): NewSite {
  return {
    id: newId(now),
    tenantId: token.tenantId,
    name: asked.name,
    kind: 'agent',
    publicKey: asked.publicKey,
    vtepAddress: vtep.address,
    vtepPort: vtep.port,
    labels: token.labels,
    place: null,
    createdAt: now,
  };
}

/** @throws Refusal where the host can't tell where the request came from. */
function seenAddress(gateway: Gateway, c: Context<AppEnv>): string {
  const address = gateway.clientAddress(c);
  if (address === null) {
    throw faultAt('vtep.address', 'must be given: the gateway cannot see which address this request came from');
  }
  return address;
}
