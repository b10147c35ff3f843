/** What one who may do something may make by doing it again and again. */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLOSE_RATE_LIMITED } from '../../src/contract/watch.ts';
import { attach } from '../../src/db/attachments.ts';
import { type Database, writtenBy } from '../../src/db/database.ts';
import { readHistory } from '../../src/db/history.ts';
import { createJoinToken } from '../../src/db/join-tokens.ts';
import { saveMacReport } from '../../src/db/mac-reports.ts';
import { createNetwork, deleteNetwork, patchNetwork } from '../../src/db/networks.ts';
import { pullTable } from '../../src/db/pull-table.ts';
import { createSession, type SessionRow } from '../../src/db/sessions.ts';
import { saveHeartbeat } from '../../src/db/site-reports.ts';
import { createStaticSite, listSites } from '../../src/db/sites.ts';
import { refusalOf } from '../../src/db/store-error.ts';
import { createTenant, findTenant } from '../../src/db/tenants.ts';
import { purgeTombstones } from '../../src/db/tombstones.ts';
import { releaseEarly } from '../../src/db/vni-pools.ts';
import { Audience, type Viewer } from '../../src/hub/audience.ts';
import { memoryStore } from './memory-store.ts';

let db: Database;
let close: () => void;
beforeAll(async () => {
  ({ db, close } = await memoryStore());
});
afterAll(() => close());

async function newTenant(slug: string, limits: Record<string, number> = {}): Promise<string> {
  await createTenant(db, { id: slug, epoch: 'e', now: 0 }, { slug, name: slug, limits });
  return slug;
}

async function newSite(tenantId: string, n: number): Promise<string> {
  const id = `${tenantId}-${String(n).padStart(3, '0')}`;
  const vtep = { address: `192.0.2.${n}` };
  await createStaticSite(db, tenantId, { id, now: 0 }, { name: id, kind: 'static', vtep });
  return id;
}

const countOf = async (table: string, tenantId: string): Promise<number> =>
  (await db.all<{ n: number }>(sql`SELECT count(*) AS n FROM ${sql.raw(table)} WHERE tenant_id = ${tenantId}`))[0]!.n;

test('an agent that announces ever new MACs and withdraws them fills no store, and peers that were away get all anew', async () => {
  const tenantId = await newTenant('macs', { macsPerNetwork: 1000 });
  const { id: networkId, vni } = await createNetwork(db, tenantId, { id: 'macs-n', now: 0 }, { name: 'a' });
  const [siteId, other] = [await newSite(tenantId, 1), await newSite(tenantId, 2)];
  for (const id of [siteId, other]) await attach(db, { tenantId, networkId, siteId: id }, { type: 'none' });
  const macOf = (n: number) =>
    `02:00:00:${[n >> 16, (n >> 8) & 255, n & 255].map((part) => part.toString(16).padStart(2, '0')).join(':')}`;
  const pull = async (revision: number) => {
    const tenant = (await findTenant(db, tenantId))!;
    return pullTable(db, { site: { id: other }, tenant }, `e.${other}.${revision}`);
  };
  const before = (await findTenant(db, tenantId))!.revision;
  for (let round = 0; round < 12; round++) {
    const named = Array.from({ length: 500 }, (_, i) => ({ vni, mac: macOf(round * 500 + i) }));
    await saveMacReport(db, { tenantId, siteId }, { announce: named, withdraw: [] }, 1000);
    const { revision } = await saveMacReport(db, { tenantId, siteId }, { announce: [], withdraw: named }, 1000);
    expect(await countOf('macs', tenantId)).toBeLessThanOrEqual(2000);
    expect(await pull(revision - 1)).toMatchObject({ kind: 'delta', networks: [{ gone: { macs: { length: 500 } } }] });
  }
  expect(await pull(before)).toMatchObject({ kind: 'snapshot', networks: [{ macs: [] }] });
  // The newest 500 came back, and what is counted is what is there.
  const again = Array.from({ length: 500 }, (_, i) => ({ vni, mac: macOf(11 * 500 + i) }));
  await saveMacReport(db, { tenantId, siteId }, { announce: again, withdraw: [] }, 2000);
  await purgeTombstones(db, 1500);
  const [row] = await db.all(sql`SELECT mac_count AS live, mac_rows AS rows,
    (SELECT count(*) FROM macs WHERE network_id = n.id) AS kept FROM networks n WHERE id = ${networkId}`);
  expect(row).toEqual({ live: 500, rows: 500, kept: 500 });
});

