import { describe, expect, test } from 'vitest';
import type { Prober } from '../../../agent/paths/prober.ts';
import { delta, snapshot, table } from '../datapath/overlay.ts';
import { FakeNetwork, type Passage, pathTo } from './fake-network.ts';

const A = '10.0.0.1';
const B = '10.0.0.2';
const MINUTE = 60_000;

/** Two sites that list each other. */
function pair(network = new FakeNetwork()): { network: FakeNetwork; a: Prober; b: Prober } {
  return { network, a: network.prober(A, { b: B }), b: network.prober(B, { a: A }) };
}

const isTo = (address: string) => (passage: Passage) => passage.to === address;
const isAskFrom = (address: string) => (passage: Passage) => passage.from === address && passage.probe.kind === 'ask';

test('two sites find out about the path between them within seconds: round trip, loss, MTU, and that both ways are open', () => {
  const { network, a, b } = pair();
  network.pass(15_000);
  for (const [prober, address] of [
    [a, B],
    [b, A],
  ] as const) {
    expect(pathTo(prober, address)).toMatchObject({
      state: 'reachable',
      lost: 0,
      mtu: 1500,
      neededMtu: 1500,
      hears: true,
    });
    expect(pathTo(prober, address).rttMs).toBeCloseTo(10);
  }
});

test('what a busy agent takes until it answers, or looks, is no part of the round trip', () => {
  const { network, a } = pair();
  network.busyMs = 40;
  network.pass(15_000);
  expect(pathTo(a, B).rttMs).toBeCloseTo(10);
});

test('a calm path costs an ask in ten seconds, and one more a minute for its MTU', () => {
  const { network } = pair();
  network.pass(MINUTE);
  const before = network.sent.length;
  network.pass(9 * MINUTE);
  const asks = network.sent.slice(before).filter(isAskFrom(A));
  expect(asks.filter(({ size }) => size === 60).length).toBeGreaterThanOrEqual(9 * 5);
  expect(asks.length).toBeLessThanOrEqual(9 * 7 + 4);
});

test('however many the peers, no more than twenty asks leave in a second, and each has its turn', () => {
  const network = new FakeNetwork();
  const peers = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`s${i}`, `10.1.${i >> 8}.${i & 255}`]));
  network.prober(A, peers);
  network.pass(MINUTE);
  const asked = network.sent.map(({ to }) => to);
  expect(new Set(asked).size).toBe(400);
  for (let from = 0; from < MINUTE; from += 1000) {
    expect(network.sent.filter(({ at }) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(20);
  }
});

describe('a path that loses', () => {
  test('is told with its loss, and that loses some is not taken for one that carries small packets alone', () => {
    const { network, a } = pair();
    let count = 0;
    network.passage = (passage) => (passage.probe.kind === 'ask' && ++count % 4 === 0 ? null : 5);
    network.pass(MINUTE);
    const { asked, lost, ...path } = pathTo(a, B);
    expect(path).toMatchObject({ state: 'reachable', mtu: 1500, carriesNeeded: true });
    expect(asked).toBe(32);
    expect(lost / asked).toBeGreaterThan(0.1);
    expect(lost / asked).toBeLessThan(0.4);
  });

  test('all, is unreachable within half a minute, and its MTU stays what it was', () => {
    const { network, a, b } = pair();
    network.pass(MINUTE);
    network.passage = () => null;
    network.pass(25_000);
    for (const path of [pathTo(a, B), pathTo(b, A)]) expect(path).toMatchObject({ state: 'unreachable', mtu: 1500 });
    network.pass(MINUTE);
    expect(pathTo(a, B)).toMatchObject({ hears: false });
    network.passage = () => 5;
    network.pass(25_000);
    expect(pathTo(a, B)).toMatchObject({ state: 'reachable', lost: 0, mtu: 1500, hears: true });
  });

  test('what goes one way, is told from one that is gone by who hears the other', () => {
    const { network, a, b } = pair();
    network.passage = (passage) => (isTo(B)(passage) ? null : 5);
    network.pass(30_000);
    expect(pathTo(a, B)).toMatchObject({ state: 'unreachable', hears: true });
    expect(pathTo(b, A)).toMatchObject({ state: 'silent', hears: false });
  });
});

test('a path whose MTU is too small, without a word from anyone, is found to be so, each way for itself', () => {
  const { network, a, b } = pair();
  network.passage = ({ to, size }) => (to === B && size > 1400 ? null : 5);
  network.pass(20_000);
  expect(pathTo(a, B)).toMatchObject({ state: 'reachable', lost: 0, mtu: 1400, neededMtu: 1500, carriesNeeded: false });
  expect(pathTo(b, A)).toMatchObject({ mtu: 1500, carriesNeeded: true });
});

