import { Hono } from 'hono';
import { RotateKeySchema } from '../contract/agent.ts';
import { rotateSiteKey } from '../db/sites.ts';
import { verifyAgentToken } from '../domain/agent-token.ts';
import { faultAt, Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { body } from '../middleware/body.ts';
import { originsFor } from '../middleware/origins.ts';
import { describe } from './describe.ts';

export function siteKeyRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/agent/key',
    describe({
      summary:
        'Give the site another key: signed by the one it has, with a proof of the other; the old one is refused from then on',
      tag: 'Agent',
      status: 204,
      errors: ['token_expired', 'site_disabled', 'invalid_body', 'key_taken', 'conflict'],
    }),
    agentAccess(gateway),
    body(RotateKeySchema),
    async (c) => {
      const { publicKey, proof } = c.req.valid('json');
      const { site } = c.get('agent');
      const check = {
        publicKey,
        subject: publicKey,
        site: site.id,
        origins: originsFor(gateway, c),
        now: gateway.now(),
      };
      await verifyAgentToken(proof, check).catch((error: unknown) => {
        throw error instanceof Refusal ? faultAt('proof', error.message) : error;
      });
      await rotateSiteKey(c.get('db'), site, site.publicKey!, publicKey);
      return c.body(null, 204);
    },
  );

  return app;
}
