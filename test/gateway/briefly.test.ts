import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { Topology } from '../../src/contract/topology.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { Caller, newTenant } from './host.ts';
import { testSettings } from './settings.ts';
import { type Said, spiedStore } from './spied-store.ts';

test('whoever asks a large tenant’s topology and alerts again and again has them read once a second, and still must be let in', async () => {
  let now = Date.now();
  let said: readonly Said[] = [];
  const gateway = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
    now: () => now,
    watchStore: (d1) => {
      const spied = spiedStore(d1);
      said = spied.said;
      return spied.d1;
    },
  });
  try {
    const operatorKey = testSettings.OVERLANE_OPERATOR_KEY;
    const { admin, at, slug } = await newTenant({ url: gateway.url, operatorKey });
    const reads = () => said.filter(({ sql }) => sql.includes('st.standing')).length;
    const ask = () => Promise.all(['topology', 'alerts'].map((what) => admin.made<Topology>('GET', `${at}/${what}`)));
    await ask();
    await ask();
    expect(reads()).toBe(4);
    await gateway.gateway.db.$client
      .prepare('UPDATE tenants SET network_count = 100, site_count = 100 WHERE slug = ?')
      .bind(slug)
      .run();
    const first = await ask();
    now += 999;
    for (let i = 0; i < 5; i++) expect(await ask()).toEqual(first);
    expect(reads()).toBe(6);
    expect(await new Caller(gateway.url, 'wrong').refused('GET', `${at}/topology`)).toMatchObject({ status: 401 });
    now += 1;
    await ask();
    expect(reads()).toBe(8);
  } finally {
    await gateway.close();
  }
});
