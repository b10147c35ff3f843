/** What a change costs when there is much that did not change, in the rows that D1 says it read and wrote. */
import type { D1Database, D1PreparedStatement, D1Result } from '@cloudflare/workers-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach, detach } from '../../src/db/attachments.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { saveMacReport } from '../../src/db/mac-reports.ts';
import { putMac } from '../../src/db/macs.ts';
import { createNetwork, deleteNetwork } from '../../src/db/networks.ts';
import { pullTable } from '../../src/db/pull-table.ts';
import { saveHeartbeat } from '../../src/db/site-reports.ts';
import { createStaticSite } from '../../src/db/sites.ts';
import { createTenant, findTenant } from '../../src/db/tenants.ts';
import { readTopology } from '../../src/db/topology.ts';
import { sweepQuarantine } from '../../src/db/vni-pool.ts';
import { releaseEarly } from '../../src/db/vni-pools.ts';
import { testSettings } from './settings.ts';
import { workerHarness } from './worker-harness.ts';

interface Cost {
  rowsRead: number;
  rowsWritten: number;
}

/** A store that adds up what its answers say they cost. */
function metered(d1: D1Database): { d1: D1Database; spent: Cost } {
  const spent = { rowsRead: 0, rowsWritten: 0 };
  const count = <T>(result: D1Result<T>): D1Result<T> => {
    spent.rowsRead += result.meta.rows_read;
    spent.rowsWritten += result.meta.rows_written;
    return result;
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === 'inner') return target;
        if (name === 'bind') return (...values: unknown[]) => wrap(target.bind(...values));
        if (name === 'all' || name === 'run') return async () => count(await target[name]());
        if (name === 'raw') {
          return async () => {
            // Of rows as arrays, which Drizzle asks for, D1 says no cost: the same is run once more for that.
            count(await target.all());
            return target.raw();
          };
        }
        return Reflect.get(target, name) as unknown;
      },
    });
  const inner = (statement: D1PreparedStatement): D1PreparedStatement =>
    (statement as D1PreparedStatement & { inner: D1PreparedStatement }).inner;
  const metered = {
    prepare: (sql: string) => wrap(d1.prepare(sql)),
    batch: async (statements: D1PreparedStatement[]) => (await d1.batch(statements.map(inner))).map(count),
  };
  return { d1: metered as unknown as D1Database, spent };
}

let close: () => Promise<void>;
let raw: D1Database;
let db: Database;
let spent: Cost;

beforeAll(async () => {
  const harness = workerHarness(testSettings);
  await harness.listen();
  const worker = harness.getWorker();
  await worker.applyD1Migrations('DB');
  raw = ((await worker.getEnv()) as { DB: D1Database }).DB;
  const meter = metered(raw);
  db = openDatabase(meter.d1);
  spent = meter.spent;
  close = () => harness.close();
});
afterAll(() => close());

async function costOf(act: () => Promise<unknown>): Promise<Cost> {
  Object.assign(spent, { rowsRead: 0, rowsWritten: 0 });
  await act();
  return { ...spent };
}

interface World {
  readonly place: { readonly tenantId: string; readonly networkId: string; readonly siteId: string };
  readonly other: string;
  readonly vni: number;
}

/** A network of two sites, one of which has `count` MACs. */
async function worldOf(count: number): Promise<World> {
  const tenantId = `t${count}`;
  const limits = { macsPerNetwork: 10_000_000 };
  await createTenant(db, { id: tenantId, epoch: 'epoch', now: 0 }, { slug: tenantId, name: 'Acme', limits });
  const { id: networkId, vni } = await createNetwork(db, tenantId, { id: `n${count}`, now: 0 }, { name: 'a' });
  const sites = [];
  for (const n of [1, 2]) {
    const body = { name: `s${n}`, kind: 'static' as const, vtep: { address: `192.0.2.${n}` } };
    const { id } = await createStaticSite(db, tenantId, { id: `${tenantId}-${n}`, now: 0 }, body);
    await attach(db, { tenantId, networkId, siteId: id }, { type: 'none' });
    sites.push(id);
  }
  const [siteId, other] = sites as [string, string];
  await raw
    .prepare(`INSERT INTO macs (tenant_id, network_id, mac, site_id, sticky, state, revision, added_revision, hash)
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)
      SELECT ?, ?, printf('02:00:00:%02x:%02x:%02x', i >> 16, (i >> 8) & 255, i & 255), ?, 0, 'live', 1, 1, 0xffffffffffff - i FROM n`)
    .bind(count, tenantId, networkId, siteId)
    .run();
  // The sum of the hashes, which is beyond 64 bits for the larger: by their halves.
  await raw
    .prepare(`UPDATE networks SET mac_count = ?1, digest = (digest + ((h.high & 0xffffff) << 24) + h.low) & 0xffffffffffff
      FROM (SELECT sum(hash >> 24) AS high, sum(hash & 0xffffff) AS low FROM macs WHERE network_id = ?2) AS h WHERE id = ?2`)
    .bind(count, networkId)
    .run();
  return { place: { tenantId, networkId, siteId }, other, vni };
}

