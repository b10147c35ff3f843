import { Hono } from 'hono';
import { PathsSchema } from '../contract/paths.ts';
import { readPaths } from '../db/paths.ts';
import { pathsOf } from '../domain/paths.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { agentAccess } from '../middleware/agent.ts';
import { describe } from './describe.ts';
import { siteOf } from './sites.ts';

export function pathRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db } = gateway;
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/sites/:site/paths',
    describe({
      summary: 'Show what the paths between a site and its peers are like, as each end sees them',
      tag: 'Sites',
      status: 200,
      gives: PathsSchema,
      errors: ['not_found'],
    }),
    access.viewer,
    async (c) => {
      const tenantId = c.get('tenant').id;
      const { site } = await siteOf(db, tenantId, c.req.param('site'));
      return c.json({ items: pathsOf(await readPaths(db, tenantId, site.id)) });
    },
  );

  app.get(
    '/v1/agent/paths',
    describe({
      summary: 'Hear what the paths between this site and its peers are like, as each end said it',
      tag: 'Agent',
      status: 200,
      gives: PathsSchema,
      errors: ['token_expired', 'site_disabled'],
    }),
    agentAccess(gateway),
    async (c) => {
      const { site } = c.get('agent');
      return c.json({ items: pathsOf(await readPaths(db, site.tenantId, site.id)) });
    },
  );

  return app;
}
