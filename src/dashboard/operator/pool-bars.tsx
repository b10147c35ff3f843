import type { QuarantinedVni, VniPool } from '../../contract/vni-pools.ts';
import { formatCount } from '../format/number.ts';

/** Each pool by itself: how much of it is used, at rest and free, and where in it the resting numbers are. */
export function PoolBars({
  pools,
  resting,
}: {
  readonly pools: readonly VniPool[];
  readonly resting: readonly QuarantinedVni[];
}) {
  return (
    <ul class="pool-bars">
      {pools.map((pool) => {
        const { id, name, first, last, used, quarantined, free, tenant } = pool;
        const total = Math.max(1, used + quarantined + free);
        const share = (count: number) => (count === 0 ? 0 : Math.max(0.6, (100 * count) / total));
        const inIt = resting.filter(({ vni }) => vni >= first && vni <= last);
        return (
          <li key={id}>
            <header>
              <strong>{name}</strong>
              <span class="faint">{tenant === undefined ? 'every tenant' : `only ${tenant}`}</span>
              <span class="figure">
                {formatCount(used)} used · {formatCount(quarantined)} at rest · {formatCount(free)} free
              </span>
            </header>
            <div class="pool-bar" role="img" aria-label={`${name}: ${used} used, ${quarantined} at rest, ${free} free`}>
              <span class="used" style={{ width: `${share(used)}%` }} />
              <span class="resting" style={{ width: `${share(quarantined)}%` }} />
            </div>
            <div class="ruler">
              <span>{formatCount(first)}</span>
              {inIt.slice(0, 200).map(({ vni }) => (
                <i
                  key={vni}
                  class="tick"
                  style={{ left: `${(100 * (vni - first)) / Math.max(1, last - first)}%` }}
                  title={`VNI ${vni} is at rest`}
                />
              ))}
              <span>{formatCount(last)}</span>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
