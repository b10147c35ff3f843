import { Hono } from 'hono';
import { AlertsSchema, MAX_ALERTS } from '../contract/alerts.ts';
import { listFrozenMacs } from '../db/frozen-macs.ts';
import { readTopology } from '../db/topology.ts';
import { alertsOf } from '../domain/alerts.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { briefly } from '../middleware/briefly.ts';
import { describe } from './describe.ts';

export function alertRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/alerts',
    describe({
      summary: 'List what is not well at this moment, the worst first',
      tag: 'Overview',
      status: 200,
      gives: AlertsSchema,
      errors: ['not_found'],
    }),
    access.viewer,
    briefly(gateway),
    async (c) => {
      const { id, networkCount, limitNetworks, siteCount, limitSites, limitMacsPerNetwork } = c.get('tenant');
      const time = now();
      const [topology, frozen] = await Promise.all([readTopology(db, id), listFrozenMacs(db, id, time)]);
      const usage = [
        { of: 'networks', used: networkCount, limit: limitNetworks },
        { of: 'sites', used: siteCount, limit: limitSites },
      ];
      const alerts = alertsOf({ ...topology, frozen, usage, macsLimit: limitMacsPerNetwork }, time);
      return c.json({ items: alerts.slice(0, MAX_ALERTS), total: alerts.length });
    },
  );

  return app;
}
