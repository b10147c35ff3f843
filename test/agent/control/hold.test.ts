import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Held, removalsToHold } from '../../../agent/control/hold.ts';
import { type LastGood, mergeUpdate } from '../../../agent/control/merge.ts';
import type { Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { deltaBetween, network, snapshot, vtep } from './tables.ts';

const NOTHING: Held = new Map();

function tableOf(update: Snapshot): LastGood {
  const merged = mergeUpdate(null, structuredClone(update));
  if (merged.kind !== 'merged') throw new Error(merged.reason);
  return merged.table;
}

const peers = (...numbers: number[]): Snapshot =>
  snapshot(
    'c',
    numbers.length === 0 ? [network(9)] : [network(9, { vteps: numbers.map(vtep), revision: numbers.length })],
  );
const vniOf = (held: Held): number[] => [...held.keys()];

test('a snapshot that lacks more than half of a network’s peers is held, whether it has the network or not', () => {
  const table = tableOf(peers(1, 2, 3, 4));
  expect(vniOf(removalsToHold(table, peers(1), NOTHING))).toEqual([9]);
  expect(vniOf(removalsToHold(table, peers(), NOTHING))).toEqual([9]);
  expect(vniOf(removalsToHold(table, snapshot('c', []), NOTHING))).toEqual([9]);
  expect(vniOf(removalsToHold(table, snapshot('c', [network(9, { network: 'another' })]), NOTHING))).toEqual([9]);
});

test('half of the peers, or a single one, go at once', () => {
  expect(removalsToHold(tableOf(peers(1, 2, 3, 4)), peers(1, 2), NOTHING).size).toBe(0);
  expect(removalsToHold(tableOf(peers(1)), peers(), NOTHING).size).toBe(0);
});

test('a peer that moved or was replaced by as many others is counted by its site', () => {
  const moved = snapshot('c', [network(9, { vteps: [1, 2, 3].map((n) => ({ ...vtep(n), address: `10.9.9.${n}` })) })]);
  expect(removalsToHold(tableOf(peers(1, 2, 3)), moved, NOTHING).size).toBe(0);
  expect(removalsToHold(tableOf(peers(1, 2, 3)), peers(4, 5, 6), NOTHING).get(9)).toEqual(
    new Set(['site-1', 'site-2', 'site-3']),
  );
});

test('what somebody asked for is not held, of a network’s peers nor of whole networks', () => {
  const table = tableOf(peers(1, 2, 3, 4));
  const delta = deltaBetween(peers(1, 2, 3, 4), peers(1));
  const asked = { ...delta, networks: delta.networks.map((change) => ({ ...change, intended: true as const })) };
  expect(removalsToHold(table, delta, NOTHING).size).toBe(1);
  expect(removalsToHold(table, asked, NOTHING).size).toBe(0);
  const left = deltaBetween(peers(1, 2, 3, 4), snapshot('d', []));
  expect(removalsToHold(table, left, NOTHING).size).toBe(1);
  expect(removalsToHold(table, { ...left, intended: true }, NOTHING).size).toBe(0);
});

test('a snapshot that says it again confirms it; a delta, or one that takes away others, does not', () => {
  const table = tableOf(peers(1, 2, 3, 4));
  const held = removalsToHold(table, peers(1), NOTHING);
  expect(removalsToHold(table, peers(1), held).size).toBe(0);
  expect(removalsToHold(table, peers(1, 2), held).size).toBe(0);
  expect(removalsToHold(table, deltaBetween(peers(1, 2, 3, 4), peers(1)), held).size).toBe(1);
  expect(removalsToHold(table, peers(2), held).size).toBe(1);
});

test('whatever comes, the first word that takes away most of a network is held, and the second of the same is not', () => {
  const worlds = fc.array(fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 8 }), { minLength: 3, maxLength: 3 }), {
    minLength: 2,
    maxLength: 2,
  });
  fc.assert(
    fc.property(worlds, fc.boolean(), ([before, after], asDelta) => {
      const world = (name: string, sets: number[][]): Snapshot =>
        snapshot(
          name,
          sets.map((set, i) => network(i + 1, { vteps: set.map(vtep) })),
        );
      const [old, next] = [world('a', before!), world('b', after!)];
      const table = tableOf(old);
      const update: TableUpdate = asDelta ? deltaBetween(old, next) : next;
      const held = removalsToHold(table, update, NOTHING);
      const expected = before!.flatMap((set, i) => {
        const removed = set.filter((n) => !after![i]!.includes(n));
        return removed.length > 1 && removed.length > set.length / 2 ? [i + 1] : [];
      });
      expect(vniOf(held).sort()).toEqual(expected);
      expect(removalsToHold(table, next, held).size).toBe(0);
    }),
  );
});