/** What each step costs, by name. */
async function costs({ place, other, vni }: World): Promise<Record<string, Cost>> {
  const { tenantId, networkId, siteId } = place;
  const mac = (n: number) => `06:00:00:00:00:0${n}`;
  const pull = async (from: string) => {
    const tenant = (await findTenant(db, tenantId))!;
    return pullTable(db, { site: { id: other }, tenant }, from);
  };
  const cursorNow = async () => `epoch.${other}.${(await findTenant(db, tenantId))!.revision}`;
  const cursor = await cursorNow();
  const result: Record<string, Cost> = {};
  const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    result[name] = await costOf(act);
  };
  const report = (from: string, announce: number[], withdraw: number[] = []) =>
    saveMacReport(
      db,
      { tenantId, siteId: from },
      { announce: announce.map((n) => ({ vni, mac: mac(n) })), withdraw: withdraw.map((n) => ({ vni, mac: mac(n) })) },
      1000,
    );
  await step('announce one', () => report(siteId, [1]));
  await step('delta of it', async () => expect(await pull(cursor)).toMatchObject({ networks: [{ macs: [{}] }] }));
  await step('announce it again', () => report(siteId, [1]));
  await step('move it', () => report(other, [1]));
  await step('withdraw it', () => report(other, [], [1]));
  await step('delta of its going', async () => expect(await pull(cursor)).toMatchObject({ networks: [{ gone: {} }] }));
  await step('set one', () => putMac(db, { tenantId, networkId, mac: mac(2) }, { siteId, ip: null }));
  const nothingNew = await cursorNow();
  await step('nothing new', async () => expect(await pull(nothingNew)).toBe('unchanged'));
  return result;
}

let large: World;

test('a change costs the change: at 100,000 MACs the same rows are read and written as at 100', async () => {
  const few = await costs(await worldOf(100));
  large = await worldOf(100_000);
  const many = await costs(large);
  expect(many).toEqual(few);
  for (const [name, { rowsRead, rowsWritten }] of Object.entries(many)) {
    expect(rowsRead, name).toBeLessThanOrEqual(130);
    expect(rowsWritten, name).toBeLessThanOrEqual(20);
  }
  expect(many['announce it again']!.rowsWritten).toBe(0);
});

test('a site that leaves with 100,000 MACs leaves a network whose count and digest are right', async () => {
  const { place, other } = large;
  await detach(db, place, 2000);
  const left = await raw
    .prepare(
      'SELECT n.mac_count AS count, n.digest = s.hash AS isTheOther FROM networks n JOIN sites s ON s.id = ? WHERE n.id = ?',
    )
    .bind(other, place.networkId)
    .first();
  // The one that was set is hidden, and still counted.
  expect(left).toEqual({ count: 1, isTheOther: 1 });
});

const FIRST_VNI = 4096;

