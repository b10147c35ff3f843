import { Hono } from 'hono';
import { type Convergence, ConvergenceQuerySchema, ConvergenceSchema } from '../contract/convergence.ts';
import { formatDigest } from '../contract/digest.ts';
import { type MemberRow, readMembership } from '../db/convergence.ts';
import { isInStep } from '../domain/convergence.ts';
import { notFound, Refusal } from '../domain/refusal.ts';
import { progressOf, siteStatusOf } from '../domain/site-status.ts';
import { digestGiven, type NetworkSum } from '../domain/site-wireguard.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';
import { networkOf } from './networks.ts';

export function convergenceRoutes({ db, now }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/networks/:network/convergence',
    describe({
      summary: 'Say whether every site of a network is in step with a revision, by what their agents have reported',
      tag: 'Networks',
      status: 200,
      gives: ConvergenceSchema,
      errors: ['not_found', 'invalid_query'],
    }),
    access.viewer,
    query(ConvergenceQuerySchema),
    async (c) => {
      const tenantId = c.get('tenant').id;
      const key = c.req.param('network');
      const network = await networkOf(db, tenantId, key);
      const found = await readMembership(db, tenantId, network.id);
      if (found === null) throw notFound('network', key);
      const revision = c.req.valid('query').revision ?? found.revision;
      if (revision > found.tenantRevision) {
        throw new Refusal('invalid_query', `revision: must be one that was; the tenant is at ${found.tenantRevision}.`);
      }
      const time = now();
      const sites = found.members.map((member) => toSite(member, found, revision, time));
      return c.json({ revision, converged: sites.every(({ inStep }) => inStep), sites });
    },
  );

  return app;
}

function toSite(member: MemberRow, network: NetworkSum, asked: number, now: number): Convergence['sites'][number] {
  const { siteId, name, revision, onlineUntil, said } = member;
  const digest = formatDigest(digestGiven(member, network));
  return {
    site: siteId,
    name,
    inStep: isInStep({ revision, digest, applied: said }, asked),
    ...progressOf(revision, digest, said),
    online: siteStatusOf({ kind: 'agent', disabled: false, onlineUntil }, now) === 'online',
  };
}
