import { useMemo, useState } from 'preact/hooks';
import { rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { overviewOf, type SiteHealth } from '../format/health.ts';
import { formatCount, plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { rateColumns } from '../ui/rate-columns.tsx';
import { Search } from '../ui/search.tsx';
import { Segments } from '../ui/segments.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill, StepBar } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { StaticSiteForm } from './static-site-form.tsx';

const STATES = [
  ['', 'All'],
  ['trouble', 'In trouble'],
  ['online', 'Online'],
  ['offline', 'Offline'],
  ['disabled', 'Disabled'],
] as const;
const WORST_FIRST = { bad: 0, warn: 1, good: 2, off: 3 } as const;

export function SitesPage() {
  const tenant = useTenant();
  const { data, error } = useTopology();
  const [search, setSearch] = useQueryText('search');
  const [state, setState] = useQueryText('state');
  const [isStatic, setStatic] = useState(false);
  const flows = useStore(rates).by;
  const all = useMemo(() => (data === undefined ? undefined : overviewOf(data).sites), [data]);
  const wanted = search.trim().toLowerCase();
  const found = useMemo(
    () => all?.filter((one) => isIn(one, state) && textOf(one).includes(wanted)),
    [all, state, wanted],
  );
  const add = tenant.mayWrite && (
    <Link to={tenant.page('add-site')} class="button primary">
      <Icon name="plus" />
      Add a site
    </Link>
  );
  const rateOf = ({ site }: SiteHealth) => flows.get(site.id);

  const columns: readonly Column<SiteHealth>[] = [
    {
      head: 'Name',
      by: ({ site }) => site.name,
      cell: ({ site }) => (
        <Link to={tenant.page('sites', site.name)} class="cell-link">
          {site.name}
        </Link>
      ),
    },
    {
      head: 'Status',
      by: ({ health }) => WORST_FIRST[health],
      cell: ({ health, words }) => <Pill tone={health}>{words}</Pill>,
    },
    {
      head: 'In step',
      from: 'tablet',
      by: ({ inStep, asked }) => inStep - asked,
      cell: (one) => <StepBar inStep={one.inStep} asked={one.asked} />,
    },
    ...rateColumns(rateOf),
    {
      head: 'VTEP',
      from: 'desktop',
      by: ({ site }) => site.vtep.address,
      cell: ({ site }) => <span class="mono">{site.vtep.address}</span>,
    },
    {
      head: 'Where',
      from: 'desktop',
      by: ({ site }) => site.where ?? '',
      cell: ({ site }) => <span class="clip">{site.where ?? ''}</span>,
    },
    {
      head: 'Version',
      from: 'wide',
      by: ({ site }) => site.version ?? '',
      cell: ({ site }) => <span class="faint">{site.version ?? ''}</span>,
    },
    {
      head: 'Heard',
      from: 'wide',
      by: ({ site }) => site.lastSeenAt ?? '',
      cell: ({ site }) =>
        site.lastSeenAt === undefined ? <span class="faint">–</span> : <Time at={site.lastSeenAt} />,
    },
  ];

  return (
    <Page
      title="Sites"
      says="Each is one place with an agent and its VTEP, or a device that speaks VXLAN by itself."
      actions={
        <>
          {tenant.mayWrite && (
            <button type="button" class="button" onClick={() => setStatic(true)}>
              Add a static site
            </button>
          )}
          {all && all.length > 0 && add}
        </>
      }
    >
      <Panel
        title="All sites"
        note={found && plural(found.length, 'site')}
        flush
        actions={
          <>
            <Segments
              label="State"
              value={state}
              onValue={setState}
              options={STATES.map(([value, words]) => {
                const count = all?.filter((one) => isIn(one, value)).length;
                return count === undefined || value === '' ? [value, words] : [value, words, formatCount(count)];
              })}
            />
            <Search value={search} onValue={setSearch} label="Search sites" />
            <Export
              name="sites"
              rows={found ?? []}
              columns={[
                ['name', ({ site }) => site.name],
                ['status', ({ site }) => site.status],
                ['kind', ({ site }) => site.kind],
                ['networks', ({ links }) => links.map(({ network }) => network.name).join(' ')],
                ['in_step', ({ inStep }) => inStep],
                ['asked', ({ asked }) => asked],
                ['vtep', ({ site }) => site.vtep.address],
                ['vtep_port', ({ site }) => site.vtep.port],
                ['where', ({ site }) => site.where],
                ['encrypts', ({ site }) => String(site.encrypts ?? false)],
                ['version', ({ site }) => site.version],
                ['last_seen', ({ site }) => site.lastSeenAt],
                [
                  'labels',
                  ({ site }) =>
                    Object.entries(site.labels)
                      .map(([name, value]) => `${name}=${value}`)
                      .join(' '),
                ],
                ['id', ({ site }) => site.id],
              ]}
            />
          </>
        }
      >
        <Listing
          of={{ items: all, error }}
          rows={found}
          likely={8}
          label="Sites"
          keyOf={({ site }) => site.id}
          columns={columns}
          empty={
            all?.length === 0 ? (
              <Empty icon="site" title="No sites yet" action={add}>
                A site is a host with an agent: a command pasted there makes it one. It needs to reach this gateway by
                HTTPS and the other sites by UDP, nothing else.
              </Empty>
            ) : (
              <Empty icon="search" title="No site is like that">
                Names, VTEP addresses, places, versions, labels and networks are searched.
              </Empty>
            )
          }
        />
      </Panel>
      {isStatic && (
        <Dialog title="Add a static site" onClose={() => setStatic(false)}>
          <StaticSiteForm onDone={() => setStatic(false)} />
        </Dialog>
      )}
    </Page>
  );
}

function isIn({ site, health }: SiteHealth, state: string): boolean {
  if (state === 'trouble') return health === 'bad' || health === 'warn';
  return state === '' || site.status === state;
}

function textOf({ site, links }: SiteHealth): string {
  const labels = Object.entries(site.labels).flat();
  return [
    site.name,
    site.vtep.address,
    site.where,
    site.version,
    ...labels,
    ...links.map(({ network }) => network.name),
  ]
    .join(' ')
    .toLowerCase();
}
