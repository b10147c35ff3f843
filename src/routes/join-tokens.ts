import { Hono } from 'hono';
import {
  DEFAULT_TOKEN_SECONDS,
  type JoinToken,
  type JoinTokenCreate,
  JoinTokenCreatedSchema,
  JoinTokenCreateSchema,
  JoinTokenSchema,
} from '../contract/join-tokens.ts';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import type { PortSpec } from '../contract/port.ts';
import type { Database } from '../db/database.ts';
import {
  createJoinToken,
  deleteJoinToken,
  getJoinToken,
  type JoinTokenRow,
  listJoinTokens,
  resolveNetworks,
} from '../db/join-tokens.ts';
import { readPageCursor } from '../db/page.ts';
import { newId } from '../domain/ids.ts';
import { assertPortFits } from '../domain/port-rules.ts';
import { faultAt, notFound } from '../domain/refusal.ts';
import { hashSecret, newSecret } from '../domain/secrets.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'Join tokens';

export function joinTokenRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/tenants/:tenant/join-tokens',
    describe({
      summary: 'Make a join token; it is shown this once',
      tag,
      status: 201,
      gives: JoinTokenCreatedSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'not_found', 'invalid_body', 'quota_exceeded', 'port_not_for_site'],
    }),
    access.admin,
    body(JoinTokenCreateSchema),
    once(gateway),
    async (c) => {
      const asked = c.req.valid('json');
      const tenantId = c.get('tenant').id;
      const time = now();
      const id = newId(time);
      const token = newSecret('olj', id);
      const row = await createJoinToken(c.get('db'), {
        id,
        tenantId,
        name: asked.name ?? null,
        hash: await hashSecret(token),
        maxUses: asked.maxUses ?? 1,
        expiresAt: time + (asked.expiresInSeconds ?? DEFAULT_TOKEN_SECONDS) * 1000,
        networks: await networksOf(db, tenantId, asked.networks ?? []),
        labels: asked.labels ?? {},
        createdAt: time,
      });
      return c.json({ ...toJoinToken(row), token }, 201);
    },
  );

  app.get(
    '/v1/tenants/:tenant/join-tokens',
    describe({
      summary: 'List join tokens',
      tag,
      status: 200,
      gives: pageSchema(JoinTokenSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listJoinTokens(db, c.get('tenant').id, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toJoinToken) });
    },
  );

  app.get(
    '/v1/tenants/:tenant/join-tokens/:id',
    describe({ summary: 'Show a join token', tag, status: 200, gives: JoinTokenSchema, errors: ['not_found'] }),
    access.viewer,
    async (c) => {
      const row = await getJoinToken(db, c.get('tenant').id, c.req.param('id'));
      if (row === undefined) throw notFound('join token', c.req.param('id'));
      return c.json(toJoinToken(row));
    },
  );

  app.delete(
    '/v1/tenants/:tenant/join-tokens/:id',
    describe({
      summary: 'Revoke a join token; sites that enrolled with it stay',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      await deleteJoinToken(c.get('db'), c.get('tenant').id, c.req.param('id'));
      return c.body(null, 204);
    },
  );

  return app;
}

type Wanted = NonNullable<JoinTokenCreate['networks']>;

/** Names become ids, so that a network renamed stays meant. @throws Refusal naming the entry that is unknown or given twice. */
async function networksOf(
  db: Database,
  tenantId: string,
  wanted: Wanted,
): Promise<{ network: string; port: PortSpec }[]> {
  const ids = await resolveNetworks(
    db,
    tenantId,
    wanted.map(({ network }) => network),
  );
  const seen = new Set<string>();
  return wanted.map(({ network, port }, i) => {
    const id = ids.get(network);
    if (id === undefined)
      throw faultAt(`networks.${i}.network`, `must be the id or name of a network, not "${network}"`);
    if (seen.has(id)) throw faultAt(`networks.${i}.network`, 'must not name the same network twice');
    seen.add(id);
    assertPortFits('agent', port);
    return { network: id, port };
  });
}

function toJoinToken(row: JoinTokenRow): JoinToken {
  return {
    id: row.id,
    ...(row.name === null ? {} : { name: row.name }),
    maxUses: row.maxUses,
    uses: row.uses,
    expiresAt: new Date(row.expiresAt).toISOString(),
    networks: row.networks,
    labels: row.labels,
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
