import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach } from '../../src/db/attachments.ts';
import type { Database } from '../../src/db/database.ts';
import { readHistory } from '../../src/db/history.ts';
import { sumUpHours } from '../../src/db/history-sums.ts';
import { createNetwork } from '../../src/db/networks.ts';
import { saveHeartbeat } from '../../src/db/site-reports.ts';
import { createStaticSite } from '../../src/db/sites.ts';
import { createTenant } from '../../src/db/tenants.ts';
import { memoryStore } from './memory-store.ts';

const HOUR_MS = 3600_000;
const START = 500_000 * HOUR_MS;
let db: Database;
let close: () => void;

beforeAll(async () => {
  ({ db, close } = memoryStore());
});
afterAll(() => close());

test('what a tenant carried is the same before its hours are summed up, after, and when a site was late', async () => {
  const tenantId = 't';
  await createTenant(db, { id: tenantId, epoch: 'e', now: 0 }, { slug: 't', name: 't' });
  const network = await createNetwork(db, tenantId, { id: 'n', now: 0 }, { name: 'a' });
  for (const id of ['one', 'two', 'late']) {
    const address = `192.0.2.${id.length}${id === 'two' ? 1 : 0}`;
    await createStaticSite(db, tenantId, { id, now: 0 }, { name: id, kind: 'static', vtep: { address } });
    await attach(db, { tenantId, networkId: 'n', siteId: id }, { type: 'none' });
  }
  const report = async (siteId: string, hours: number, portTxBytes: number) => {
    const networks = [{ vni: network.vni, revision: 1, digest: '000000000000', counters: { portTxBytes } }];
    await saveHeartbeat(db, { tenantId, siteId }, { cursor: 'c', version: '1.0.0', networks }, START + hours * HOUR_MS);
  };
  const of = { tenantId, siteId: null, network: null };
  const [first, now] = [START / 600_000, START + 7 * HOUR_MS];
  const carried = async (changes: Partial<Parameters<typeof readHistory>[1]> = {}) => {
    const span = { first, last: first + 8 * 6 - 1, stepsPerPoint: 6 };
    const { rows } = await readHistory(db, { ...of, ...changes }, span, START, now);
    return rows.map(({ point, rxBytes }) => [point - START / HOUR_MS, rxBytes]);
  };
  for (const site of ['one', 'two', 'late']) await report(site, 0, 0);
  for (let hour = 1; hour <= 6; hour++) for (const site of ['one', 'two']) await report(site, hour, hour * 600);
  const before = await carried();
  expect(before).toEqual([0, 1, 2, 3, 4, 5].map((hour) => [hour, 1200]));
  await sumUpHours(db, now);
  await sumUpHours(db, now);
  expect(await carried()).toEqual(before);
  // An hour's sum is one row, whatever its sites.
  const sums = await db.$client.prepare("SELECT count(*) AS n FROM site_history WHERE site_id = ''").first('n');
  expect(sums).toBe(6);
  await report('late', 7, 7000);
  expect(await carried()).toEqual([...before.map(([hour, bytes]) => [hour, bytes! + 1000]), [6, 1000]]);
  expect(await carried({ siteId: 'late' })).toEqual([0, 1, 2, 3, 4, 5, 6].map((hour) => [hour, 1000]));
  expect(await carried({ network })).toEqual(await carried());
  expect(await carried({ network: { id: 'other', vni: network.vni + 1 } })).toEqual([]);
});

test('totals that no agent can have are summed up like others, of their tenant and of the rest', async () => {
  const networks = new Map<string, number>();
  const report = async (tenantId: string, siteId: string, hours: number, portTxBytes: number) => {
    const said = [{ vni: networks.get(tenantId)!, revision: 1, digest: '000000000000', counters: { portTxBytes } }];
    const at = START + (100 + hours) * HOUR_MS;
    await saveHeartbeat(db, { tenantId, siteId }, { cursor: 'c', version: '1.0.0', networks: said }, at);
  };
  for (const tenantId of ['honest', 'hostile']) {
    await createTenant(db, { id: tenantId, epoch: 'e', now: 0 }, { slug: tenantId, name: tenantId });
    const { vni } = await createNetwork(db, tenantId, { id: `${tenantId}-n`, now: 0 }, { name: 'a' });
    networks.set(tenantId, vni);
    for (const n of [1, 2]) {
      const id = `${tenantId}-${n}`;
      const vtep = { address: `192.0.2.${n}` };
      await createStaticSite(db, tenantId, { id, now: 0 }, { name: id, kind: 'static', vtep });
      await attach(db, { tenantId, networkId: `${tenantId}-n`, siteId: id }, { type: 'none' });
      await report(tenantId, id, 0, 0);
      for (const hours of [1, 2]) await report(tenantId, id, hours, hours * (tenantId === 'honest' ? 600 : 4e18));
    }
  }
  const now = START + 104 * HOUR_MS;
  const carried = async (tenantId: string) => {
    const first = (START + 100 * HOUR_MS) / 600_000;
    const of = { tenantId, siteId: null, network: null };
    const { rows } = await readHistory(db, of, { first, last: first + 11, stepsPerPoint: 6 }, START, now);
    return rows.map(({ rxBytes }) => rxBytes);
  };
  const before = [await carried('honest'), await carried('hostile')];
  expect(before).toEqual([
    [1200, 1200],
    [8e18, 8e18],
  ]);
  await sumUpHours(db, now);
  expect([await carried('honest'), await carried('hostile')]).toEqual(before);
});
