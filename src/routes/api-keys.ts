import { Hono } from 'hono';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import {
  type ApiKey,
  ApiKeyCreatedSchema,
  ApiKeyCreateSchema,
  ApiKeyRotateSchema,
  ApiKeySchema,
} from '../contract/tenants.ts';
import { type ApiKeyRow, createApiKey, deleteApiKey, listApiKeys, rotateApiKey } from '../db/api-keys.ts';
import { readPageCursor } from '../db/page.ts';
import { newId } from '../domain/ids.ts';
import { hashSecret, newSecret } from '../domain/secrets.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'API keys';

export function apiKeyRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/tenants/:tenant/api-keys',
    describe({
      summary: 'Make an API key; it is shown this once',
      tag,
      status: 201,
      gives: ApiKeyCreatedSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'not_found', 'invalid_body'],
    }),
    access.operatorOfTenant,
    body(ApiKeyCreateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const id = newId(time);
      const key = newSecret('olk', id);
      const made = { id, hash: await hashSecret(key), now: time };
      const row = await createApiKey(c.get('db'), c.get('tenant').id, made, c.req.valid('json'));
      return c.json({ ...toApiKey(row), key }, 201);
    },
  );

  app.get(
    '/v1/tenants/:tenant/api-keys',
    describe({
      summary: 'List API keys',
      tag,
      status: 200,
      gives: pageSchema(ApiKeySchema),
      errors: ['forbidden', 'not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.operatorOfTenant,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listApiKeys(db, c.get('tenant').id, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toApiKey) });
    },
  );

  app.post(
    '/v1/tenants/:tenant/api-keys/:id/rotate',
    describe({
      summary: 'Make a key like this one, which goes on working for as long as said; the new one is shown this once',
      tag,
      status: 201,
      gives: ApiKeyCreatedSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'not_found', 'invalid_body'],
    }),
    access.operatorOfTenant,
    body(ApiKeyRotateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const id = newId(time);
      const key = newSecret('olk', id);
      const until = time + c.req.valid('json').overlapSeconds * 1000;
      const made = { id, hash: await hashSecret(key), now: time, until };
      const row = await rotateApiKey(c.get('db'), c.get('tenant').id, c.req.param('id'), made);
      return c.json({ ...toApiKey(row), key }, 201);
    },
  );

  app.delete(
    '/v1/tenants/:tenant/api-keys/:id',
    describe({ summary: 'Revoke an API key at once', tag, status: 204, errors: ['forbidden', 'not_found'] }),
    access.operatorOfTenant,
    async (c) => {
      await deleteApiKey(c.get('db'), c.get('tenant').id, c.req.param('id'));
      return c.body(null, 204);
    },
  );

  return app;
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    ...(row.expiresAt === null ? {} : { expiresAt: new Date(row.expiresAt).toISOString() }),
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
