import { expect, test } from 'vitest';
import type { HeartbeatAnswer, PullAnswer } from '../../../agent/control/client.ts';
import { Session } from '../../../agent/control/session.ts';
import type { WatchEvents } from '../../../agent/control/watch-socket.ts';
import type { PeerPath } from '../../../agent/datapath/datapath.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import type { Heartbeat } from '../../../src/contract/agent.ts';
import type { Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { peerPath } from '../paths/peer-path.ts';
import { OWN_SITE } from './fake-site.ts';
import { deltaBetween, network, snapshot, vtep } from './tables.ts';
import { settled, Timers } from './timers.ts';

const FIRST = snapshot('c1', [network(9, { vteps: [vtep(2), vtep(3)] })]);
const SECOND = snapshot('c2', [network(9, { revision: 2, vteps: [vtep(3), vtep(4)] })]);
const THIRD = snapshot('c3', [network(9, { revision: 3, vteps: [vtep(3), vtep(4), vtep(5)] })]);

/** The paths to so many peers, all of them well. */
function paths(count: number): PeerPath[] {
  return Array.from({ length: count }, (_, i) => peerPath({ site: `site-${i}`, rttMs: 1.2341 }));
}

/** A site whose gateway pushes when the test says so; keepalives are answered while `answering`. */
class WatchingSite {
  readonly timers = new Timers();
  readonly datapath = new InMemoryDatapath();
  readonly cursors: (string | null)[] = [];
  readonly heartbeats: (Heartbeat & { readonly at: number })[] = [];
  readonly said: string[] = [];
  readonly sockets: WatchEvents[] = [];
  pulled: PullAnswer = { kind: 'updated', update: FIRST };
  taken: HeartbeatAnswer = { kind: 'accepted' };
  accepting = true;
  answering = true;
  random = 0.5;
  /** How far the machine's clock was set, in milliseconds. */
  clockOff = 0;
  readonly session = new Session({
    client: {
      pull: async (cursor) => {
        this.cursors.push(cursor);
        if (this.pulled.kind === 'updated' && this.pulled.update.cursor === cursor) return { kind: 'not-modified' };
        return structuredClone(this.pulled);
      },
      heartbeat: async (heartbeat) => {
        this.heartbeats.push({ ...heartbeat, at: this.timers.nowMs });
        return this.taken;
      },
      reportMacs: async () => ({ kind: 'reported', cursor: 'c', rejected: [] }),
    },
    watch: (_, events) => {
      this.sockets.push(events);
      queueMicrotask(() => {
        if (this.accepting) events.onOpen();
        else events.onClosed({ code: null, reason: 'answered 403 to a WebSocket' });
      });
      return {
        send: (text) => {
          if (text !== 'ping') this.said.push(text);
          else if (this.answering) queueMicrotask(() => events.onText('pong'));
        },
        end: () => events.onClosed({ code: null, reason: 'ended here' }),
      };
    },
    datapath: this.datapath,
    site: OWN_SITE,
    store: { load: async () => null, save: () => {}, flush: async () => {} },
    version: '1.0.0',
    now: () => this.timers.nowMs + this.clockOff,
    random: () => this.random,
    after: this.timers.after,
    log: () => {},
  });

  async started(): Promise<this> {
    await this.session.start();
    await settled();
    return this;
  }

  async push(update: TableUpdate | { readonly type: 'changed'; readonly withinMs?: number }): Promise<void> {
    const message = 'kind' in update ? { type: 'delta', ...update } : update;
    this.sockets.at(-1)!.onText(JSON.stringify(message));
    await settled();
  }

  get peers(): string[] {
    return [...this.datapath.networks.get(9)!.vteps.keys()].sort();
  }
}

const between = (from: Snapshot, to: Snapshot): TableUpdate => structuredClone(deltaBetween(from, to));

test('once the socket lives the site pulls, says where it is, and needs ask no more', async () => {
  const site = await new WatchingSite().started();
  expect(site.session.status().watching).toBe(true);
  expect(site.cursors).toEqual([null, 'c1']);
  expect(site.said.at(-1)).toBe('{"type":"at","cursor":"c1"}');
});

test('a delta that is pushed is in force without a pull, and is reported soon', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.heartbeats.length = 0;
  await site.push(between(FIRST, SECOND));
  expect(site.peers).toEqual(['site-3', 'site-4']);
  expect(site.cursors).toHaveLength(2);
  await site.timers.passSettled(1000);
  expect(site.heartbeats).toMatchObject([{ cursor: 'c2', watching: true }]);
});

