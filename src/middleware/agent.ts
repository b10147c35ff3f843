import type { MiddlewareHandler } from 'hono';
import { findAgentSession } from '../db/agent-sessions.ts';
import { writtenBy } from '../db/database.ts';
import { readKeyId, verifyAgentToken } from '../domain/agent-token.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { authorOf } from './author.ts';
import { bearerOf } from './bearer.ts';
import { originsFor } from './origins.ts';
import { countRequest } from './rate-limit.ts';

/** Lets in the agent of a site that is there and enabled, by its signed token; leaves its site and tenant for the handler. */
export function agentAccess(gateway: Gateway): MiddlewareHandler<AppEnv> {
  return async function agentAccess(c, next) {
    const token = bearerOf(c);
    const siteId = readKeyId(token);
    const session = await findAgentSession(gateway.db, siteId);
    const publicKey = session?.site.publicKey ?? null;
    if (session === undefined || publicKey === null) {
      throw new Refusal('unauthenticated', 'The site is unknown or was deleted: enrol it again.');
    }
    const now = gateway.now();
    await verifyAgentToken(token, { publicKey, subject: siteId, origins: originsFor(gateway, c), now });
    await countRequest(gateway.limits, 'site', siteId, now);
    if (session.site.disabled) throw new Refusal('site_disabled', `Site "${session.site.name}" is disabled.`);
    const { id, name } = session.site;
    c.set('agent', session);
    c.set('db', writtenBy(gateway.db, authorOf(gateway, c, { kind: 'site', id, name })));
    await next();
  };
}