test('who makes networks and deletes them again has twice their limit of VNIs in use and at rest, and no more until a rest ends', async () => {
  const tenantId = await newTenant('vnis', { networks: 3 });
  const make = (n: number) => createNetwork(db, tenantId, { id: `vnis-${n}`, now: 0 }, { name: `n${n}` });
  const vnis = [];
  for (let n = 0; n < 6; n++) {
    vnis.push((await make(n)).vni);
    await deleteNetwork(db, tenantId, `vnis-${n}`, { now: 0, until: 1000 });
  }
  const refused = refusalOf(await make(6).catch((error: unknown) => error));
  expect(refused).toMatchObject({ code: 'quota_exceeded', message: expect.stringContaining('rest') });
  await releaseEarly(db, vnis[2]!, 1);
  expect((await make(7)).vni).toBe(vnis[2]);
  await expect(make(8)).rejects.toThrow();
  // By time, as whoever makes the next sees.
  expect((await createNetwork(db, tenantId, { id: 'vnis-9', now: 1000 }, { name: 'n9' })).vni).toBe(vnis[0]);
  expect(await findTenant(db, tenantId)).toMatchObject({ networkCount: 2, restingVnis: 0 });
});

test('of each kind of event the newest 20,000 stay, whoever makes how many of another kind', async () => {
  const tenantId = await newTenant('events');
  await newTenant('others');
  const author = { actor: { kind: 'system' as const }, at: 5, address: null, requestId: null };
  const by = writtenBy(db, author as never);
  let network = await createNetwork(by, tenantId, { id: 'events-n', now: 0 }, { name: 'a' });
  const change = async (mtu: number) => {
    network = await patchNetwork(by, network, { mtu });
  };
  await change(1300);
  const first = sql`SELECT min(number) AS first, max(number) AS last, count(*) AS count FROM events WHERE tenant_id = ${tenantId} AND kind = 'network_changed'`;
  expect(await db.all(first)).toEqual([{ first: 1, last: 1, count: 1 }]);
  const fill = (from: number, to: number) =>
    db.run(sql`INSERT INTO events (tenant_id, at, kind, revision, actor, subject, number)
    WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
    SELECT ${tenantId}, 5, 'network_changed', 0, '{"kind":"system"}', 's', i FROM n`);
  await fill(2, 20_000);
  expect(await db.all(first)).toEqual([{ first: 1, last: 20_000, count: 20_000 }]);
  await change(1301);
  expect(await db.all(first)).toEqual([{ first: 2, last: 20_001, count: 20_000 }]);
  await change(1302);
  expect(await db.all(first)).toEqual([{ first: 3, last: 20_002, count: 20_000 }]);
  // Of a great many that are left from before there was a bound, not all in one batch.
  await fill(20_003, 60_000);
  await change(1303);
  expect(await db.all(first)).toEqual([{ first: 20_003, last: 60_001, count: 39_999 }]);
  await change(1304);
  expect(await db.all(first)).toEqual([{ first: 40_003, last: 60_002, count: 20_000 }]);
  expect(
    await db.all(sql`SELECT 1 FROM events WHERE tenant_id = ${tenantId} AND kind = 'network_created'`),
  ).toHaveLength(1);
  expect(await db.all(sql`SELECT 1 FROM events WHERE kind = 'tenant_created' AND subject = 'others'`)).toHaveLength(1);
});

test('history looks at so many comings and goings, the newest, of the site alone that it is of', async () => {
  const tenantId = await newTenant('flaps');
  const siteId = await newSite(tenantId, 3);
  await db.run(sql`INSERT INTO events (tenant_id, at, kind, revision, actor, subject)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16000)
    SELECT ${tenantId}, i, iif(i % 2, 'site_online', 'site_offline'), 0, '{"kind":"system"}', iif(i > 100, 'x', ${siteId}) FROM n`);
  const span = { first: 0, last: 5, stepsPerPoint: 1 };
  const of = { tenantId, siteId: null, network: null };
  const { changes } = await readHistory(db, of, span, 0, 20_000);
  expect(changes).toHaveLength(10_000);
  expect(Math.min(...changes.map(({ at }) => at))).toBe(6001);
  expect((await readHistory(db, { ...of, siteId }, span, 51, 20_000)).changes).toHaveLength(50);
});

