import { Hono } from 'hono';
import { noteLook } from '../db/sessions.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Credential } from '../domain/viewer.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { type Access, actorOf } from '../middleware/access.ts';
import { describe } from './describe.ts';

export function liveRoutes({ db, hub }: Gateway, access: Access): Hono<AppEnv> {
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
      const principal = c.get('principal');
      const { id } = c.get('tenant');
      // Signing out of a tenant's session is told to that tenant; of the operator's it must be known to which.
      if (principal.kind === 'operator' && principal.session !== null) await noteLook(db, principal.session.id, id);
      const by = actorOf(principal).id ?? 'operator';
      return hub.live(c, id, { credential: credentialOf(principal), by, told: null });
    },
  );

  return app;
}

/** What ends the looking when it ends; the operator's own key ends with the gateway's process. */
function credentialOf(principal: Principal): Credential | null {
  if (principal.session !== null) return { kind: 'session', id: principal.session.id };
  return principal.kind === 'key' ? { kind: 'key', id: principal.key.id } : null;
}
