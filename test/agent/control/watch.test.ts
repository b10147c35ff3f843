import { expect, test } from 'vitest';
import { Watch } from '../../../agent/control/watch.ts';
import type { WatchClosed, WatchEvents } from '../../../agent/control/watch-socket.ts';
import type { NetworkTraffic } from '../../../src/contract/traffic.ts';
import type { Push } from '../../../src/contract/watch.ts';
import { Timers } from './timers.ts';

/** A watch whose sockets are opened, answered and broken by the test. */
class Watched {
  readonly timers = new Timers();
  readonly sockets: {
    readonly cursor: string | null;
    readonly events: WatchEvents;
    readonly sent: string[];
    ended: boolean;
  }[] = [];
  readonly pushes: Push[] = [];
  readonly lost: WatchClosed[] = [];
  traffic: NetworkTraffic[] = [];
  readonly lines: string[] = [];
  live = 0;
  cursor: string | null = 'c1';
  random = 1;
  away = false;
  readonly watch = new Watch({
    open: (cursor, events) => {
      const socket = { cursor, events, sent: [] as string[], ended: false };
      this.sockets.push(socket);
      return {
        send: (text) => void socket.sent.push(text),
        end: () => {
          socket.ended = true;
          events.onClosed({ code: null, reason: 'ended here' });
        },
      };
    },
    cursor: () => this.cursor,
    isAway: () => this.away,
    onLive: () => this.live++,
    onAlive: () => {},
    traffic: () => this.traffic,
    onPush: (push) => void this.pushes.push(push),
    onLost: (closed) => void this.lost.push(closed),
    random: () => this.random,
    after: this.timers.after,
    log: (level, message) => void this.lines.push(`${level} ${message}`),
  });

  get newest(): (typeof this.sockets)[number] {
    return this.sockets.at(-1)!;
  }

  answerPing(): void {
    expect(this.newest.sent.at(-1)).toBe('ping');
    this.newest.events.onText('pong');
  }

  comeAlive(): this {
    this.watch.start();
    this.newest.events.onOpen();
    this.answerPing();
    return this;
  }
}

const GONE: WatchClosed = { code: 1006, reason: 'closed with 1006' };

test('a socket counts as live once it has answered a ping, not before', () => {
  const watched = new Watched();
  watched.watch.start();
  expect(watched.newest.cursor).toBe('c1');
  watched.newest.events.onOpen();
  expect([watched.watch.isLive, watched.live]).toEqual([false, 0]);
  watched.answerPing();
  expect([watched.watch.isLive, watched.live]).toEqual([true, 1]);
});

test('a live socket is asked every 30 s; one that doesn’t answer in 10 s is dead, and another is opened', () => {
  const watched = new Watched().comeAlive();
  for (let i = 0; i < 5; i++) {
    watched.timers.pass(30_000);
    watched.answerPing();
  }
  expect(watched.newest.sent).toHaveLength(6);
  watched.timers.pass(30_000 + 9_999);
  expect(watched.watch.isLive).toBe(true);
  watched.timers.pass(1);
  expect(watched.watch.isLive).toBe(false);
  expect(watched.sockets[0]!.ended).toBe(true);
  expect(watched.lost).toHaveLength(1);
  expect(watched.lost[0]!.reason).toContain('no answer to a ping');
  watched.cursor = 'c2';
  watched.timers.pass(1000);
  expect(watched.sockets.map(({ cursor }) => cursor)).toEqual(['c1', 'c2']);
});

test('a proxy that takes the socket and carries nothing over it is found out in 10 s, and never taken for live', () => {
  const watched = new Watched();
  watched.watch.start();
  watched.newest.events.onOpen();
  watched.timers.pass(10_000);
  expect([watched.live, watched.lost.length]).toEqual([0, 0]);
  expect(watched.sockets[0]!.ended).toBe(true);
  watched.timers.pass(1000);
  expect(watched.sockets).toHaveLength(2);
});

