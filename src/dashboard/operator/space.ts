/** The 24-bit space of VNIs, cut into stretches that belong to one pool each. */
import type { VniPool } from '../../contract/vni-pools.ts';

export const SPACE_LAST = 2 ** 24 - 1;

export interface Stretch {
  readonly first: number;
  readonly last: number;
  /** Null where no pool has these numbers. */
  readonly pool: VniPool | null;
}

/** @param pools none overlaps another, but the shared one has the others carved out of it. */
export function stretchesOf(pools: readonly VniPool[]): Stretch[] {
  const carved = pools.filter(({ name }) => name !== 'shared').toSorted((a, b) => a.first - b.first);
  const shared = pools.find(({ name }) => name === 'shared');
  const stretches: Stretch[] = [];
  let next = 0;
  const fill = (until: number): void => {
    while (next < until) {
      const isShared = shared !== undefined && next >= shared.first && next <= shared.last;
      const end =
        shared === undefined
          ? until
          : isShared
            ? Math.min(until, shared.last + 1)
            : next < shared.first
              ? Math.min(until, shared.first)
              : until;
      stretches.push({ first: next, last: end - 1, pool: isShared ? shared : null });
      next = end;
    }
  };
  for (const pool of carved) {
    fill(pool.first);
    stretches.push({ first: pool.first, last: pool.last, pool });
    next = pool.last + 1;
  }
  fill(SPACE_LAST + 1);
  return stretches;
}

/**
 * How wide a stretch is drawn: not by its size, since a thousand numbers of sixteen million would be no line at all, but by the order of
 * its size.
 */
export function widthOf({ first, last }: Stretch): number {
  return Math.max(1, Math.log2(last - first + 2) - 4);
}
