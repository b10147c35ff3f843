import { Hono } from 'hono';
import { STEP_STATES, type Topology, TopologySchema } from '../contract/topology.ts';
import { readTopology, type TopologyNetwork, type TopologySite } from '../db/topology.ts';
import { siteStatusOf } from '../domain/site-status.ts';
import { stepOf } from '../domain/standing.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { briefly } from '../middleware/briefly.ts';
import { describe } from './describe.ts';

export function topologyRoutes(gateway: Gateway, access: Access): Hono<AppEnv> {
  const { db, now } = gateway;
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/topology',
    describe({
      summary: 'Show all sites and networks, which carries which, and whether each is in step, in one answer',
      tag: 'Overview',
      status: 200,
      gives: TopologySchema,
      errors: ['not_found'],
    }),
    access.viewer,
    briefly(gateway),
    async (c) => {
      const { revision, sites, networks, attachments } = await readTopology(db, c.get('tenant').id);
      const siteAt = new Map(sites.map(({ id }, i) => [id, i]));
      const networkAt = new Map(networks.map(({ id }, i) => [id, i]));
      const time = now();
      return c.json<Topology>({
        revision,
        sites: sites.map((site) => toSite(site, time)),
        networks: networks.map(toNetwork),
        attachments: attachments.flatMap((one): Topology['attachments'] => {
          const [s, n] = [siteAt.get(one.siteId), networkAt.get(one.networkId)];
          if (s === undefined || n === undefined) return [];
          return [[s, n, STEP_STATES.indexOf(stepOf(one, sites[s]!, networks[n]!))]];
        }),
      });
    },
  );

  return app;
}

function toSite(row: TopologySite, now: number): Topology['sites'][number] {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    status: siteStatusOf(row, now),
    vtep: { address: row.vtepAddress, port: row.vtepPort },
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.lastSeen === null ? {} : { lastSeenAt: new Date(row.lastSeen).toISOString() }),
    ...(row.kind === 'static' ? {} : { encrypts: row.tunnelHash !== null }),
    labels: row.labels,
    ...(row.place === null ? {} : { where: row.place }),
    createdAt: new Date(row.createdAt).toISOString(),
  };
}

function toNetwork(row: TopologyNetwork): Topology['networks'][number] {
  return {
    id: row.id,
    name: row.name,
    vni: row.vni,
    ...(row.subnet === null ? {} : { subnet: row.subnet }),
    ...(row.description === null ? {} : { description: row.description }),
    macs: row.macs,
    transport: row.transport,
    revision: row.revision,
  };
}
