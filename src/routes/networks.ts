import { Hono } from 'hono';
import { type Network, NetworkCreateSchema, NetworkPatchSchema, NetworkSchema } from '../contract/networks.ts';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import type { Database } from '../db/database.ts';
import {
  createNetwork,
  deleteNetwork,
  findNetwork,
  listNetworks,
  type NetworkRow,
  patchNetwork,
} from '../db/networks.ts';
import { readPageCursor } from '../db/page.ts';
import { newId } from '../domain/ids.ts';
import { notFound } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'Networks';

export function networkRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now, config } = gateway;
  const app = new Hono<AppEnv>();

  app.post(
    '/v1/tenants/:tenant/networks',
    describe({
      summary: 'Make a network, with the VNI asked for or the lowest free one',
      tag,
      status: 201,
      gives: NetworkSchema,
      errors: [
        ...ONCE_ERRORS,
        'forbidden',
        'not_found',
        'invalid_body',
        'quota_exceeded',
        'name_taken',
        'vni_taken',
        'vni_quarantined',
        'vni_exhausted',
        'vni_out_of_range',
      ],
    }),
    access.admin,
    body(NetworkCreateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const row = await createNetwork(
        c.get('db'),
        c.get('tenant').id,
        { id: newId(time), now: time },
        c.req.valid('json'),
      );
      return c.json(toNetwork(row), 201);
    },
  );

  app.get(
    '/v1/tenants/:tenant/networks',
    describe({
      summary: 'List networks, by name',
      tag,
      status: 200,
      gives: pageSchema(NetworkSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const page = await listNetworks(db, c.get('tenant').id, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: page.items.map(toNetwork) });
    },
  );

  app.get(
    '/v1/tenants/:tenant/networks/:network',
    describe({
      summary: 'Show a network, by id or name',
      tag,
      status: 200,
      gives: NetworkSchema,
      errors: ['not_found'],
    }),
    access.viewer,
    async (c) => c.json(toNetwork(await networkOf(db, c.get('tenant').id, c.req.param('network')))),
  );

  app.patch(
    '/v1/tenants/:tenant/networks/:network',
    describe({
      summary: 'Change a network; null clears an optional field',
      tag,
      status: 200,
      gives: NetworkSchema,
      errors: ['forbidden', 'not_found', 'invalid_body', 'name_taken'],
    }),
    access.admin,
    body(NetworkPatchSchema),
    async (c) => {
      const current = await networkOf(db, c.get('tenant').id, c.req.param('network'));
      return c.json(toNetwork(await patchNetwork(c.get('db'), current, c.req.valid('json'))));
    },
  );

  app.delete(
    '/v1/tenants/:tenant/networks/:network',
    describe({
      summary: 'Delete a network; its VNI goes into quarantine',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      const { id, tenantId } = await networkOf(db, c.get('tenant').id, c.req.param('network'));
      const time = now();
      await deleteNetwork(c.get('db'), tenantId, id, { now: time, until: time + config.vniHoldSeconds * 1000 });
      return c.body(null, 204);
    },
  );

  return app;
}

/** @throws Refusal `not_found`. */
export async function networkOf(db: Database, tenantId: string, key: string): Promise<NetworkRow> {
  const row = await findNetwork(db, tenantId, key);
  if (row === undefined) throw notFound('network', key);
  return row;
}

function toNetwork(row: NetworkRow): Network {
  return {
    id: row.id,
    name: row.name,
    vni: row.vni,
    mtu: row.mtu,
    ...(row.subnet === null ? {} : { subnet: row.subnet }),
    ...(row.description === null ? {} : { description: row.description }),
    antiSpoof: row.antiSpoof,
    arpSuppression: row.arpSuppression,
    flood: row.flood,
    ...(row.multicastGroup === null ? {} : { multicastGroup: row.multicastGroup }),
    macs: row.macCount,
    revision: row.revision,
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