test('an MTU that grows smaller is noticed within a minute or two, and one that grows larger within ten', () => {
  const { network, a } = pair();
  network.pass(MINUTE);
  network.passage = ({ size }) => (size > 1400 ? null : 5);
  network.pass(1.5 * MINUTE);
  expect(pathTo(a, B)).toMatchObject({ mtu: 1400, carriesNeeded: false });
  network.passage = () => 5;
  network.pass(10.5 * MINUTE);
  expect(pathTo(a, B)).toMatchObject({ mtu: 1500, carriesNeeded: true });
});

test('one that never answers nor asks is silent, not unreachable, and is asked ever more seldom', () => {
  const network = new FakeNetwork();
  const a = network.prober(A, { b: B });
  network.pass(30_000);
  expect(pathTo(a, B)).toMatchObject({ state: 'silent', hears: false });
  const before = network.sent.length;
  network.pass(MINUTE);
  expect(network.sent.length - before).toBeLessThanOrEqual(7);
});

test('who is not in the table gets no answer, and is counted; nor does one with a listed address and another port', () => {
  const network = new FakeNetwork();
  const a = network.prober(A, { b: B });
  network.pass(100);
  const ask = { kind: 'ask', size: 1000, nonce: 7n, port: 4789, heldMicros: 0 } as const;
  a.heard({ probe: ask, source: '10.0.0.3', at: network.now });
  a.heard({ probe: { ...ask, port: 4790 }, source: B, at: network.now });
  const answers = () => network.sent.filter(({ probe }) => probe.kind === 'answer');
  expect([a.unlisted, answers().length]).toEqual([2, 0]);
  a.heard({ probe: ask, source: B, at: network.now });
  // To where the table says, and no longer than an ask can be.
  expect(answers()).toMatchObject([{ to: B, size: 60, probe: { nonce: 7n, size: 1000 } }]);
});

test('an answer to what was not asked changes nothing', () => {
  const network = new FakeNetwork();
  const a = network.prober(A, { b: B });
  network.pass(3000);
  for (const nonce of [0n, 2n ** 63n]) {
    a.heard({ probe: { kind: 'answer', size: 1472, nonce, port: 4789, heldMicros: 0 }, source: B, at: network.now });
  }
  expect(pathTo(a, B)).toMatchObject({ state: 'new', hears: true });
  expect(pathTo(a, B).mtu).toBeUndefined();
});

test('over IPv6 the headers are larger, and what leaves this host is known by its link', () => {
  const network = new FakeNetwork();
  const a = network.prober('fd00::1', { b: 'fd00::2' }, 1400);
  network.prober('fd00::2', { a: 'fd00::1' }, 1400);
  network.pass(15_000);
  expect(pathTo(a, 'fd00::2')).toMatchObject({ mtu: 1400, neededMtu: 1400, overhead: 70 });
  expect(Math.max(...network.sent.map(({ size }) => size))).toBe(1400);
});

test('peers come and go with the table; those that stay keep what is known of them, and stations change nothing', () => {
  const { network, a } = pair();
  network.pass(15_000);
  const mtus = new Map([[9, 1450]]);
  a.follow(delta([{ ...table(9, { vteps: { c: '10.0.0.3' } }), macs: [] }]));
  a.inForce(mtus);
  expect(a.paths().map(({ site, state }) => [site, state])).toEqual([
    ['b', 'reachable'],
    ['c', 'new'],
  ]);
  a.follow(delta([{ ...table(9), gone: { vteps: ['b'], macs: [] } }]));
  a.inForce(mtus);
  expect(a.paths().map(({ site }) => site)).toEqual(['c']);
  a.follow(delta([table(9, { macs: { '02:00:00:00:00:01': 'c' } })]));
  a.inForce(mtus);
  a.follow(snapshot());
  a.inForce(new Map());
  expect(a.paths()).toEqual([]);
  const before = network.sent.length;
  network.pass(MINUTE);
  expect(network.sent.slice(before).filter(isAskFrom(A))).toEqual([]);
});

test('a peer that changes its key may send from either of its addresses', () => {
  const network = new FakeNetwork();
  const a = network.prober('fd00::1', {});
  const end = (address: string) => ({ publicKey: 'k', address, endpoint: null });
  const vtep = { site: 'b', address: 'fd00::2', port: 4789, wireguard: [end('fd00::2'), end('fd00::3')] };
  a.follow(snapshot({ ...table(9), vteps: [vtep] }));
  a.inForce(new Map([[9, 1370]]));
  const ask = { kind: 'ask', size: 32, nonce: 7n, port: 4789, heldMicros: 0 } as const;
  a.heard({ probe: ask, source: 'fd00::3', at: network.now });
  expect(network.sent).toMatchObject([{ to: 'fd00::2', probe: { kind: 'answer' } }]);
});

test('a prober that was stopped asks and answers no more', () => {
  const { network, a } = pair();
  network.pass(5000);
  a.stop();
  const before = network.sent.length;
  network.pass(MINUTE);
  expect(network.sent.slice(before).filter(({ from }) => from === A)).toEqual([]);
});
