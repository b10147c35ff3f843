import { expect, test } from 'vitest';
import type { Convergence } from '../../../src/contract/convergence.ts';
import type { Host, TestAgent } from '../host.ts';
import { mac, newLan, pull, report } from './lan.ts';

export function convergence(host: () => Host): void {
  test('whether all are in step with a revision is said site by site', async () => {
    const l = await newLan(host());
    const { tenant, vni, one, two } = l;
    const ask = (query = '') => tenant.admin.made<Convergence>('GET', `${tenant.at}/networks/a/convergence${query}`);
    const heartbeat = async (agent: TestAgent): Promise<void> => {
      const { cursor, networks } = await pull(agent);
      const said = networks.map(({ vni: of, revision, digest }) => ({ vni: of, revision, digest, counters: {} }));
      await (await agent.caller()).made('POST', '/v1/agent/heartbeat', { cursor, networks: said, version: '1.0.0' });
    };
    await tenant.admin.made('POST', `${tenant.at}/sites`, {
      name: 'switch',
      kind: 'static',
      vtep: { address: '192.0.2.77' },
    });
    await tenant.admin.made('PUT', `${tenant.at}/sites/switch/networks/a`, { port: { type: 'none' } });
    await heartbeat(one);
    const early = await ask();
    expect(early).toMatchObject({ converged: false });
    expect(early.sites.map(({ name, inStep }) => [name, inStep]).sort()).toEqual(
      [
        [one.name, true],
        [two.name, false],
      ].sort(),
    );
    expect(early.sites.find(({ site }) => site === two.id)).not.toHaveProperty('appliedRevision');
    await heartbeat(two);
    const before = await ask();
    expect(before.converged).toBe(true);
    await report(one, [{ vni, mac: mac(1) }]);
    expect((await ask()).converged).toBe(false);
    expect((await ask(`?revision=${before.revision}`)).converged).toBe(true);
    await heartbeat(one);
    await heartbeat(two);
    expect(await ask()).toMatchObject({
      converged: true,
      sites: [
        { digestMatch: true, lag: 0 },
        { digestMatch: true, lag: 0 },
      ],
    });
    const ahead = (await ask()).revision + 1000;
    expect(await tenant.admin.refused('GET', `${tenant.at}/networks/a/convergence?revision=${ahead}`)).toMatchObject({
      code: 'invalid_query',
    });
  });
}
