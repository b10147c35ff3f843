import { Hono } from 'hono';
import * as v from 'valibot';
import { answers } from '../db/database.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv, Gateway } from '../gateway.ts';
import { describe } from './describe.ts';

const HealthSchema = v.object({ status: v.literal('ok') });

export function healthRoutes({ db, log }: Gateway): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.get(
    '/healthz',
    describe({
      summary: 'Ready, and the store answers',
      tag: 'Gateway',
      status: 200,
      gives: HealthSchema,
      errors: ['unavailable'],
      isPublic: true,
    }),
    async (c) => {
      const isUp = await answers(db).catch((error: unknown) => {
        log.error({ requestId: c.get('requestId'), error }, 'store did not answer');
        return false;
      });
      if (!isUp) throw new Refusal('unavailable', 'The store did not answer, or has no tables yet (migrations).');
      return c.json({ status: 'ok' as const });
    },
  );
  return app;
}
