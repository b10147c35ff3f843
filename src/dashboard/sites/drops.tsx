/** What a site dropped, by reason: what each means, and what to do. */
import type { Site } from '../../contract/sites.ts';
import { dropReason, dropsOf } from '../format/drops.ts';
import { formatCount } from '../format/number.ts';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { Time } from '../ui/time.tsx';

export function Drops({ site }: { readonly site: Site }) {
  const totals: Record<string, number> = {};
  const where = new Map<string, string[]>();
  for (const { name: network, counters = {} } of site.networks) {
    for (const { name, count } of dropsOf(counters)) {
      totals[name] = (totals[name] ?? 0) + count;
      where.set(name, [...(where.get(name) ?? []), network]);
    }
  }
  const drops = dropsOf(totals);
  return (
    <Panel
      title="Dropped frames"
      note={
        site.lastSeenAt && (
          <>
            since the agent started, as reported <Time at={site.lastSeenAt} />
          </>
        )
      }
      flush={drops.length > 0}
    >
      {drops.length === 0 ? (
        <Empty icon="check" title="Nothing was dropped">
          Every drop has a counter with a name; none of this site’s has counted anything since its agent started.
        </Empty>
      ) : (
        <ul class="drops">
          {drops.map(({ name, count }) => {
            const { title, means, advice } = dropReason(name);
            return (
              <li key={name}>
                <span class="count">{formatCount(count)}</span>
                <div>
                  <h3>
                    {title} <code>{name}</code>
                  </h3>
                  <p>{means}</p>
                  <p class="advice">{advice}</p>
                  <p class="faint">In {where.get(name)?.join(', ')}</p>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}