test('one key has so many sessions at a time: the one that was used least recently ends for another', async () => {
  const tenantId = await newTenant('sessions');
  const session = (n: number, changes: Partial<SessionRow> = {}): SessionRow => ({
    id: `s${String(n).padStart(3, '0')}`,
    hash: 'h',
    tenantId,
    keyId: 'k',
    memberId: null,
    email: null,
    subject: null,
    address: null,
    createdAt: n,
    usedAt: n,
    expiresAt: 1e12,
    endsAt: 1e12,
    looksAt: [],
    ...changes,
  });
  await createSession(db, session(0, { usedAt: 1000 }), 'who');
  await createSession(db, session(900, { keyId: 'other' }), 'who');
  for (let n = 1; n < 60; n++) await createSession(db, session(n), 'who');
  const left = await db.all<{ id: string }>(sql`SELECT id FROM sessions WHERE tenant_id = ${tenantId} ORDER BY id`);
  const expected = [session(0), ...Array.from({ length: 49 }, (_, i) => session(11 + i)), session(900)];
  expect(left).toEqual(expected.map(({ id }) => ({ id })));
});

test('a tenant has so many join tokens that can be used: those that can’t make room, and else there is none', async () => {
  const tenantId = await newTenant('tokens');
  await db.run(sql`INSERT INTO join_tokens (id, tenant_id, hash, max_uses, uses, expires_at, networks, labels, created_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4999)
    SELECT 'tokens-' || i, ${tenantId}, 'h', 1, i = 1, iif(i = 2, 5, 100), '[]', '{}', 1 FROM n`);
  const make = (id: string) =>
    createJoinToken(db, {
      id: `tokens-${id}`,
      tenantId,
      name: null,
      hash: 'h',
      maxUses: 1,
      expiresAt: 100,
      networks: [],
      labels: {},
      createdAt: 10,
    });
  await make('a');
  expect(await countOf('join_tokens', tenantId)).toBe(5000);
  await make('b');
  expect(await countOf('join_tokens', tenantId)).toBe(4999);
  await make('c');
  expect(refusalOf(await make('d').catch((error: unknown) => error))).toMatchObject({ code: 'quota_exceeded' });
});

test('a page of sites ends early where what they said is much, and the next goes on from there', async () => {
  const tenantId = await newTenant('pages');
  const ids = [];
  for (let n = 1; n <= 5; n++) ids.push(await newSite(tenantId, n));
  const counters = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`c${'x'.repeat(60)}${i}`.slice(0, 64), 1]),
  );
  const { vni, id: networkId } = await createNetwork(db, tenantId, { id: 'pages-n', now: 0 }, { name: 'a' });
  for (const siteId of ids) {
    await attach(db, { tenantId, networkId, siteId }, { type: 'none' });
    const networks = [{ vni, revision: 1, digest: '0'.repeat(12), counters }];
    await saveHeartbeat(db, { tenantId, siteId }, { cursor: 'c', version: '1.0.0', networks }, 1);
  }
  await db.run(
    sql`UPDATE site_status SET report = json_set(report, '$[0].error', printf('%.*c', 1500000, 'x')) WHERE tenant_id = ${tenantId}`,
  );
  const pages = [];
  for (let after: string | null = ''; after !== null; ) {
    const page: Awaited<ReturnType<typeof listSites>> = await listSites(db, tenantId, { limit: 4, after });
    pages.push(page.items.map(({ site }) => site.id));
    after = page.nextCursor === null ? null : page.items.at(-1)!.site.name;
  }
  expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
});

test('one key takes 40 of a tenant’s places to look at it and no more, and leaves the rest to others', async () => {
  const tenantId = await newTenant('places');
  const viewers: Viewer[] = [];
  const audience = new Audience({ db, tenantId, now: () => 0, viewers: () => viewers, sites: () => [] });
  const enter = async (by: string): Promise<'in' | number> => {
    let answer: 'in' | number = 'in';
    const viewer: Viewer = {
      state: { credential: null, by, told: null },
      send: () => {},
      close: (code) => {
        answer = code;
        viewers.splice(viewers.indexOf(viewer), 1);
      },
    };
    viewers.push(viewer);
    await audience.enter(viewer);
    return answer;
  };
  for (let i = 0; i < 40; i++) expect(await enter('greedy')).toBe('in');
  expect(await enter('greedy')).toBe(CLOSE_RATE_LIMITED);
  expect(await enter('other')).toBe('in');
});
