import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MtuBounds, MtuSearch } from '../../../agent/paths/mtu-search.ts';

const BOUNDS: MtuBounds = { smallest: 60, needed: 1450, ceiling: 1500 };

/** Asks until there is nothing to find out, on a path that carries `mtu`. @returns the sizes in the order in which they were asked with. */
function run(search: MtuSearch, mtu: number): number[] {
  const asked: number[] = [];
  for (let size = search.next; size !== null; size = search.next) {
    asked.push(size);
    if (asked.length > 200) throw new Error(`no end: ${asked}`);
    if (size <= mtu) search.answered(size);
    else search.lost(size);
  }
  return asked;
}

test('a path that carries all is known after two asks: what the networks need first, then the largest', () => {
  const search = new MtuSearch(BOUNDS);
  expect(search.carriesNeeded).toBeNull();
  expect(run(search, 9000)).toEqual([1450, 1500]);
  expect([search.mtu, search.carriesNeeded]).toEqual([1500, true]);
});

test('the largest size that passes is found, whatever it is, in few asks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 576, max: 9216 }),
      fc.integer({ min: 60, max: 9216 }),
      fc.nat(9216),
      (ceiling, needed, mtu) => {
        const search = new MtuSearch({ smallest: 60, needed: Math.min(needed, ceiling), ceiling });
        // Three times each that does not pass.
        expect(run(search, mtu).length).toBeLessThanOrEqual(3 * (Math.ceil(Math.log2(ceiling)) + 3));
        expect(search.mtu).toBe(Math.max(60, Math.min(mtu, ceiling)));
        expect(search.carriesNeeded).toBe(search.mtu! >= search.bounds.needed);
      },
    ),
  );
});

test('one that was lost twice and then answered passes', () => {
  const search = new MtuSearch(BOUNDS);
  search.lost(1450);
  search.lost(1450);
  search.answered(1450);
  expect(search.carriesNeeded).toBe(true);
  search.lost(1500);
  search.lost(1500);
  search.answered(1500);
  expect(search.mtu).toBe(1500);
});

test('what did not even leave this host is too large at once', () => {
  const search = new MtuSearch(BOUNDS);
  search.lost(1450, true);
  expect(search.carriesNeeded).toBe(false);
});

test('a path that carries less than it did is noticed by one size, and searched anew', () => {
  const search = new MtuSearch(BOUNDS);
  run(search, 1500);
  search.check();
  expect(run(search, 1500)).toEqual([1500]);
  search.check();
  expect(run(search, 1400).slice(0, 6)).toEqual([1500, 1500, 1500, 1450, 1450, 1450]);
  expect([search.mtu, search.carriesNeeded]).toEqual([1400, false]);
});

test('what is known stays known while it is looked for again, and a path that carries more than it did is found so', () => {
  const search = new MtuSearch(BOUNDS);
  run(search, 1400);
  search.search();
  expect([search.mtu, search.carriesNeeded]).toEqual([1400, false]);
  expect(run(search, 1500)).toEqual([1450, 1500]);
  expect(search.carriesNeeded).toBe(true);
});

test('an answer that comes when another size is asked for changes nothing', () => {
  const search = new MtuSearch(BOUNDS);
  search.answered(1500);
  search.lost(1500, true);
  expect(search.next).toBe(1450);
});