test('what the data path finds broken by itself is reported at once, and so is its end; more often than once a second it is not', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.heartbeats.length = 0;
  const turn = async (act: () => void) => {
    act();
    site.datapath.lookAfter();
    await settled();
  };
  await turn(() => site.datapath.fail(9, 'there is no bridge named br0'));
  expect(site.heartbeats).toMatchObject([{ networks: [{ vni: 9, error: 'there is no bridge named br0' }] }]);
  await site.timers.passSettled(1000);
  await turn(() => site.datapath.heal(9));
  expect(site.heartbeats).toHaveLength(2);
  expect(site.heartbeats[1]!.networks[0]).not.toHaveProperty('error');
  for (let i = 0; i < 100; i++) {
    await turn(() => (i % 2 === 0 ? site.datapath.fail(9, 'gone') : site.datapath.heal(9)));
    await site.timers.passSettled(100);
  }
  expect(site.heartbeats.length).toBeGreaterThan(8);
  expect(site.heartbeats.length).toBeLessThan(14);
});

test('what becomes of a path is reported soon, and often only where it changes often', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.heartbeats.length = 0;
  const [path] = paths(1);
  site.datapath.setPaths(path!);
  await site.timers.passSettled(1000);
  expect(site.heartbeats).toMatchObject([{ paths: [{ site: 'site-0', state: 'reachable', rttMs: 1.234, mtu: 1500 }] }]);
  for (let i = 0; i < 60; i++) {
    site.datapath.setPaths({ ...path!, state: i % 2 === 0 ? 'unreachable' : 'reachable' });
    await site.timers.passSettled(1000);
  }
  expect(site.heartbeats.length).toBeGreaterThanOrEqual(4);
  expect(site.heartbeats.length).toBeLessThanOrEqual(6);
  await site.timers.passSettled(60_000);
  const before = site.heartbeats.length;
  await site.timers.passSettled(8 * 60_000);
  expect(site.heartbeats.length).toBe(before);
});

test('of more paths than a report may name, it names those that are worst', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  const many = paths(1100).map((path, i) => (i === 1050 ? { ...path, state: 'unreachable' as const } : path));
  site.datapath.setPaths({ ...many[0]!, site: 'unknown-yet', state: 'new' }, ...many);
  await site.timers.passSettled(1000);
  const { paths: reported } = site.heartbeats.at(-1)!;
  expect(reported).toHaveLength(1000);
  expect(reported![0]).toMatchObject({ site: 'site-1050', state: 'unreachable' });
  expect(reported!.some((path) => path.site === 'unknown-yet')).toBe(false);
});

test('a report that is not taken is said again, seconds later and not at once', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.heartbeats.length = 0;
  site.taken = { kind: 'unavailable', reason: 'answered 500' };
  site.datapath.setPaths(...paths(1));
  await site.timers.passSettled(20_000);
  expect(site.heartbeats.length).toBeGreaterThan(2);
  expect(site.heartbeats.length).toBeLessThanOrEqual(11);
});

test('deltas in order are each applied; one that comes twice changes nothing', async () => {
  const site = await new WatchingSite().started();
  await site.push(between(FIRST, SECOND));
  await site.push(between(SECOND, THIRD));
  await site.push(between(SECOND, THIRD));
  expect(site.peers).toEqual(['site-3', 'site-4', 'site-5']);
  expect(site.cursors).toHaveLength(2);
});

test('a gap between deltas is filled by a pull from where the site is', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.pulled = { kind: 'updated', update: between(FIRST, THIRD) };
  await site.push(between(SECOND, THIRD));
  expect(site.cursors).toEqual([null, 'c1', 'c1']);
  expect(site.peers).toEqual(['site-3', 'site-4', 'site-5']);
  expect(site.said.at(-1)).toBe('{"type":"at","cursor":"c3"}');
});

