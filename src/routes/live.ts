import { Hono } from 'hono';
import { Refusal } from '../domain/refusal.ts';
import type { Credential } from '../domain/viewer.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { describe } from './describe.ts';

export function liveRoutes({ hub }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/live',
    describe({
      summary:
        'Look at the tenant, over a WebSocket: what changes and happens, which sites come and go, and what they carry',
      tag: 'Overview',
      status: 101,
      errors: ['not_found', 'origin_mismatch', 'upgrade_required'],
    }),
    access.viewer,
    async (c) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
        throw new Refusal('upgrade_required', 'Ask for a WebSocket: Connection: Upgrade, Upgrade: websocket.');
      }
      const credential = credentialOf(c.get('principal'));
      return hub.live(c, c.get('tenant').id, { credential, told: null });
    },
  );

  return app;
}

/** What ends the looking when it ends; the operator's own key ends with the gateway's process. */
function credentialOf(principal: Principal): Credential | null {
  if (principal.session !== null) return { kind: 'session', id: principal.session.id };
  return principal.kind === 'key' ? { kind: 'key', id: principal.key.id } : null;
}
