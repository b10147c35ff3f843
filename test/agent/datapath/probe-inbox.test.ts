import { expect, test } from 'vitest';
import { ProbeInbox } from '../../../agent/datapath/probe-inbox.ts';
import { writeProbe } from '../../../agent/wire/probe.ts';

const LENGTH = 32;
const view = new DataView(new ArrayBuffer(LENGTH));
writeProbe(view, 0, { kind: 'ask', size: LENGTH, nonce: 7n, port: 4789, heldMicros: 0 });

/** 10.0.0.n, as an IPv4-mapped address. */
const source = (n: number): Uint32Array =>
  new Uint32Array(new Uint8Array([...new Array(10).fill(0), 255, 255, 10, 0, 0, n]).buffer);

test('who sends without end uses up its own share, and not that of the others', () => {
  const inbox = new ProbeInbox(0x1234_5678);
  const takes = (n: number, now: number): boolean => inbox.take(view, 0, LENGTH, source(n), 0, now);
  const taken = Array.from({ length: 1000 }, () => takes(1, 5.2)).filter(Boolean);
  expect(taken).toHaveLength(20);
  // By chance a few may share its share.
  const others = Array.from({ length: 100 }, (_, i) => takes(2 + i, 5.9)).filter(Boolean);
  expect(others.length).toBeGreaterThan(90);
  expect(inbox.drain()).toHaveLength(20 + others.length);
  expect(takes(1, 6)).toBe(true);
});
