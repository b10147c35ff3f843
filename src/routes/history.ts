import { Hono } from 'hono';
import {
  DEFAULT_SPAN_SECONDS,
  FINE_SECONDS,
  type History,
  HistoryQuerySchema,
  HistorySchema,
  KEPT_SECONDS,
  LONG_STEP_SECONDS,
  STEP_SECONDS,
} from '../contract/history.ts';
import type { HistoryOf, HistoryRow } from '../db/history.ts';
import { readHistory } from '../db/history.ts';
import { onlineOver } from '../domain/online.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import type { Access } from '../middleware/access.ts';
import { query } from '../middleware/body.ts';
import { describe } from './describe.ts';
import { networkOf } from './networks.ts';
import { siteOf } from './sites.ts';

export function historyRoutes({ db, now }: Gateway, access: Access): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get(
    '/v1/tenants/:tenant/history',
    describe({
      summary: 'Show what the tenant, a site, a network, or a network at a site carried, over time',
      tag: 'Overview',
      status: 200,
      gives: HistorySchema,
      errors: ['not_found', 'invalid_query'],
    }),
    access.viewer,
    query(HistoryQuerySchema),
    async (c) => {
      const asked = c.req.valid('query');
      const time = now();
      const until = Math.min(asked.until === undefined ? time : Date.parse(asked.until), time);
      const since = asked.since === undefined ? until - DEFAULT_SPAN_SECONDS * 1000 : Date.parse(asked.since);
      if (since > until) throw new Refusal('invalid_query', 'since: must not be after until, nor in the future.');
      const from = Math.max(since, time - KEPT_SECONDS * 1000);

      const tenantId = c.get('tenant').id;
      const network = asked.network === undefined ? null : await networkOf(db, tenantId, asked.network);
      const site = asked.site === undefined ? null : (await siteOf(db, tenantId, asked.site)).site;
      const of = { tenantId, siteId: site?.id ?? null, network };
      // What a number carried before this network had it is another's.
      return c.json(await show(of, Math.min(Math.max(from, network?.createdAt ?? 0), until), until, time));
    },
  );

  async function show(of: HistoryOf, since: number, until: number, time: number): Promise<History> {
    const stepSeconds = until - since <= FINE_SECONDS * 1000 ? STEP_SECONDS : LONG_STEP_SECONDS;
    const stepMs = stepSeconds * 1000;
    const stepsPerPoint = stepSeconds / STEP_SECONDS;
    const [first, last] = [Math.floor(since / stepMs), Math.floor(until / stepMs)];
    const points = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const span = { first: first * stepsPerPoint, last: (last + 1) * stepsPerPoint - 1, stepsPerPoint };
    const { rows, sites, changes } = await readHistory(db, of, span, first * stepMs, time);
    const online = onlineOver(sites, changes, { steps: points.map((point) => point * stepMs), stepMs, now: time });
    const rowAt = new Map(rows.map((row) => [row.point, row]));
    return {
      stepSeconds,
      points: points.map((point, i) => ({
        at: new Date(point * stepMs).toISOString(),
        ...trafficAt(rowAt.get(point)),
        online: online[i]!,
      })),
    };
  }

  return app;
}

function trafficAt(row: HistoryRow | undefined): Omit<HistoryRow, 'point'> {
  if (row === undefined) return { rxBytes: 0, txBytes: 0, rxFrames: 0, txFrames: 0, drops: 0 };
  const { point: _, ...traffic } = row;
  return traffic;
}
