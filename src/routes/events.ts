import { Hono } from 'hono';
import * as v from 'valibot';
import { type Event, EventSchema, EventsQuerySchema, formatEventId, parseEventId } from '../contract/events.ts';
import { pageSchema } from '../contract/pages.ts';
import { eventIdOf, toEvent } from '../db/event-view.ts';
import { lastLookedAt, listEvents, NO_TENANT } from '../db/events.ts';
import { cursorAt, type Page, pageOf, readPageCursor } from '../db/page.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';

const tag = 'Events';

/** The operator's own list can also be asked for a tenant by its id: also for one that is no more. */
const GatewayEventsQuerySchema = v.strictObject({ ...EventsQuerySchema.entries, tenant: v.optional(v.string()) });

export function eventRoutes({ db }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  async function show(tenantId: string, asked: v.InferOutput<typeof EventsQuerySchema>): Promise<Page<Event>> {
    const { limit, cursor, since = null, kind, site, network, search, order } = asked;
    const key = readPageCursor(cursor);
    const after = key === '' ? null : parseEventId(key);
    if (key !== '' && after === null) {
      throw new Refusal('invalid_cursor', "cursor: must be a nextCursor of this list's, or absent for the first page.");
    }
    const range = { order, since, after };
    const filter = { kind, site, network, search };
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    const upTo = isFiltered ? await lastLookedAt(db, tenantId, range) : null;
    const rows = await listEvents(db, tenantId, { ...range, ...filter, upTo, limit: limit + 1 });
    const { items, nextCursor } = pageOf(rows, limit, eventIdOf);
    // With too few, or none, it goes on where this page stopped looking.
    return { items: items.map(toEvent), nextCursor: nextCursor ?? (upTo && cursorAt(formatEventId(upTo))) };
  }

  app.get(
    '/v1/tenants/:tenant/events',
    describe({
      summary:
        'List what happened, oldest first unless asked; to follow, ask again with `since` the id of the last event seen',
      tag,
      status: 200,
      gives: pageSchema(EventSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(EventsQuerySchema),
    async (c) => c.json(await show(c.get('tenant').id, c.req.valid('query'))),
  );

  app.get(
    '/v1/events',
    describe({
      summary: "List what happened to tenants as such and to shared pools; with `tenant`, a tenant's events by its id",
      tag,
      status: 200,
      gives: pageSchema(EventSchema),
      errors: ['forbidden', 'invalid_query', 'invalid_cursor'],
    }),
    access.operator,
    query(GatewayEventsQuerySchema),
    async (c) => {
      const { tenant = NO_TENANT, ...asked } = c.req.valid('query');
      return c.json(await show(tenant, asked));
    },
  );

  return app;
}
