import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import { type Answer, type Host, newAgent, newTenant } from '../host.ts';

export function rateLimits(host: () => Host): void {
  test('a site that has asked as much as it may is told to wait and for how long; another site is not held up', async () => {
    const tenant = await newTenant(host());
    const [greedy, other] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    const caller = await greedy.caller();
    expect((await caller.get('/v1/agent/tables')).status).toBe(200);
    let answer: Answer<Problem>;
    do {
      // Time gives something back, so it may take more than one go.
      await host().useUp!(greedy.id);
      answer = await caller.get<Problem>('/v1/agent/tables');
    } while (answer.status === 200);
    expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited', status: 429 } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await (await other.caller()).get('/v1/agent/tables')).status).toBe(200);
  });
}