/** Gives so many networks to a tenant of its own, of every second number, so that what is free lies in as many pieces. */
async function allocated(tenantId: string, from: number, count: number): Promise<void> {
  const limits = { networks: 1_000_000 };
  await createTenant(db, { id: tenantId, epoch: 'epoch', now: 0 }, { slug: tenantId, name: 'Acme', limits });
  const last = from + 2 * count - 1;
  const numbers = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)`;
  await raw.batch([
    raw
      .prepare(`${numbers} INSERT INTO networks (id, tenant_id, name, vni, mtu, anti_spoof, arp_suppression, flood, header_revision, revision,
        created_at) SELECT ?3 || '-' || i, ?3, 'n' || i, ?1 + 2 * i, 1450, 'vtep', 0, 'headend', 0, 0, 0 FROM n`)
      .bind(from, count, tenantId),
    raw.prepare('UPDATE vni_free SET first = ? WHERE first = ?').bind(last + 1, from),
    raw
      .prepare(
        `${numbers} INSERT INTO vni_free (first, last, pool_id) SELECT ?1 + 2 * i + 1, ?1 + 2 * i + 1, 'shared' FROM n`,
      )
      .bind(from, count),
    raw.prepare('UPDATE tenants SET network_count = ? WHERE id = ?').bind(count, tenantId),
  ]);
}

/** What each step costs in the middle of what `tenantId` was given from `from` on, by name. */
async function allocationCosts(tenantId: string, from: number, count: number): Promise<Record<string, Cost>> {
  const result: Record<string, Cost> = {};
  const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    result[name] = await costOf(act);
  };
  const middle = Math.floor(count / 2);
  const numberOf = (i: number) => from + 2 * i;
  const make = (id: string, vni?: number) =>
    createNetwork(
      db,
      tenantId,
      { id: `${tenantId}-${id}`, now: 0 },
      { name: id, ...(vni === undefined ? {} : { vni }) },
    );
  const drop = (i: number) => deleteNetwork(db, tenantId, `${tenantId}-${i}`, { now: 0, until: 1000 });
  await step('take any', () => make('any'));
  await step('take one', () => make('one', numberOf(middle) + 1));
  await step('give back', () => drop(middle + 5));
  await step('ask for one at rest', () => make('resting', numberOf(middle + 5)).catch(() => {}));
  await step('end its rest early', () => releaseEarly(db, numberOf(middle + 5), 0));
  await drop(middle + 10);
  await step('end its rest', () => sweepQuarantine(db, 1000));
  return result;
}

test('a VNI costs the same rows to take, to give back and to end the rest of, at 100 given out and at 50,000 more', async () => {
  const [start] = (await raw.prepare('SELECT min(first) AS first FROM vni_free').all<{ first: number }>()).results;
  expect(start!.first).toBeGreaterThanOrEqual(FIRST_VNI);
  // An event reads the last of its kind, where there is one.
  const released = `INSERT INTO events (tenant_id, at, kind, revision, actor, subject) VALUES ('', 0, 'vni_released', 0, '{}', '1')`;
  await raw.batch([raw.prepare(released), raw.prepare(released)]);
  await allocated('few', start!.first, 100);
  const few = await allocationCosts('few', start!.first, 100);
  const next = start!.first + 200;
  await allocated('many', next, 50_000);
  const many = await allocationCosts('many', next, 50_000);
  expect(many).toEqual(few);
  for (const [name, { rowsRead, rowsWritten }] of Object.entries(many)) {
    expect(rowsRead, name).toBeLessThanOrEqual(60);
    expect(rowsWritten, name).toBeLessThanOrEqual(25);
  }
});

test('history costs an idle site nothing, and a busy one two rows an hour, whatever its networks', async () => {
  const hour = 3600_000;
  const { place, vni } = await worldOf(0);
  const from = { tenantId: place.tenantId, siteId: place.siteId };
  const report = (now: number, portTxBytes: number) => {
    const network = { vni, revision: 1, digest: '000000000000', counters: { portTxBytes } };
    return costOf(() => saveHeartbeat(db, from, { cursor: 'c', version: '1.0.0', networks: [network] }, now));
  };
  await report(10 * hour, 0);
  const idle = await report(11 * hour, 0);
  const busy = await report(11 * hour + 600_000, 1000);
  const next = await report(12 * hour, 2000);
  expect(idle.rowsWritten).toBe(1);
  expect(busy.rowsWritten).toBe(1);
  // The row and its index.
  expect(next.rowsWritten).toBe(3);
});

test('the topology reads each site, network and attachment but once or twice, whatever the sites said', async () => {
  const tenantId = 'wide';
  await createTenant(db, { id: tenantId, epoch: 'epoch', now: 0 }, { slug: tenantId, name: 'Acme' });
  const count = 12;
  const networks = [];
  for (let i = 0; i < count; i++) {
    networks.push(await createNetwork(db, tenantId, { id: `wide-n${i}`, now: 0 }, { name: `n${i}` }));
  }
  for (let i = 0; i < count; i++) {
    const body = { name: `s${i}`, kind: 'static' as const, vtep: { address: `192.0.2.${i + 1}` } };
    const { id: siteId } = await createStaticSite(db, tenantId, { id: `wide-s${i}`, now: 0 }, body);
    for (const { id } of networks) await attach(db, { tenantId, networkId: id, siteId }, { type: 'none' });
    const said = networks.map(({ vni }) => ({ vni, revision: 1, digest: '0123456789ab', counters: {} }));
    await saveHeartbeat(db, { tenantId, siteId }, { cursor: 'c', version: '1.0.0', networks: said }, 1000);
  }
  let attachments = 0;
  const { rowsRead } = await costOf(async () => {
    const rows = await readTopology(db, tenantId);
    attachments = rows.attachments.filter(({ said }) => said?.digest === '0123456789ab').length;
  });
  expect(attachments).toBe(count * count);
  expect(rowsRead).toBeLessThanOrEqual(2 * (count * count + 3 * count));
});
