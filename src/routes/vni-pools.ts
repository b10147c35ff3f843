import { Hono } from 'hono';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import {
  type QuarantinedVni,
  QuarantinedVniSchema,
  SHARED_POOL,
  type VniPool,
  VniPoolCreateSchema,
  VniPoolSchema,
} from '../contract/vni-pools.ts';
import type { Database } from '../db/database.ts';
import { readPageCursor } from '../db/page.ts';
import { findTenant } from '../db/tenants.ts';
import {
  createPool,
  deletePool,
  findPool,
  listPools,
  listQuarantine,
  type QuarantineRow,
  releaseEarly,
  type VniPoolRow,
} from '../db/vni-pools.ts';
import { newId } from '../domain/ids.ts';
import { faultAt, notFound, Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'VNI pools';

export function vniPoolRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/vni-pools',
    describe({
      summary: "Carve a pool out of the shared pool's free numbers, for one tenant or for all",
      tag,
      status: 201,
      gives: VniPoolSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'invalid_body', 'name_taken', 'pool_overlap', 'vni_in_use'],
    }),
    access.operator,
    body(VniPoolCreateSchema),
    once(gateway),
    async (c) => {
      const { tenant: slug, ...asked } = c.req.valid('json');
      const tenant = slug === undefined ? null : await findTenant(db, slug);
      if (tenant === undefined) throw faultAt('tenant', `must be the slug of a tenant, not "${slug}"`);
      return c.json(toPool(await createPool(c.get('db'), newId(now()), asked, tenant?.id ?? null)), 201);
    },
  );

  app.get(
    '/v1/vni-pools',
    describe({
      summary: 'List pools, by name, with how many of their numbers are free, used and at rest',
      tag,
      status: 200,
      gives: pageSchema(VniPoolSchema),
      errors: ['forbidden', 'invalid_query', 'invalid_cursor'],
    }),
    access.operator,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listPools(db, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toPool) });
    },
  );

  app.get(
    '/v1/vni-pools/:pool',
    describe({
      summary: 'Show a pool, by id or name',
      tag,
      status: 200,
      gives: VniPoolSchema,
      errors: ['forbidden', 'not_found'],
    }),
    access.operator,
    async (c) => c.json(toPool(await poolOf(db, c.req.param('pool')))),
  );

  app.delete(
    '/v1/vni-pools/:pool',
    describe({
      summary: 'Give a pool back to the shared one; its numbers in use stay so, and go there when they are released',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.operator,
    async (c) => {
      const pool = await poolOf(db, c.req.param('pool'));
      if (pool.id === SHARED_POOL) throw new Refusal('forbidden', 'The shared pool is always there.');
      await deletePool(c.get('db'), pool);
      return c.body(null, 204);
    },
  );

  app.get(
    '/v1/vni-quarantine',
    describe({
      summary: 'List released VNIs at rest, by number, with when each can be had again',
      tag,
      status: 200,
      gives: pageSchema(QuarantinedVniSchema),
      errors: ['forbidden', 'invalid_query', 'invalid_cursor'],
    }),
    access.operator,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const after = readPageCursor(cursor);
      if (!/^\d*$/.test(after)) throw new Refusal('invalid_cursor', "cursor: must be a nextCursor of this list's.");
      const page = await listQuarantine(db, { limit, after });
      return c.json({ ...page, items: page.items.map(toQuarantined) });
    },
  );

  app.delete(
    '/v1/vni-quarantine/:vni',
    describe({
      summary: "End a released VNI's rest before its time",
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.operator,
    async (c) => {
      const text = c.req.param('vni');
      if (!/^\d{1,8}$/.test(text)) throw notFound('VNI at rest', text);
      await releaseEarly(c.get('db'), Number(text), now());
      return c.body(null, 204);
    },
  );

  return app;
}

/** @throws Refusal `not_found`. */
async function poolOf(db: Database, key: string): Promise<VniPoolRow> {
  const row = await findPool(db, key);
  if (row === undefined) throw notFound('VNI pool', key);
  return row;
}

function toPool({ id, name, first, last, tenant, size, free, quarantined }: VniPoolRow): VniPool {
  const used = size - free - quarantined;
  return { id, name, first, last, ...(tenant === null ? {} : { tenant }), free, used, quarantined };
}

function toQuarantined({ vni, tenant, releasedAt, until }: QuarantineRow): QuarantinedVni {
  return {
    vni,
    ...(tenant === null ? {} : { tenant }),
    releasedAt: new Date(releasedAt).toISOString(),
    until: new Date(until).toISOString(),
  };
}
