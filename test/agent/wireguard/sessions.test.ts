import { expect, test } from 'vitest';
import { Sessions } from '../../../agent/wireguard/sessions.ts';
import type { Vtep } from '../../../src/contract/table.ts';

const end = (publicKey: string) => ({ publicKey, address: `fd9c::${publicKey}`, endpoint: null });

/** One network with these sites, each by the keys it has. */
function networks(sites: Readonly<Record<string, readonly string[]>>): { readonly vteps: Map<string, Vtep> }[] {
  const vteps = Object.entries(sites).map(([site, keys]) => {
    return [site, { site, address: `fd9c::${keys[0]}`, port: 14_789, wireguard: keys.map(end) }] as const;
  });
  return [{ vteps: new Map(vteps) }, { vteps: new Map(vteps) }];
}

test('a site is missed once it had its time to answer, once though it is in several networks, and no more when it does', () => {
  const sessions = new Sessions();
  const told = (handshakes: ReadonlyMap<string, number>, now: number) => {
    sessions.look(networks({ oslo: ['a'], lima: ['b'] }), [handshakes], now);
    return sessions.missing.map(({ publicKey }) => publicKey);
  };
  expect(told(new Map([['a', 1000]]), 1000)).toEqual([]);
  expect(told(new Map([['a', 1000]]), 1010)).toEqual(['b']);
  const both = new Map([
    ['a', 1000],
    ['b', 1020],
  ]);
  expect(told(both, 1020)).toEqual([]);
  expect(told(both, 1190)).toEqual(['a']);
});

test('of a site that moves to another key, and of two devices here, one session is enough', () => {
  const sessions = new Sessions();
  for (const now of [1000, 1010])
    sessions.look(networks({ oslo: ['a', 'b'] }), [new Map(), new Map([['b', 999]])], now);
  expect(sessions.missing).toEqual([]);
});

test('a site that went and came again has its time anew', () => {
  const sessions = new Sessions();
  for (const now of [1000, 1010]) sessions.look(networks({ oslo: ['a'] }), [], now);
  expect(sessions.missing).toHaveLength(1);
  sessions.look(networks({}), [], 1020);
  sessions.look(networks({ oslo: ['a'] }), [], 1030);
  expect(sessions.missing).toEqual([]);
});
