import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { keepHouse } from '../../src/housekeeping.ts';
import { newAgent, newTenant } from './host.ts';
import { testSettings } from './settings.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

test('a site that was away for twenty years is let in by its key, whatever expired or was forgotten meanwhile', async () => {
  let ahead = 0;
  const running = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
    now: () => Date.now() + ahead * 1000,
  });
  const host = {
    url: running.url,
    operatorKey: testSettings.OVERLANE_OPERATOR_KEY,
    holdSeconds: 3,
    keepHouse: () => keepHouse(running.gateway),
    write: async () => {},
    forget: async () => {},
    close: running.close,
  };
  const tenant = await newTenant(host);
  const agent = await newAgent(host, tenant);
  ahead = 20 * YEAR_SECONDS;
  await host.keepHouse();
  const caller = await agent.caller({ clockOff: ahead });
  expect((await caller.get('/v1/agent/tables')).status).toBe(200);
  const { items } = await tenant.admin.made<{ items: { kind: string }[] }>('GET', `${tenant.at}/events`);
  expect(items.map(({ kind }) => kind)).not.toContain('site_enrolled');
  await host.close();
});
