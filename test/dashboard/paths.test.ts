import { expect, test } from 'vitest';
import type { PathSeen } from '../../src/contract/paths.ts';
import { formatLoss, formatRoundTrip, type PathItem, pathHealth } from '../../src/dashboard/format/path.ts';

const SEEN: PathSeen = {
  state: 'reachable',
  rttMs: 0.421,
  asked: 32,
  lost: 0,
  mtu: 1500,
  neededMtu: 1500,
  hears: true,
  reportedAt: '2026-01-01T00:00:00Z',
};

function words(there: Partial<PathSeen> | null, back: Partial<PathSeen> | null, kind: 'agent' | 'static' = 'agent') {
  const item: PathItem = {
    site: { id: 'b', name: 'bergen', kind },
    transport: 'plain',
    ...(there && { there: { ...SEEN, ...there } }),
    ...(back && { back: { ...SEEN, ...back } }),
  };
  const { tone, words } = pathHealth(item);
  return `${tone}: ${words}`;
}

test('a path is as well as the worse of its ends says', () => {
  expect(words({}, {})).toBe('good: Well');
  expect(words({}, null)).toBe('good: Well');
  expect(words({}, { lost: 8 })).toBe('warn: Loses packets');
  expect(words({ lost: 2 }, {})).toBe('good: Well');
  expect(words({}, { mtu: 1400, carriesNeeded: false })).toBe('bad: MTU too small');
  expect(words({ state: 'unreachable', hears: true }, { state: 'silent', hears: false })).toBe('bad: Open one way');
  expect(words({ state: 'unreachable', hears: false }, { state: 'unreachable', hears: false })).toBe(
    'bad: Unreachable',
  );
  expect(words({ state: 'silent' }, null)).toBe('warn: No answer');
  expect(words({ state: 'silent' }, null, 'static')).toBe('off: Not measured');
});

test('figures of what is not known are dashes', () => {
  expect([formatRoundTrip(SEEN), formatRoundTrip({ ...SEEN, rttMs: 81.6 })]).toEqual(['0.42 ms', '82 ms']);
  expect([formatRoundTrip(undefined), formatRoundTrip({ ...SEEN, state: 'unreachable' })]).toEqual(['–', '–']);
  expect([formatLoss({ ...SEEN, lost: 8 }), formatLoss({ ...SEEN, asked: 0 })]).toEqual(['25 %', '–']);
});
