import { Hono } from 'hono';
import { tunnelAddressOf, WireguardPublishedSchema, WireguardPublishSchema } from '../contract/wireguard.ts';
import { countWaitingFor, publishWireguard } from '../db/site-wireguard.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { body } from '../middleware/body.ts';
import { describe } from './describe.ts';

export function agentWireguardRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.put(
    '/v1/agent/wireguard',
    describe({
      summary: 'Say by which WireGuard keys the site is reached, and hear how many peers still have to follow',
      tag: 'Agent',
      status: 200,
      gives: WireguardPublishedSchema,
      errors: ['token_expired', 'site_disabled', 'invalid_body', 'key_taken', 'not_found'],
    }),
    agentAccess(gateway),
    body(WireguardPublishSchema),
    async (c) => {
      const said = c.req.valid('json');
      const { site } = c.get('agent');
      const keys = await Promise.all(
        said.keys.map(async ({ publicKey, port }) => ({ publicKey, port, address: await tunnelAddressOf(publicKey) })),
      );
      const address = said.address ?? gateway.clientAddress(c);
      await publishWireguard(c.get('db'), site, { keys, address, isGiven: said.address !== undefined });
      return c.json({ address, waitingFor: await countWaitingFor(gateway.db, site.tenantId, site.id) });
    },
  );

  return app;
}
