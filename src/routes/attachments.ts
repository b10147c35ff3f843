import { Hono } from 'hono';
import type { PortSpec } from '../contract/port.ts';
import { type Attachment, AttachmentSchema, AttachSchema } from '../contract/sites.ts';
import { attach, detach } from '../db/attachments.ts';
import { assertPortFits } from '../domain/port-rules.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { body } from '../middleware/body.ts';
import { describe } from './describe.ts';
import { networkOf } from './networks.ts';
import { siteOf } from './sites.ts';

const tag = 'Attachments';

export function attachmentRoutes({ db, now }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  /** @throws Refusal `not_found`. */
  async function lookUp(tenantId: string, path: { readonly site: string; readonly network: string }) {
    const [{ site }, network] = await Promise.all([
      siteOf(db, tenantId, path.site),
      networkOf(db, tenantId, path.network),
    ]);
    return { site, place: { tenantId, networkId: network.id, siteId: site.id } };
  }

  app.put(
    '/v1/tenants/:tenant/sites/:site/networks/:network',
    describe({
      summary: 'Attach a site to a network, or change its port there',
      tag,
      status: 200,
      gives: AttachmentSchema,
      also: { 201: 'Attached anew' },
      errors: ['forbidden', 'not_found', 'invalid_body', 'port_not_for_site', 'transport_not_for_site'],
    }),
    access.admin,
    body(AttachSchema),
    async (c) => {
      const { port } = c.req.valid('json');
      const { place, site } = await lookUp(c.get('tenant').id, c.req.param());
      assertPortFits(site.kind, port);
      const { row, isNew } = await attach(c.get('db'), place, port);
      const attachment: Attachment = {
        site: place.siteId,
        network: place.networkId,
        vni: row.vni,
        port: JSON.parse(row.port) as PortSpec,
        revision: row.revision,
      };
      return c.json(attachment, isNew ? 201 : 200);
    },
  );

  app.delete(
    '/v1/tenants/:tenant/sites/:site/networks/:network',
    describe({ summary: 'Detach a site from a network', tag, status: 204, errors: ['forbidden', 'not_found'] }),
    access.admin,
    async (c) => {
      const { place } = await lookUp(c.get('tenant').id, c.req.param());
      await detach(c.get('db'), place, now());
      return c.body(null, 204);
    },
  );

  return app;
}
