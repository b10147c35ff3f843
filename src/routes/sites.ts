import { Hono } from 'hono';
import type { NetworkReport } from '../contract/agent.ts';
import { formatDigest } from '../contract/digest.ts';
import { PageQuerySchema, pageSchema } from '../contract/pages.ts';
import type { PortSpec } from '../contract/port.ts';
import { type Site, SiteCreateSchema, SitePatchSchema, SiteSchema } from '../contract/sites.ts';
import type { Database } from '../db/database.ts';
import { readPageCursor } from '../db/page.ts';
import { listSiteNetworks, type SiteNetworkRow } from '../db/site-networks.ts';
import {
  createStaticSite,
  deleteSite,
  findSite,
  listSites,
  patchSite,
  type SiteRow,
  type SiteWithLast,
} from '../db/sites.ts';
import { newId } from '../domain/ids.ts';
import { notFound } from '../domain/refusal.ts';
import { progressOf, siteStatusOf } from '../domain/site-status.ts';
import { digestGiven, isBlind, NO_WIREGUARD, tunnelEnds } from '../domain/site-wireguard.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body, query } from '../middleware/body.ts';
import { ONCE_ERRORS, once } from '../middleware/once.ts';
import { describe } from './describe.ts';

const tag = 'Sites';

export function siteRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  async function show(tenantId: string, found: readonly SiteWithLast[]): Promise<Site[]> {
    const networks = await listSiteNetworks(
      db,
      tenantId,
      found.map(({ site }) => site.id),
    );
    const time = now();
    return found.map((one) => toSite(one, networks.get(one.site.id) ?? [], time));
  }

  app.post(
    '/v1/tenants/:tenant/sites',
    describe({
      summary: 'Make a site without an agent',
      tag,
      status: 201,
      gives: SiteSchema,
      errors: [...ONCE_ERRORS, 'forbidden', 'not_found', 'invalid_body', 'name_taken', 'vtep_taken', 'quota_exceeded'],
    }),
    access.admin,
    body(SiteCreateSchema),
    once(gateway),
    async (c) => {
      const time = now();
      const made = { id: newId(time), now: time };
      const site = await createStaticSite(c.get('db'), c.get('tenant').id, made, c.req.valid('json'));
      return c.json(toSite({ site, last: null }, [], time), 201);
    },
  );

  app.get(
    '/v1/tenants/:tenant/sites',
    describe({
      summary:
        'List sites, by name, with how far each agent has come; a page has fewer than `limit` where they report much',
      tag,
      status: 200,
      gives: pageSchema(SiteSchema),
      errors: ['not_found', 'invalid_query', 'invalid_cursor'],
    }),
    access.viewer,
    query(PageQuerySchema),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const tenantId = c.get('tenant').id;
      const page = await listSites(db, tenantId, { limit, after: readPageCursor(cursor) });
      return c.json({ ...page, items: await show(tenantId, page.items) });
    },
  );

  app.get(
    '/v1/tenants/:tenant/sites/:site',
    describe({ summary: 'Show a site, by id or name', tag, status: 200, gives: SiteSchema, errors: ['not_found'] }),
    access.viewer,
    async (c) => {
      const tenantId = c.get('tenant').id;
      const [site] = await show(tenantId, [await siteOf(db, tenantId, c.req.param('site'))]);
      return c.json(site);
    },
  );

  app.patch(
    '/v1/tenants/:tenant/sites/:site',
    describe({
      summary: 'Change a site; null clears an optional field',
      tag,
      status: 200,
      gives: SiteSchema,
      errors: ['forbidden', 'not_found', 'invalid_body', 'name_taken', 'vtep_taken'],
    }),
    access.admin,
    body(SitePatchSchema),
    async (c) => {
      const tenantId = c.get('tenant').id;
      const { site } = await siteOf(db, tenantId, c.req.param('site'));
      await patchSite(c.get('db'), site, c.req.valid('json'), now());
      const [changed] = await show(tenantId, [await siteOf(db, tenantId, site.id)]);
      return c.json(changed);
    },
  );

  app.delete(
    '/v1/tenants/:tenant/sites/:site',
    describe({
      summary: 'Delete a site; its agent is refused from then on',
      tag,
      status: 204,
      errors: ['forbidden', 'not_found'],
    }),
    access.admin,
    async (c) => {
      const { site } = await siteOf(db, c.get('tenant').id, c.req.param('site'));
      await deleteSite(c.get('db'), site.tenantId, site.id, now());
      return c.body(null, 204);
    },
  );

  return app;
}

/** @throws Refusal `not_found`. */
export async function siteOf(db: Database, tenantId: string, key: string): Promise<SiteWithLast> {
  const found = await findSite(db, tenantId, key);
  if (found === undefined) throw notFound('site', key);
  return found;
}

function toSite({ site, last }: SiteWithLast, networks: readonly SiteNetworkRow[], now: number): Site {
  const reports = new Map(last?.report.map((report) => [report.vni, report]));
  const { kind, disabled } = site;
  return {
    id: site.id,
    name: site.name,
    kind,
    status: siteStatusOf({ kind, disabled, onlineUntil: last?.onlineUntil ?? null }, now),
    vtep: { address: site.vtepAddress, port: site.vtepPort },
    ...(site.wireguard === null ? {} : { wireguard: tunnelEnds(site.wireguard) }),
    ...(last === null ? {} : { version: last.version, lastSeenAt: new Date(last.lastSeen).toISOString() }),
    labels: site.labels,
    ...(site.place === null ? {} : { where: site.place }),
    networks: networks.map((network) => toSiteNetwork(network, site, reports.get(network.vni))),
    createdAt: new Date(site.createdAt).toISOString(),
  };
}

/** A site that isn't live in a network is no part of its digest, and is given no table of it: there is nothing to compare. */
function toSiteNetwork(
  row: SiteNetworkRow,
  site: SiteRow,
  report: NetworkReport | undefined,
): Site['networks'][number] {
  const digest = formatDigest(digestGiven(site, row));
  return {
    network: row.networkId,
    name: row.name,
    vni: row.vni,
    port: JSON.parse(row.port) as PortSpec,
    transport: row.transport,
    revision: row.revision,
    ...(row.live === 1 ? { ...progressOf(row.revision, digest, report ?? null), ...reportedIn(report) } : {}),
    ...(isBlind(site, row) && site.kind === 'agent' && report?.error === undefined ? { error: NO_WIREGUARD } : {}),
  };
}

/** What the agent said beside how far it is. */
function reportedIn(report: NetworkReport | undefined): Pick<Site['networks'][number], 'counters' | 'mtu' | 'error'> {
  if (report === undefined) return {};
  const { counters, mtu, error } = report;
  return { counters, ...(mtu === undefined ? {} : { mtu }), ...(error === undefined ? {} : { error }) };
}
