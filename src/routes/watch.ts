import { Hono } from 'hono';
import * as v from 'valibot';
import { followSite } from '../db/site-wireguard.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';

const CursorQuerySchema = v.strictObject({ cursor: v.optional(v.string()) });

export function watchRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/agent/watch',
    describe({
      summary: 'Be told of changes, over a WebSocket: each as a delta, or that it is time to pull',
      tag: 'Agent',
      status: 101,
      errors: ['token_expired', 'site_disabled', 'invalid_query', 'upgrade_required'],
    }),
    agentAccess(gateway),
    query(CursorQuerySchema),
    async (c) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        throw new Refusal('upgrade_required', 'Ask for a WebSocket: Connection: Upgrade, Upgrade: websocket.');
      }
      const { site } = c.get('agent');
      if (await followSite(c.get('db'), site, gateway.clientAddress(c))) c.set('changedTenants', [site.tenantId]);
      return gateway.hub.watch(c, c.get('agent'), c.req.valid('query').cursor ?? '');
    },
  );

  return app;
}
