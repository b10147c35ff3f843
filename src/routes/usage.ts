import { Hono } from 'hono';
import { UsageSchema } from '../contract/usage.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { describe } from './describe.ts';

export function usageRoutes(_gateway: Gateway, access: Access): Hono<AppEnv> {
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
    (c) => {
      const { networkCount, limitNetworks, siteCount, limitSites } = c.get('tenant');
      return c.json({
        networks: { used: networkCount, limit: limitNetworks },
        sites: { used: siteCount, limit: limitSites },
      });
    },
  );

  return app;
}
