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
  ({ db, close } = await memoryStore());
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
