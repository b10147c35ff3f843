import { expect, test } from 'vitest';
import type { Problem } from '../../src/contract/errors.ts';
import { Caller, newAgent, newTenant } from './host.ts';
import { testSettings } from './settings.ts';
import { workerHarness } from './worker-harness.ts';

/** Limits that a test can reach at once, whatever else its machine does. */
const strict = (toml: string): string => toml.replaceAll(/limit = \d+/g, 'limit = 3');

test('on workerd too, a site, a key and an address that ask too much are told to wait, and no other is held up', async () => {
  const harness = workerHarness(testSettings, strict);
  const { url } = await harness.listen();
  await harness.getWorker().applyD1Migrations('DB');
  const host = { url: url.origin, operatorKey: testSettings.OVERLANE_OPERATOR_KEY };
  const tenant = await newTenant(host);
  const viewer = { name: 'v', role: 'viewer' };
  const { key } = await tenant.operator.made<{ key: string }>('POST', `${tenant.at}/api-keys`, viewer);
  const [greedy, other] = [await newAgent(host, tenant), await newAgent(host, tenant)];

  /** Asks until it is told to wait: how long a window still is can't be known. */
  const until429 = async (caller: Caller, path: string, otherwise: number) => {
    for (;;) {
      const answer = await caller.get<Problem>(path);
      if (answer.status !== otherwise) return answer;
    }
  };
  for (const [caller, path] of [
    [await greedy.caller(), '/v1/agent/tables'],
    [new Caller(host.url, key), tenant.at],
  ] as const) {
    const refused = await until429(caller, path, 200);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', status: 429 } });
    expect(refused.headers.get('retry-after')).toBe('5');
  }
  expect((await (await other.caller()).get('/v1/agent/tables')).status).toBe(200);

  const wrong = new Caller(host.url, `${key.slice(0, -4)}AAAA`);
  const refused = await until429(wrong, tenant.at, 401);
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  await harness.close();
});
