import { Hono } from 'hono';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import { type Tenant, TenantCreateSchema, TenantPatchSchema, TenantSchema } from '../contract/tenants.ts';
import { readPageCursor } from '../db/page.ts';
import { createTenant, deleteTenant, listTenants, patchTenant, type TenantRow } from '../db/tenants.ts';
import { newId } from '../domain/ids.ts';
import { notFound } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'Tenants';

export function tenantRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/tenants',
    describe({
      summary: 'Make a tenant',
      tag,
      status: 201,
      gives: TenantSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'invalid_body', 'slug_taken'],
    }),
    access.operator,
    body(TenantCreateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const row = await createTenant(
        c.get('db'),
        { id: newId(time), epoch: newId(time).slice(-16), now: time },
        c.req.valid('json'),
      );
      return c.json(toTenant(row), 201);
    },
  );

  app.get(
    '/v1/tenants',
    describe({
      summary: 'List tenants',
      tag,
      status: 200,
      gives: pageSchema(TenantSchema),
      errors: ['forbidden', 'invalid_query', 'invalid_cursor'],
    }),
    access.operator,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listTenants(db, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toTenant) });
    },
  );

  app.get(
    '/v1/tenants/:tenant',
    describe({ summary: 'Show a tenant', tag, status: 200, gives: TenantSchema, errors: ['not_found'] }),
    access.viewer,
    (c) => c.json(toTenant(c.get('tenant'))),
  );

  app.patch(
    '/v1/tenants/:tenant',
    describe({
      summary: "Change a tenant's name, limits, or whether its networks must be encrypted",
      tag,
      status: 200,
      gives: TenantSchema,
      errors: ['forbidden', 'not_found', 'invalid_body', 'plain_networks'],
    }),
    access.operatorOfTenant,
    body(TenantPatchSchema),
    async (c) => {
      const { id, slug } = c.get('tenant');
      const row = await patchTenant(c.get('db'), id, c.req.valid('json'));
      if (row === undefined) throw notFound('tenant', slug);
      return c.json(toTenant(row));
    },
  );

  app.delete(
    '/v1/tenants/:tenant',
    describe({
      summary: 'Delete an empty tenant',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found', 'tenant_not_empty'],
    }),
    access.operatorOfTenant,
    async (c) => {
      await deleteTenant(c.get('db'), c.get('tenant').id);
      return c.body(null, 204);
    },
  );

  return app;
}

function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    limits: { networks: row.limitNetworks, sites: row.limitSites, macsPerNetwork: row.limitMacsPerNetwork },
    transport: row.transport,
    revision: row.revision,
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
