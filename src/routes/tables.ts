import { Hono } from 'hono';
import * as v from 'valibot';
import { TableUpdateSchema } from '../contract/table.ts';
import { readTable } from '../db/tables.ts';
import { formatCursor, readCursor } from '../domain/cursor.ts';
import { Refusal } from '../domain/refusal.ts';
import { deltaOf, snapshotOf } from '../domain/table-update.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { agentAccess } from '../middleware/agent.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';

const CursorQuerySchema = v.strictObject({ cursor: v.optional(v.string()) });

export function tableRoutes(gateway: Gateway): Hono<AppEnv> {
  const { db } = gateway;
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
      const { site, tenant } = c.get('agent');
      const from = c.req.valid('query').cursor ?? '';
      const owner = { epoch: tenant.epoch, siteId: site.id };
      const since = readCursor(owner, from);
      // Who may ask was read with the tenant's revision: "nothing new" costs nothing beyond it.
      if (since === tenant.revision) return c.body(null, 304);

      const place = { tenantId: tenant.id, siteId: site.id };
      const usable = since !== null && since >= tenant.purgedRevision && since <= tenant.revision;
      let moment = await readTable(db, place, usable ? since : null);
      let isDelta = usable;
      if (isDelta && moment !== null && since !== null && since < moment.purgedRevision) {
        // Tombstones that this cursor needs were purged in between.
        moment = await readTable(db, place, null);
        isDelta = false;
      }
      if (moment === null) throw new Refusal('unauthenticated', 'The site was deleted: enrol it again.');
      const cursor = formatCursor(owner, moment.revision);
      return c.json(isDelta ? deltaOf(moment, from, cursor) : snapshotOf(moment, cursor));
    },
  );

  return app;
}
