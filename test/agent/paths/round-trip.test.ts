import { expect, test } from 'vitest';
import { RoundTrip } from '../../../agent/paths/round-trip.ts';

const BOUNDS = { least: 250, most: 3000 };

test('a round trip is smoothed as RFC 6298 says, so that one late answer is not the path’s', () => {
  const roundTrip = new RoundTrip();
  expect(roundTrip.ms).toBeNull();
  roundTrip.take(100);
  expect(roundTrip.ms).toBe(100);
  roundTrip.take(180);
  expect(roundTrip.ms).toBe(110);
});

test('an answer is waited for as long as the path’s answers vary, within bounds', () => {
  const roundTrip = new RoundTrip();
  expect(roundTrip.timeoutMs(BOUNDS)).toBe(250);
  roundTrip.take(400);
  expect(roundTrip.timeoutMs(BOUNDS)).toBe(400 + 4 * 200);
  for (let i = 0; i < 50; i++) roundTrip.take(400);
  expect(roundTrip.timeoutMs(BOUNDS)).toBeCloseTo(450, 0);
  for (let i = 0; i < 50; i++) roundTrip.take(0.2);
  expect(roundTrip.timeoutMs(BOUNDS)).toBe(250);
  roundTrip.take(10_000);
  expect(roundTrip.timeoutMs(BOUNDS)).toBe(3000);
  roundTrip.forget();
  expect(roundTrip.ms).toBeNull();
});
