import type { VniPool } from '../../contract/vni-pools.ts';
import { formatCount } from '../format/number.ts';
import { stretchesOf, widthOf } from './space.ts';

/** The whole space from left to right. */
export function SpaceStrip({ pools }: { readonly pools: readonly VniPool[] }) {
  const carved = pools.filter(({ name }) => name !== 'shared').map(({ id }) => id);
  return (
    <ul class="strip" aria-label="The space of VNIs, by number">
      {stretchesOf(pools).map((stretch) => {
        const { first, last, pool } = stretch;
        const colour =
          pool === null ? 'none' : pool.name === 'shared' ? 'shared' : `own-${carved.indexOf(pool.id) % 4}`;
        return (
          <li
            key={first}
            class={colour}
            style={{ flexGrow: widthOf(stretch) }}
            title={`${formatCount(first)} to ${formatCount(last)}: ${pool?.name ?? 'in no pool'}`}
          >
            <strong>{pool?.name ?? 'no pool'}</strong>
            <span>
              {formatCount(first)} – {formatCount(last)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
