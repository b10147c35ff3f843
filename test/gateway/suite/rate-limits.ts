import { expect, test } from 'vitest';
import { DEFAULT_SITE_RATE } from '../../../src/config.ts';
import type { Problem } from '../../../src/contract/errors.ts';
import { type Answer, type Host, newAgent, newTenant } from '../host.ts';

export function rateLimits(host: () => Host): void {
  test('a site that asks too much is told to wait and for how long; another site is not held up', async () => {
    const tenant = await newTenant(host());
    const [greedy, other] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    const caller = await greedy.caller();
    const { cursor } = await caller.made<{ cursor: string }>('GET', '/v1/agent/tables');
    let refused: Answer<Problem> | undefined;
    let asked = 0;
    // A limit is counted in windows of time: it may take more than one of them.
    while (refused === undefined && asked < DEFAULT_SITE_RATE * 6) {
      asked += 50;
      const path = `/v1/agent/tables?cursor=${cursor}`;
      const answers = await Promise.all(Array.from({ length: 50 }, () => caller.get<Problem>(path)));
      refused = answers.find(({ status }) => status !== 304);
    }
    expect(asked).toBeGreaterThan(DEFAULT_SITE_RATE * 0.9);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', status: 429 } });
    expect(Number(refused!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await (await other.caller()).get('/v1/agent/tables')).status).toBe(200);
  });
}
