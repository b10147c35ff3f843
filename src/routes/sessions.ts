import { Hono } from 'hono';
import { pageSchema } from '../contract/pages.ts';
import { type SessionItem, SessionItemSchema, SessionsQuerySchema } from '../contract/sessions.ts';
import { type Page, readPageCursor } from '../db/page.ts';
import { endSession, type FoundSession, listSessions } from '../db/sessions.ts';
import type { AppEnv, Gateway, Principal } from '../gateway.ts';
import { type Access, actorOf, roleOf } from '../middleware/access.ts';
import { query } from '../middleware/body.ts';
import { worthOf } from '../middleware/session.ts';
import { describe } from './describe.ts';

const tag = 'Sessions';

export function sessionsRoutes({ db, now, config }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  async function show(
    tenantId: string | null,
    asker: Principal,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<SessionItem>> {
    const time = now();
    const page = await listSessions(db, tenantId, { limit, after: readPageCursor(cursor) }, time);
    const toItem = (found: FoundSession): SessionItem[] => {
      const worth = worthOf(found, config.operators, time);
      return worth === null ? [] : [itemOf(found, worth, asker)];
    };
    return { ...page, items: page.items.flatMap(toItem) };
  }

  app.get(
    '/v1/tenants/:tenant/sessions',
    describe({
      summary: 'List who is signed in to the tenant',
      tag,
      status: 200,
      gives: pageSchema(SessionItemSchema),
      errors: ['forbidden', 'not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.admin,
    query(SessionsQuerySchema),
    async (c) => c.json(await show(c.get('tenant').id, c.get('principal'), c.req.valid('query'))),
  );

  app.delete(
    '/v1/tenants/:tenant/sessions/:id',
    describe({ summary: 'End a session at once', tag, status: 204, errors: ['forbidden', 'not_found'] }),
    access.admin,
    async (c) => {
      await endSession(c.get('db'), c.get('tenant').id, c.req.param('id'));
      return c.body(null, 204);
    },
  );

  app.get(
    '/v1/sessions',
    describe({
      summary: 'List who is signed in as the operator',
      tag,
      status: 200,
      gives: pageSchema(SessionItemSchema),
      errors: ['forbidden', 'invalid_query', 'invalid_cursor'],
    }),
    access.operator,
    query(SessionsQuerySchema),
    async (c) => c.json(await show(null, c.get('principal'), c.req.valid('query'))),
  );

  app.delete(
    '/v1/sessions/:id',
    describe({
      summary: "End one of the operator's sessions at once",
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.operator,
    async (c) => {
      c.set('changedTenants', await endSession(c.get('db'), null, c.req.param('id')));
      return c.body(null, 204);
    },
  );

  return app;
}

function itemOf({ session }: FoundSession, worth: Principal, asker: Principal): SessionItem {
  return {
    id: session.id,
    who: actorOf(worth).name ?? 'operator',
    role: roleOf(worth),
    current: session.id === asker.session?.id,
    ...(session.address === null ? {} : { address: session.address }),
    createdAt: new Date(session.createdAt).toISOString(),
    lastUsedAt: new Date(session.usedAt).toISOString(),
    expiresAt: new Date(session.expiresAt).toISOString(),
  };
}
