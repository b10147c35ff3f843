import { Hono } from 'hono';
import { MacReportedSchema, MacReportSchema } from '../contract/macs.ts';
import { saveMacReport } from '../db/mac-reports.ts';
import { formatCursor } from '../domain/cursor.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { body } from '../middleware/body.ts';
import { describe } from './describe.ts';

export function agentMacRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/agent/macs',
    describe({
      summary: 'Say which stations came to be on the site’s ports, and which no longer are',
      tag: 'Agent',
      status: 200,
      gives: MacReportedSchema,
      errors: ['token_expired', 'site_disabled', 'invalid_body'],
    }),
    agentAccess(gateway),
    body(MacReportSchema),
    async (c) => {
      const { site, tenant } = c.get('agent');
      const from = { tenantId: tenant.id, siteId: site.id };
      const { revision, rejected } = await saveMacReport(c.get('db'), from, c.req.valid('json'), gateway.now());
      return c.json({ cursor: formatCursor({ epoch: tenant.epoch, siteId: site.id }, revision), rejected });
    },
  );

  return app;
}