test('a delta that crosses with the word of where the site is, is left for the one that follows', async () => {
  const site = await new WatchingSite().started();
  site.pulled = { kind: 'updated', update: between(FIRST, SECOND) };
  await site.push({ type: 'changed' });
  expect(site.cursors).toEqual([null, 'c1', 'c1']);
  await site.push(between(FIRST, THIRD));
  expect(site.cursors).toHaveLength(3);
  await site.push(between(SECOND, THIRD));
  expect(site.cursors).toHaveLength(3);
  expect(site.peers).toEqual(['site-3', 'site-4', 'site-5']);
});

test('many who are told to pull do so spread over the time that they are given', async () => {
  const site = await new WatchingSite().started();
  site.random = 0.75;
  await site.push({ type: 'changed', withinMs: 2000 });
  await site.timers.passSettled(1499);
  expect(site.cursors).toHaveLength(2);
  await site.timers.passSettled(1);
  expect(site.cursors).toHaveLength(3);
});

test('an idle hour costs a pull, and a report every ten minutes', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  const before = site.cursors.length + site.heartbeats.length + site.sockets.length;
  await site.timers.passSettled(3_600_000);
  const requests = site.cursors.length + site.heartbeats.length + site.sockets.length - before;
  expect(requests).toBeGreaterThanOrEqual(6);
  expect(requests).toBeLessThanOrEqual(8);
  expect(site.heartbeats.at(-1)!.at).toBeGreaterThan(site.timers.nowMs - 700_000);
});

test('a clock that is set back by a day holds up neither pulls nor reports', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.clockOff = -86_400_000;
  const [pulls, reports] = [site.cursors.length, site.heartbeats.length];
  await site.timers.passSettled(7_500_000);
  expect(site.cursors.length - pulls).toBeGreaterThanOrEqual(1);
  expect(site.cursors.length - pulls).toBeLessThanOrEqual(3);
  expect(site.heartbeats.length - reports).toBeGreaterThanOrEqual(10);
  expect(site.heartbeats.length - reports).toBeLessThanOrEqual(14);
});

test('while sockets are refused the site polls as ever, and stops that when one gets through', async () => {
  const site = new WatchingSite();
  site.accepting = false;
  await site.started();
  await site.timers.passSettled(300_000);
  expect(site.cursors.length).toBeGreaterThanOrEqual(60);
  expect(site.heartbeats.length).toBeGreaterThanOrEqual(10);
  expect(site.heartbeats.every(({ watching }) => watching === undefined)).toBe(true);
  site.accepting = true;
  await site.timers.passSettled(60_000);
  expect(site.session.status().watching).toBe(true);
  const pulls = site.cursors.length;
  await site.timers.passSettled(300_000);
  expect(site.cursors).toHaveLength(pulls);
});

test('a socket that is silently dead is noticed within 40 s; until another lives the site asks, and reports that it does', async () => {
  const site = await new WatchingSite().started();
  await site.timers.passSettled(60_000);
  site.answering = false;
  const pulls = site.cursors.length;
  await site.timers.passSettled(40_000);
  expect(site.session.status().watching).toBe(false);
  site.heartbeats.length = 0;
  await site.timers.passSettled(5000);
  expect(site.cursors.length).toBeGreaterThan(pulls);
  expect(site.heartbeats[0]?.watching).toBeUndefined();
  expect(site.heartbeats).toHaveLength(1);
  site.answering = true;
  await site.timers.passSettled(60_000);
  expect(site.session.status().watching).toBe(true);
});

test('a site whose socket is closed because it was disabled asks at once, and forwards for nobody', async () => {
  const site = await new WatchingSite().started();
  site.accepting = false;
  site.pulled = { kind: 'refused', code: 'site_disabled', detail: 'the site is disabled' };
  site.sockets.at(-1)!.onClosed({ code: 4403, reason: 'closed with 4403 site_disabled' });
  await settled();
  expect(site.datapath.networks.size).toBe(0);
});

test('a network that can’t be carried is tried again every few seconds, with a live socket too', async () => {
  const site = new WatchingSite();
  site.datapath.fail(9, 'bridge br0 is missing');
  await site.started();
  await site.timers.passSettled(20_000);
  site.datapath.heal(9);
  await site.timers.passSettled(6000);
  expect(site.session.status().inStep).toBe(true);
});
