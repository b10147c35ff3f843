import { expect, test } from 'vitest';
import type { PullAnswer } from '../../../agent/control/client.ts';
import type { Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { FakeSite } from './fake-site.ts';
import { deltaBetween, network, snapshot, vtep } from './tables.ts';

const FIRST = snapshot('c1', [network(9, { vteps: [vtep(2), vtep(3)] })]);
const SECOND = snapshot('c2', [network(9, { revision: 2, vteps: [vtep(3), vtep(4)] })]);
const FIRST_PEERS = { 9: ['site-2', 'site-3'] };
const SECOND_PEERS = { 9: ['site-3', 'site-4'] };

const updated = (update: TableUpdate): PullAnswer => ({ kind: 'updated', update: structuredClone(update) });
const delta = (): PullAnswer => updated(deltaBetween(FIRST, SECOND));
const AWAY: PullAnswer = { kind: 'unavailable', reason: 'connect ECONNREFUSED' };
const DISABLED: PullAnswer = { kind: 'refused', code: 'site_disabled', detail: 'the site is disabled' };
const UNKNOWN: PullAnswer = { kind: 'refused', code: 'unauthenticated', detail: 'no such site' };

async function started(disk: Snapshot | null, ...answers: PullAnswer[]): Promise<FakeSite> {
  const site = new FakeSite(disk);
  site.answers.push(...answers);
  await site.session.start();
  await site.settled();
  return site;
}

test('a site with no table yet pulls a snapshot, puts it in force, keeps it and reports', async () => {
  const site = await started(null, updated(FIRST));
  expect(site.cursors).toEqual([null]);
  expect(site.peers).toEqual(FIRST_PEERS);
  expect(site.disk).toEqual(FIRST);
  const { revision, digest } = FIRST.networks[0]!;
  expect(site.heartbeats).toEqual([
    { cursor: 'c1', version: '1.0.0', networks: [{ vni: 9, revision, digest, counters: {} }], paths: [] },
  ]);
});

test('the last good table is in force before the gateway is asked at all', async () => {
  const site = await started(FIRST);
  expect(site.cursors).toEqual(['c1']);
  expect(site.peersAtPull).toEqual([FIRST_PEERS]);
});

test('a site that starts while the gateway is away forwards from its last good table, and catches up later', async () => {
  const site = await started(FIRST, AWAY, AWAY, delta());
  expect(site.peers).toEqual(FIRST_PEERS);
  await site.passWait();
  expect(site.peers).toEqual(FIRST_PEERS);
  await site.passWait();
  expect(site.peers).toEqual(SECOND_PEERS);
  expect(site.disk).toEqual(SECOND);
});

test('a delta is put in force as a delta', async () => {
  const site = await started(FIRST, delta());
  expect(site.datapath.applied.map(({ kind }) => kind)).toEqual(['snapshot', 'delta']);
  expect(site.peers).toEqual(SECOND_PEERS);
});

test('nothing new reaches neither the data path nor the disk', async () => {
  const site = await started(
    FIRST,
    { kind: 'not-modified' },
    updated({ kind: 'delta', from: 'c1', cursor: 'c2', networks: [] }),
  );
  await site.passWait();
  await site.passWait();
  expect(site.datapath.applied).toHaveLength(1);
  expect(site.saves).toBe(0);
  expect(site.cursors).toEqual(['c1', 'c1', 'c2']);
  await site.session.stop();
  expect(site.disk?.cursor).toBe('c2');
});

test('the gateway is asked every 5 s, give or take a tenth, and reported to every 30 s at the latest', async () => {
  const site = await started(null, updated(FIRST));
  for (const [random, wait] of [
    [0, 4500],
    [1, 5500],
    [0.5, 5000],
  ] as const) {
    site.random = random;
    await site.passWait();
    expect(site.waitMs).toBe(wait);
  }
  site.heartbeats.length = 0;
  const begin = site.nowMs;
  while (site.nowMs - begin < 300_000) await site.passWait();
  expect(site.heartbeats.length).toBeGreaterThanOrEqual(10);
  expect(site.heartbeats.length).toBeLessThanOrEqual(12);
});

test('a gateway that fails is asked ever less often, up to a minute, and as usual once it answers', async () => {
  const site = await started(FIRST, ...Array.from({ length: 9 }, () => AWAY));
  site.random = 1;
  const waits: (number | null)[] = [];
  for (let i = 0; i < 8; i++) {
    await site.passWait();
    waits.push(site.waitMs);
  }
  expect(waits).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  await site.passWait();
  expect(site.waitMs).toBe(5500);
});

test('a gateway that asks for patience gets it', async () => {
  const site = await started(FIRST, { kind: 'unavailable', reason: 'answered 503', retryAfterSeconds: 90 });
  expect(site.waitMs).toBeGreaterThanOrEqual(90_000);
});

test('in a thousand steps of failure nothing is forgotten, and the log says it once', async () => {
  const site = await started(FIRST);
  site.otherwise = AWAY;
  for (let i = 0; i < 1000; i++) await site.passWait();
  expect(site.peers).toEqual(FIRST_PEERS);
  expect(site.disk).toEqual(FIRST);
  expect(site.datapath.applied).toHaveLength(1);
  expect(site.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  const { contact, inStep } = site.session.status();
  expect(contact).toMatchObject({ state: 'unreachable', error: 'connect ECONNREFUSED' });
  expect(inStep).toBe(false);
});

test('a delta from another cursor, or one that ends at another digest, brings a snapshot at once', async () => {
  const fromElsewhere = updated({ kind: 'delta', from: 'c0', cursor: 'c2', networks: [] });
  const wrong = deltaBetween(FIRST, SECOND);
  wrong.networks[0]!.vteps = [];
  for (const bad of [fromElsewhere, updated(wrong)]) {
    const site = await started(FIRST, bad, updated(SECOND));
    expect(site.cursors).toEqual(['c1', null]);
    expect(site.peers).toEqual(SECOND_PEERS);
    expect(site.datapath.applied.map(({ kind }) => kind)).toEqual(['snapshot', 'snapshot']);
  }
});

test('a cursor that the gateway no longer knows brings a snapshot at once', async () => {
  const site = await started(FIRST, { kind: 'refused', code: 'invalid_cursor', detail: 'unknown' }, updated(SECOND));
  expect(site.cursors).toEqual(['c1', null]);
  expect(site.peers).toEqual(SECOND_PEERS);
});

test('a snapshot that contradicts itself changes nothing, however often it comes', async () => {
  const wrong = structuredClone(SECOND);
  wrong.networks[0]!.digest = '000000000000';
  const site = new FakeSite(FIRST);
  site.otherwise = updated(wrong);
  await site.session.start();
  await site.settled();
  await site.passWait();
  expect(site.cursors).toEqual(['c1', null, 'c1', null]);
  expect(site.peers).toEqual(FIRST_PEERS);
  expect(site.disk).toEqual(FIRST);
  expect(site.session.status().contact).toMatchObject({
    state: 'unreachable',
    error: expect.stringContaining('contradicts'),
  });
});

test('a disabled site forwards for nobody, keeps its table, and comes back when it is enabled', async () => {
  const site = await started(FIRST, DISABLED, DISABLED);
  expect(site.peers).toEqual({});
  expect(site.disk).toEqual(FIRST);
  expect(site.session.status().networks[0]).toMatchObject({ inStep: false, error: 'the site is disabled' });
  await site.passWait();
  expect(site.datapath.applied).toHaveLength(2);
  expect(site.lines.filter((line) => line.includes('refuses this site'))).toHaveLength(1);
  await site.passWait();
  expect(site.cursors).toEqual(['c1', 'c1', 'c1']);
  expect(site.peers).toEqual(FIRST_PEERS);
  expect(site.session.status().inStep).toBe(true);
});

test('a site that is enabled with changes made meanwhile gets all of the table, not the changes alone', async () => {
  const site = await started(FIRST, DISABLED, delta());
  await site.passWait();
  expect(site.peers).toEqual(SECOND_PEERS);
  expect(site.datapath.applied.at(-1)?.kind).toBe('snapshot');
});

test('a disabled site stays dark while the gateway is away', async () => {
  const site = await started(FIRST, DISABLED, AWAY, AWAY);
  await site.passWait();
  await site.passWait();
  expect(site.peers).toEqual({});
});

test('a site that the gateway does not know goes on forwarding, and says so loudly, once', async () => {
  const site = await started(FIRST, UNKNOWN, UNKNOWN, UNKNOWN);
  await site.passWait();
  await site.passWait();
  expect(site.peers).toEqual(FIRST_PEERS);
  expect(site.session.status().contact).toMatchObject({ state: 'refused', error: 'unauthenticated: no such site' });
  expect(site.lines.filter((line) => line.startsWith('error'))).toEqual([
    'error the gateway refuses this site: unauthenticated: no such site',
  ]);
});

test('a network that can’t be carried is tried again with every pull, reported when it changes, and holds up no other', async () => {
  const site = new FakeSite();
  site.datapath.fail(9, 'bridge br0 is missing');
  site.answers.push(updated(snapshot('c1', [network(9), network(10, { vteps: [vtep(2)] })])));
  await site.session.start();
  await site.settled();
  expect(site.peers[10]).toEqual(['site-2']);
  expect(site.heartbeats[0]!.networks.map(({ error }) => error)).toEqual(['bridge br0 is missing', undefined]);
  await site.passWait();
  expect(site.heartbeats).toHaveLength(1);
  site.datapath.heal(9);
  await site.passWait();
  expect(site.heartbeats[1]!.networks.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(site.session.status().inStep).toBe(true);
});

test('a network that can’t be carried is tried again also while the gateway is away', async () => {
  const site = new FakeSite(FIRST);
  site.datapath.fail(9, 'bridge br0 is missing');
  site.otherwise = AWAY;
  await site.session.start();
  await site.settled();
  expect(site.session.status().networks[0]!.error).toBe('bridge br0 is missing');
  site.datapath.heal(9);
  await site.passWait();
  expect(site.session.status().networks[0]!.inStep).toBe(true);
});

test('a data path that did not take a table is given all of it with the next pull', async () => {
  const site = await started(FIRST);
  site.datapath.rejectNext(new Error('no memory'));
  site.answers.push(delta());
  await site.passWait();
  expect(site.heartbeats.at(-1)!.networks[0]!.error).toContain('no memory');
  await site.passWait();
  expect(site.peers).toEqual(SECOND_PEERS);
  expect(site.session.status().inStep).toBe(true);
  expect(site.heartbeats.at(-1)!.networks[0]!.error).toBeUndefined();
});

test('an error of any length fits into a report', async () => {
  const site = new FakeSite(FIRST);
  site.datapath.fail(9, 'x'.repeat(2000));
  await site.session.start();
  await site.settled();
  expect(site.heartbeats[0]!.networks[0]!.error).toHaveLength(500);
});

test('a report that does not arrive is sent again with the next pull, and disturbs nothing else', async () => {
  const site = new FakeSite();
  site.answers.push(updated(FIRST));
  site.heartbeatAnswer = { kind: 'unavailable', reason: 'answered 500' };
  await site.session.start();
  await site.settled();
  expect(site.waitMs).toBe(5000);
  site.heartbeatAnswer = { kind: 'accepted' };
  await site.passWait();
  await site.passWait();
  expect(site.heartbeats).toHaveLength(2);
});

test('a pull at once is one pull, and the next comes after the usual time', async () => {
  const site = await started(null, updated(FIRST));
  site.answers.push(updated(deltaBetween(FIRST, SECOND)));
  expect(await site.session.pullNow()).toBe('changed');
  expect(site.cursors).toHaveLength(2);
  expect(site.waitMs).toBe(5000);
  expect(await Promise.all([site.session.pullNow(), site.session.pullNow()])).toEqual(['unchanged', 'unchanged']);
  expect(site.cursors).toHaveLength(4);
});

test('a stopped session asks for nothing and waits for nothing', async () => {
  const site = await started(FIRST);
  await site.session.stop();
  expect(site.waitMs).toBeNull();
  expect(await site.session.pullNow()).toBe('stopped');
  expect(site.cursors).toHaveLength(1);
});

test('the status tells how far behind the site is', async () => {
  const site = await started(FIRST);
  site.nowMs += 1000;
  expect(site.session.status()).toEqual({
    contact: { state: 'reachable', since: '2026-01-01T00:00:00.000Z', lastContactAt: '2026-01-01T00:00:00.000Z' },
    inStep: true,
    watching: false,
    table: { cursor: 'c1', changedAt: '2026-01-01T00:00:00.000Z' },
    networks: [
      {
        vni: 9,
        name: 'lan-9',
        transport: 'plain',
        port: { type: 'host', name: 'tap9' },
        mtu: 1450,
        peers: 2,
        macs: 0,
        revision: 1,
        digest: FIRST.networks[0]!.digest,
        inStep: true,
      },
    ],
  });
});

const MANY = snapshot('c1', [network(9, { vteps: [vtep(2), vtep(3), vtep(4), vtep(5)] }), network(10)]);
const FEW = snapshot('c2', [network(9, { vteps: [vtep(5)], revision: 2 }), network(10)]);

test('an update that takes most peers away is held, said so, and in force once a snapshot says it again', async () => {
  const site = await started(MANY, updated(deltaBetween(MANY, FEW)), updated(FEW));
  expect(site.peers[9]).toHaveLength(4);
  expect(site.disk).toEqual(MANY);
  const error = '3 of 4 peers would go: held until the gateway says it again';
  expect(site.session.status()).toMatchObject({
    inStep: false,
    networks: [
      { vni: 9, error },
      { vni: 10, inStep: true },
    ],
  });
  expect(site.heartbeats.at(-1)!.networks[0]).toMatchObject({ vni: 9, revision: 1, heldRemovals: 3, error });
  expect(site.lines).toContainEqual(`error VNI 9: ${error}`);
  await site.passWait();
  expect(site.cursors).toEqual(['c1', null]);
  expect(site.peers[9]).toEqual(['site-5']);
  expect(site.session.status()).toMatchObject({ inStep: true });
  expect(site.heartbeats.at(-1)!.networks[0]).not.toHaveProperty('error');
});

test('what a held update took away stays where the next snapshot has it after all', async () => {
  const site = await started(MANY, updated(FEW), updated({ ...MANY, cursor: 'c3' }));
  expect(site.peers[9]).toHaveLength(4);
  await site.passWait();
  expect(site.peers[9]).toHaveLength(4);
  expect(site.session.status().inStep).toBe(true);
  await site.passWait();
  expect(site.cursors).toEqual(['c1', null, 'c3']);
});

test('while an update is held and the gateway goes away, forwarding goes on by what was there', async () => {
  const site = await started(MANY, updated(FEW), AWAY, AWAY, updated(FEW));
  await site.passWait();
  await site.passWait();
  expect(site.peers[9]).toHaveLength(4);
  await site.passWait();
  expect(site.cursors).toEqual(['c1', null, null, null]);
  expect(site.peers[9]).toEqual(['site-5']);
});

test('what somebody asked for is in force at once, however much it takes away', async () => {
  const change = deltaBetween(MANY, FEW);
  const asked = { ...change, networks: change.networks.map((one) => ({ ...one, intended: true as const })) };
  const site = await started(MANY, updated(asked));
  expect(site.peers[9]).toEqual(['site-5']);
  expect(site.disk).toEqual(FEW);
});
