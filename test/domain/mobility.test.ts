import { expect, test } from 'vitest';
import {
  FREEZE_SECONDS,
  judgeAnnouncement,
  type MacEntry,
  MOVE_WINDOW_SECONDS,
  MOVES_TO_FREEZE,
  takesAway,
} from '../../src/domain/mobility.ts';

const at = (site: string, more: Partial<MacEntry> = {}): MacEntry => ({
  site,
  ip: null,
  sticky: false,
  moves: 0,
  movesSince: 0,
  frozenUntil: null,
  ...more,
});
const START = 1_000_000_000;

/** Announces by turns of two sites, so many seconds apart. */
function pingPong(turns: number, seconds: number): { entry: MacEntry; now: number } {
  let entry = at('a');
  let now = START;
  for (let i = 0; i < turns; i++) {
    now += seconds * 1000;
    const verdict = judgeAnnouncement(entry, { site: i % 2 === 0 ? 'b' : 'a', ip: null }, false, now);
    if (verdict.kind !== 'changed') throw new Error(`turn ${i}: ${verdict.kind}`);
    entry = verdict.entry;
  }
  return { entry, now };
}

test('a new MAC is taken where there is room, and one that is there needs none', () => {
  expect(judgeAnnouncement(null, { site: 'a', ip: null }, true, START)).toEqual({ kind: 'changed', entry: at('a') });
  expect(judgeAnnouncement(null, { site: 'a', ip: null }, false, START)).toEqual({
    kind: 'rejected',
    code: 'quota_exceeded',
  });
  expect(judgeAnnouncement(at('a'), { site: 'b', ip: null }, false, START)).toMatchObject({ kind: 'changed' });
});

test('of one site an address that is said counts, and one that is not said takes none away', () => {
  const known = at('a', { ip: '10.0.0.1' });
  expect(judgeAnnouncement(known, { site: 'a', ip: null }, true, START)).toEqual({ kind: 'unchanged' });
  expect(judgeAnnouncement(known, { site: 'a', ip: '10.0.0.1' }, true, START)).toEqual({ kind: 'unchanged' });
  expect(judgeAnnouncement(known, { site: 'a', ip: '10.0.0.2' }, true, START)).toMatchObject({
    entry: { ip: '10.0.0.2' },
  });
  // Another site's station is another one, as far as anyone knows.
  expect(judgeAnnouncement(known, { site: 'b', ip: null }, true, START)).toMatchObject({
    entry: { site: 'b', ip: null },
  });
});

test('sticky beats all: nobody moves it, changes its address or takes it away', () => {
  const sticky = at('a', { sticky: true });
  expect(judgeAnnouncement(sticky, { site: 'b', ip: null }, true, START)).toEqual({
    kind: 'rejected',
    code: 'mac_sticky',
  });
  expect(judgeAnnouncement(sticky, { site: 'a', ip: '10.0.0.1' }, true, START)).toEqual({ kind: 'unchanged' });
  expect(takesAway(sticky, 'a')).toBe(false);
  expect(takesAway(at('a'), 'a')).toBe(true);
  expect(takesAway(at('a'), 'b')).toBe(false);
});

test('the fifth move within the window freezes the MAC where it came to be, and not the fourth', () => {
  expect(pingPong(MOVES_TO_FREEZE - 1, 1).entry.frozenUntil).toBeNull();
  const { entry, now } = pingPong(MOVES_TO_FREEZE, 1);
  expect(entry).toMatchObject({ site: 'b', frozenUntil: now + FREEZE_SECONDS * 1000 });
  const again = (later: number) => judgeAnnouncement(entry, { site: 'a', ip: null }, true, now + later);
  expect(again(FREEZE_SECONDS * 1000 - 1)).toEqual({ kind: 'rejected', code: 'mac_frozen' });
  expect(again(FREEZE_SECONDS * 1000)).toMatchObject({ entry: { site: 'a', moves: 1, frozenUntil: null } });
  // Where it is it may still get an address, and goes on being frozen.
  expect(judgeAnnouncement(entry, { site: 'b', ip: '10.0.0.1' }, true, now)).toMatchObject({
    entry: { ip: '10.0.0.1', frozenUntil: entry.frozenUntil },
  });
});

test('moves that are spread over more than the window never freeze it', () => {
  const spread = MOVE_WINDOW_SECONDS / (MOVES_TO_FREEZE - 1);
  expect(pingPong(50, spread).entry.frozenUntil).toBeNull();
  expect(pingPong(MOVES_TO_FREEZE, spread - 1).entry.frozenUntil).not.toBeNull();
});
