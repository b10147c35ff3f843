import { Hono } from 'hono';
import { UsageSchema } from '../contract/usage.ts';
import { mostMacs } from '../db/networks.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { describe } from './describe.ts';

export function usageRoutes({ db, config }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/usage',
    describe({
      summary: 'Show what the tenant has of what it may have',
      tag: 'Tenants',
      status: 200,
      gives: UsageSchema,
      errors: ['not_found'],
    }),
    access.viewer,
    async (c) => {
      const { id, networkCount, restingVnis, limitNetworks, siteCount, limitSites, limitMacsPerNetwork } =
        c.get('tenant');
      return c.json({
        networks: { used: networkCount, limit: limitNetworks },
        sites: { used: siteCount, limit: limitSites },
        macsPerNetwork: { used: await mostMacs(db, id), limit: limitMacsPerNetwork },
        vnis: { used: networkCount + restingVnis, limit: 2 * limitNetworks },
        vniHoldSeconds: config.vniHoldSeconds,
      });
    },
  );

  return app;
}
