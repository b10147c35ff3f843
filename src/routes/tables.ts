import { Hono } from 'hono';
import * as v from 'valibot';
import { TableUpdateSchema } from '../contract/table.ts';
import { pullTable } from '../db/pull-table.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';

const CursorQuerySchema = v.strictObject({ cursor: v.optional(v.string()) });

export function tableRoutes(gateway: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/agent/tables',
    describe({
      summary:
        "The site's table: what changed after the cursor, or all of it where the cursor is none that can be gone on from",
      tag: 'Agent',
      status: 200,
      gives: TableUpdateSchema,
      also: { 304: 'Nothing is new since the cursor' },
      errors: ['token_expired', 'site_disabled', 'invalid_query'],
    }),
    agentAccess(gateway),
    query(CursorQuerySchema),
    async (c) => {
      const update = await pullTable(gateway.db, c.get('agent'), c.req.valid('query').cursor ?? '');
      if (update === 'unchanged') return c.body(null, 304);
      if (update === 'deleted') throw new Refusal('unauthenticated', 'The site was deleted: enrol it again.');
      return c.json(update);
    },
  );

  return app;
}
