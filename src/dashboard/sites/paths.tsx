/** What the paths between a site and its peers are like, as each end sees them. */
import { useEffect } from 'preact/hooks';
import type { Paths as PathsAnswer } from '../../contract/paths.ts';
import type { Site } from '../../contract/sites.ts';
import { invalidate, useQuery } from '../api/query.ts';
import { useTenant } from '../api/tenant.tsx';
import { plural } from '../format/number.ts';
import { formatLoss, formatPathMtu, formatRoundTrip, type PathItem, pathHealth } from '../format/path.ts';
import { Link } from '../route/link.tsx';
import { Panel } from '../ui/page.tsx';
import { Pill } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';

/** Reports are no changes, so nobody tells of them. */
const ASK_MS = 15_000;

export function Paths({ site }: { readonly site: Site }) {
  const tenant = useTenant();
  const path = tenant.api('sites', site.id, 'paths');
  const { data } = useQuery<PathsAnswer>(path);
  useEffect(() => {
    const timer = setInterval(() => invalidate((one) => one === path), ASK_MS);
    return () => clearInterval(timer);
  }, [path]);
  if (data === undefined || data.items.length === 0) return null;

  const columns: readonly Column<PathItem>[] = [
    {
      head: 'Site',
      by: (one) => one.site.name,
      cell: (one) => (
        <Link to={tenant.page('sites', one.site.name)} class="cell-link">
          {one.site.name}
        </Link>
      ),
    },
    {
      head: 'State',
      by: (one) => pathHealth(one).words,
      cell: (one) => {
        const { tone, words, means } = pathHealth(one);
        return (
          <Pill tone={tone} title={means}>
            {words}
          </Pill>
        );
      },
    },
    {
      head: 'Goes by',
      from: 'desktop',
      cell: ({ transport }) => (transport === 'plain' ? 'The underlay' : 'WireGuard'),
    },
    {
      head: 'Round trip',
      isNumber: true,
      by: ({ there }) => there?.rttMs ?? Number.POSITIVE_INFINITY,
      cell: ({ there, back }) => formatRoundTrip(there ?? back),
    },
    { head: 'Lost there', from: 'tablet', isNumber: true, cell: ({ there }) => formatLoss(there) },
    { head: 'Lost back', from: 'tablet', isNumber: true, cell: ({ back }) => formatLoss(back) },
    { head: 'MTU there', from: 'desktop', isNumber: true, cell: ({ there }) => formatPathMtu(there) },
    { head: 'MTU back', from: 'desktop', isNumber: true, cell: ({ back }) => formatPathMtu(back) },
  ];
  return (
    <Panel title="Paths to other sites" note={plural(data.items.length, 'path')} flush>
      <Table
        label="Paths to other sites"
        rows={data.items}
        keyOf={(one) => `${one.site.id} ${one.transport}`}
        columns={columns}
      />
    </Panel>
  );
}
