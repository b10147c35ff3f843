import { Hono } from 'hono';
import * as v from 'valibot';
import { MacPutSchema, MacsQuerySchema, type MacView, MacViewSchema } from '../contract/macs.ts';
import { pageSchema } from '../contract/pages.ts';
import { MacSchema } from '../contract/primitives.ts';
import type { Database } from '../db/database.ts';
import { deleteMac, listMacs, type MacPlace, type MacRow, putMac, unfreezeMac } from '../db/macs.ts';
import { readPageCursor } from '../db/page.ts';
import { notFound } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { describe } from './describe.ts';
import { networkOf } from './networks.ts';
import { siteOf } from './sites.ts';

const tag = 'MAC addresses';

export function macRoutes({ db, now }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/networks/:network/macs',
    describe({
      summary: 'List which site has which MAC address',
      tag,
      status: 200,
      gives: pageSchema(MacViewSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(MacsQuerySchema),
    async (c) => {
      const { limit, cursor, mac, ip, site, search } = c.req.valid('query');
      const tenantId = c.get('tenant').id;
      const network = await networkOf(db, tenantId, c.req.param('network'));
      const siteId = site === undefined ? undefined : (await siteOf(db, tenantId, site)).site.id;
      const page = await listMacs(db, network, { mac, ip, siteId, search }, { limit, after: readPageCursor(cursor) });
      const time = now();
      return c.json({ ...page, items: page.items.map((row) => toView(row, time)) });
    },
  );

  app.put(
    '/v1/tenants/:tenant/networks/:network/macs/:mac',
    describe({
      summary: 'Set where a MAC address is: it stays there, whatever agents announce',
      tag,
      status: 200,
      gives: MacViewSchema,
      also: { 201: 'Set anew' },
      errors: ['forbidden', 'not_found', 'invalid_body', 'quota_exceeded'],
    }),
    access.admin,
    body(MacPutSchema),
    async (c) => {
      const { site: key, ip } = c.req.valid('json');
      const place = await placeOf(db, c.get('tenant').id, c.req.param());
      const { site } = await siteOf(db, place.tenantId, key);
      const { row, isNew } = await putMac(c.get('db'), place, { siteId: site.id, ip: ip ?? null });
      return c.json(toView(row, now()), isNew ? 201 : 200);
    },
  );

  app.delete(
    '/v1/tenants/:tenant/networks/:network/macs/:mac',
    describe({
      summary: 'Take a MAC address out of the table; where its station still speaks, the site announces it anew',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      await deleteMac(c.get('db'), await placeOf(db, c.get('tenant').id, c.req.param()), now());
      return c.body(null, 204);
    },
  );

  app.delete(
    '/v1/tenants/:tenant/networks/:network/macs/:mac/freeze',
    describe({
      summary: 'Let a MAC address move again that was frozen since it moved too often',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      await unfreezeMac(c.get('db'), await placeOf(db, c.get('tenant').id, c.req.param()), now());
      return c.body(null, 204);
    },
  );

  return app;
}

/** @throws Refusal `not_found`, of the network or of what is no MAC address. */
async function placeOf(
  db: Database,
  tenantId: string,
  { network, mac: text }: { readonly network: string; readonly mac: string },
): Promise<MacPlace> {
  const { id } = await networkOf(db, tenantId, network);
  const mac = v.safeParse(MacSchema, text);
  if (!mac.success) throw notFound('unicast MAC address', text);
  return { tenantId, networkId: id, mac: mac.output };
}

function toView(row: MacRow, now: number): MacView {
  const { frozenUntil } = row;
  return {
    mac: row.mac,
    ...(row.ip === null ? {} : { ip: row.ip }),
    site: row.siteId,
    siteName: row.siteName,
    seq: row.revision,
    sticky: row.sticky === 1,
    live: row.live === 1,
    ...(frozenUntil === null || frozenUntil <= now ? {} : { frozenUntil: new Date(frozenUntil).toISOString() }),
  };
}
