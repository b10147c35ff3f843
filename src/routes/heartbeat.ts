import { Hono } from 'hono';
import { HeartbeatSchema } from '../contract/agent.ts';
import { saveHeartbeat } from '../db/site-reports.ts';
import { followSite } from '../db/site-wireguard.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { body } from '../middleware/body.ts';
import { describe } from './describe.ts';

export function heartbeatRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/agent/heartbeat',
    describe({
      summary: 'Say how far the site has come',
      tag: 'Agent',
      status: 204,
      errors: ['token_expired', 'site_disabled', 'invalid_body'],
    }),
    agentAccess(gateway),
    body(HeartbeatSchema),
    async (c) => {
      const { site } = c.get('agent');
      const from = { tenantId: site.tenantId, siteId: site.id };
      await saveHeartbeat(c.get('db'), from, c.req.valid('json'), gateway.now());
      if (await followSite(c.get('db'), site, gateway.clientAddress(c))) c.set('changedTenants', [site.tenantId]);
      return c.body(null, 204);
    },
  );

  return app;
}
