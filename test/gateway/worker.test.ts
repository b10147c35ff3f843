import type { D1Database, DurableObjectNamespace } from '@cloudflare/workers-types';
import type { Host } from './host.ts';
import { type Settings, testSettings } from './settings.ts';
import { gatewaySuite } from './suite.ts';
import { workerHarness } from './worker-harness.ts';

async function startOnWorkerd(settings: Settings): Promise<Host> {
  const harness = workerHarness(settings);
  const { url } = await harness.listen();
  const worker = harness.getWorker<{ DB: D1Database; HUB: DurableObjectNamespace }>();
  await worker.applyD1Migrations('DB');
  return {
    url: url.origin,
    operatorKey: testSettings.OVERLANE_OPERATOR_KEY,
    holdSeconds: Number(testSettings.OVERLANE_VNI_HOLD_SECONDS),
    keepHouse: async () => {
      const result = await worker.scheduled({ cron: '* * * * *', scheduledTime: new Date() });
      if (result.outcome !== 'ok') throw new Error(`scheduled: ${result.outcome}`);
    },
    write: async (sql, ...values) => {
      const { DB } = await worker.getEnv();
      await DB.prepare(sql)
        .bind(...values)
        .run();
    },
    forget: (tenantId) => worker.evictDurableObject('HUB', { name: tenantId, webSockets: 'hibernate' }),
    close: () => harness.close(),
  };
}

gatewaySuite('on workerd', startOnWorkerd);