test('tries go on for ever, at random within a bound that doubles up to a minute, and says so once', () => {
  const watched = new Watched();
  watched.watch.start();
  for (const bound of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]) {
    const before = watched.sockets.length;
    watched.newest.events.onClosed(GONE);
    watched.timers.pass(bound - 1);
    expect(watched.sockets).toHaveLength(before);
    watched.timers.pass(1);
    expect(watched.sockets).toHaveLength(before + 1);
  }
  expect(watched.lines).toEqual([expect.stringContaining("can't tell of changes")]);
  watched.newest.events.onOpen();
  watched.answerPing();
  expect(watched.live).toBe(1);
  // It lived, so the next one is tried soon.
  watched.random = 0;
  watched.newest.events.onClosed(GONE);
  watched.timers.pass(0);
  watched.newest.events.onOpen();
  watched.answerPing();
  expect(watched.live).toBe(2);
});

test('while the gateway is away it is tried at least every 15 s', () => {
  const watched = new Watched();
  watched.away = true;
  watched.watch.start();
  for (let i = 1; i <= 10; i++) {
    watched.newest.events.onClosed(GONE);
    watched.timers.pass(15_000);
    expect(watched.sockets.length).toBeGreaterThan(i);
  }
});

test('when the gateway is back after an outage, the next try doesn’t wait for its turn', () => {
  const watched = new Watched();
  watched.watch.start();
  for (let i = 0; i < 8; i++) {
    watched.newest.events.onClosed(GONE);
    watched.timers.pass(60_000);
  }
  watched.watch.tryAgain();
  expect(watched.sockets).toHaveLength(9);
  watched.newest.events.onClosed(GONE);
  watched.watch.tryAgain();
  expect(watched.sockets).toHaveLength(10);
  expect(watched.timers.waiting).toBe(0);
});

test('what the gateway tells is passed on, and what only a newer one says is passed over; what can’t be read is a reason to pull', () => {
  const watched = new Watched().comeAlive();
  const delta = { type: 'delta', kind: 'delta', from: 'c1', cursor: 'c2', networks: [] } as const;
  for (const text of [
    JSON.stringify(delta),
    '{"type":"changed","withinMs":500}',
    '{"type":"news"}',
    'garbage',
    '[1]',
  ]) {
    watched.newest.events.onText(text);
  }
  expect(watched.pushes).toEqual([delta, { type: 'changed', withinMs: 500 }, { type: 'changed' }, { type: 'changed' }]);
});

test('asked for its traffic, the site says it so often for so long, and no longer than somebody asks', () => {
  const watched = new Watched().comeAlive();
  const said = (): unknown[] => watched.newest.sent.filter((text) => text.includes('traffic'));
  const ask = (forMs: number): void =>
    watched.newest.events.onText(JSON.stringify({ type: 'traffic', everyMs: 2000, forMs }));
  const carried = { revision: 3, rxBytes: 1, txBytes: 2, rxFrames: 3, txFrames: 4, drops: 5 };
  watched.traffic = Array.from({ length: 201 }, (_, i) => ({ vni: i + 1, ...carried }));
  ask(4000);
  watched.timers.pass(1000);
  // Of more networks than go into one message, there are two.
  expect(said()).toHaveLength(2);
  expect(said()[1]).toBe(JSON.stringify({ type: 'traffic', networks: [{ vni: 201, ...carried }] }));
  watched.traffic = [];
  ask(4000);
  watched.timers.pass(9_000);
  expect(said()).toHaveLength(4);
  ask(60_000);
  watched.timers.pass(1000);
  ask(0);
  watched.timers.pass(10_000);
  expect(said()).toHaveLength(5);
  ask(60_000);
  watched.newest.events.onClosed(GONE);
  watched.timers.pass(800);
  expect(said()).toHaveLength(5);
});

test('an older socket’s last words change nothing', () => {
  const watched = new Watched().comeAlive();
  const [older] = watched.sockets;
  older!.events.onClosed(GONE);
  watched.timers.pass(1000);
  watched.newest.events.onOpen();
  watched.answerPing();
  older!.events.onText('{"type":"changed"}');
  older!.events.onClosed(GONE);
  expect([watched.watch.isLive, watched.pushes.length, watched.lost.length]).toEqual([true, 0, 1]);
});

test('a watch that is stopped ends its socket, opens no other and waits for nothing', () => {
  const watched = new Watched().comeAlive();
  watched.watch.stop();
  expect(watched.newest.ended).toBe(true);
  expect(watched.timers.waiting).toBe(0);
  expect([watched.watch.isLive, watched.lost.length]).toEqual([false, 0]);
});
