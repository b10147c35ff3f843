import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  changesNothing,
  type LastGood,
  mergeNext,
  mergeUpdate,
  startsFrom,
  toSnapshot,
} from '../../../agent/control/merge.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import type { Delta, Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { arbitrarySnapshots, deltaBetween, network, snapshot, vtep } from './tables.ts';

function merged(held: LastGood | null, update: TableUpdate): LastGood {
  const result = mergeUpdate(held, update);
  if (result.kind !== 'merged') throw new Error(result.reason);
  return result.table;
}

/** Without the order, which means nothing. */
function contents({ cursor, networks }: Snapshot): unknown {
  const sorted = networks.map((table) => ({
    ...table,
    vteps: [...table.vteps].sort((a, b) => (a.site < b.site ? -1 : 1)),
    macs: [...table.macs].sort((a, b) => (a.mac < b.mac ? -1 : 1)),
  }));
  return { cursor, networks: sorted.sort((a, b) => a.vni - b.vni) };
}

test('a chain of deltas ends at the same table as the last snapshot', () => {
  fc.assert(
    fc.property(arbitrarySnapshots(4), (worlds) => {
      let held = merged(null, worlds[0]!);
      for (const [i, world] of worlds.entries()) {
        if (i > 0) held = merged(held, deltaBetween(worlds[i - 1]!, world));
        expect(contents(toSnapshot(held))).toEqual(contents(world));
      }
    }),
  );
});

test('the in-memory data path ends at the same table as the merge', async () => {
  await fc.assert(
    fc.asyncProperty(arbitrarySnapshots(3), async (worlds) => {
      const datapath = new InMemoryDatapath();
      await datapath.apply(worlds[0]!);
      for (let i = 1; i < worlds.length; i++) await datapath.apply(deltaBetween(worlds[i - 1]!, worlds[i]!));
      const held = merged(null, worlds.at(-1)!);
      expect(new Set(datapath.networks.keys())).toEqual(new Set(held.networks.keys()));
      for (const [vni, table] of held.networks) {
        expect(datapath.networks.get(vni)!.vteps).toEqual(table.vteps);
        expect(datapath.networks.get(vni)!.macs).toEqual(table.macs);
      }
    }),
  );
});

test('a delta with one entry missed or invented anywhere is found by the digest and changes nothing', () => {
  fc.assert(
    fc.property(arbitrarySnapshots(2), fc.nat(), (worlds, pick) => {
      const [before, after] = worlds as [Snapshot, Snapshot];
      const delta = deltaBetween(before, after);
      fc.pre(delta.networks.length > 0);
      const victim = delta.networks[pick % delta.networks.length]!;
      if (victim.vteps.length > 0) victim.vteps.pop();
      else victim.vteps.push({ site: 'stranger', address: '192.0.2.1', port: 4789 });
      const held = merged(null, before);
      expect(mergeUpdate(held, delta).kind).toBe('resync');
      expect(contents(toSnapshot(held))).toEqual(contents(before));
    }),
  );
});

test('a delta is the next only where it starts from the cursor that is held; a snapshot always is', () => {
  const held = merged(null, snapshot('c1', [network(9)]));
  const delta = (from: string): Delta => ({ kind: 'delta', from, cursor: 'c2', networks: [] });
  expect([startsFrom(held, delta('c1')), startsFrom(held, delta('c0')), startsFrom(null, delta('c1'))]).toEqual([
    true,
    false,
    false,
  ]);
  expect([startsFrom(held, snapshot('c7', [])), startsFrom(null, snapshot('c7', []))]).toEqual([true, true]);
  expect(mergeNext(held, delta('c0')).kind).toBe('resync');
  expect(held.cursor).toBe('c1');
  expect(mergeNext(held, delta('c1')).kind).toBe('merged');
});

test('a delta without a table asks for a snapshot', () => {
  expect(mergeUpdate(null, { kind: 'delta', from: 'c1', cursor: 'c2', networks: [] }).kind).toBe('resync');
});

test('a snapshot whose digest is not that of its entries is no table', () => {
  const wrong = snapshot('c1', [network(9, { vteps: [vtep(2)], digest: '000000000001' })]);
  expect(mergeUpdate(null, wrong)).toEqual({ kind: 'resync', reason: expect.stringContaining('VNI 9 has digest') });
});

test('a snapshot that names a VNI twice is no table', () => {
  expect(mergeUpdate(null, snapshot('c1', [network(9), network(9)])).kind).toBe('resync');
});

test('a VNI that has come to another network keeps nothing of the old one', () => {
  const held = merged(null, snapshot('c1', [network(9, { vteps: [vtep(2)] })]));
  const other = network(9, { network: 'net-other', vteps: [vtep(3)] });
  const table = merged(held, { kind: 'delta', from: 'c1', cursor: 'c2', networks: [other] });
  expect([...table.networks.get(9)!.vteps.keys()]).toEqual(['site-3']);
});

test('an empty list in a snapshot means none', () => {
  const held = merged(null, snapshot('c1', [network(9, { vteps: [vtep(2)] })]));
  expect(merged(held, snapshot('c2', [network(9)])).networks.get(9)!.vteps.size).toBe(0);
  expect(merged(held, snapshot('c3', [])).networks.size).toBe(0);
});

test('only a delta that names nothing changes nothing', () => {
  expect(changesNothing({ kind: 'delta', from: 'a', cursor: 'b', networks: [] })).toBe(true);
  expect(changesNothing({ kind: 'delta', from: 'a', cursor: 'b', networks: [], goneNetworks: [9] })).toBe(false);
  expect(changesNothing({ kind: 'delta', from: 'a', cursor: 'b', networks: [network(9)] })).toBe(false);
  expect(changesNothing(snapshot('b', []))).toBe(false);
});
