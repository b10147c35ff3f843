import { useTenant } from '../api/tenant.tsx';
import type { SiteHealth } from '../format/health.ts';
import { Link } from '../route/link.tsx';
import { Dot } from '../ui/status.tsx';

/** With so many, names would say less than the picture. */
const NAMED_SITES = 60;
const WORST_FIRST = { bad: 0, warn: 1, off: 2, good: 3 } as const;

/** Every site as a cell in the colour of its health, the worst first. */
export function Glance({ sites }: { readonly sites: readonly SiteHealth[] }) {
  const tenant = useTenant();
  const isNamed = sites.length <= NAMED_SITES;
  const sorted = sites.toSorted((a, b) => WORST_FIRST[a.health] - WORST_FIRST[b.health]);
  return (
    <ul class={isNamed ? 'glance named' : 'glance'}>
      {sorted.map(({ site, health, words }) => (
        <li key={site.id}>
          <Link to={tenant.page('sites', site.name)} class={`cell ${health}`} title={`${site.name}: ${words}`}>
            {isNamed ? (
              <>
                <Dot tone={health} />
                <span class="name">{site.name}</span>
                {health !== 'good' && <span class="words">{words}</span>}
              </>
            ) : (
              <span class="unseen">
                {site.name}: {words}
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}
