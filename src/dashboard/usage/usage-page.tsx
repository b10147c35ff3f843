import type { Usage } from '../../contract/usage.ts';
import { useQuery } from '../api/query.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { FROM_OTHERS, HistoryPanel } from '../chart/history.tsx';
import { formatCount } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Export } from '../ui/export.tsx';
import { Meter } from '../ui/meter.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty, Loaded } from '../ui/states.tsx';
import { type Column, Table } from '../ui/table.tsx';

const KINDS = [
  ['networks', 'Networks'],
  ['sites', 'Sites'],
  ['macsPerNetwork', 'MAC addresses in the fullest network'],
  ['vnis', 'VNIs in use and at rest'],
] as const;
const LINES = [FROM_OTHERS];

type NetworkUse = { readonly id: string; readonly name: string; readonly vni: number; readonly macs: number };

export function UsagePage() {
  const tenant = useTenant();
  const usage = useQuery<Usage>(tenant.api('usage'));
  const networks = useTopology().data?.networks ?? [];
  const [search, setSearch] = useQueryText('search');
  const amounts = KINDS.flatMap(([kind, title]) => {
    const amount = usage.data?.[kind];
    return amount === undefined ? [] : [{ title, ...amount }];
  });
  const limit = usage.data?.macsPerNetwork.limit ?? 0;
  const wanted = search.trim().toLowerCase();
  const found = networks.filter(({ name, vni }) => `${name} ${vni}`.toLowerCase().includes(wanted));
  const columns: readonly Column<NetworkUse>[] = [
    {
      head: 'Network',
      by: ({ name }) => name,
      cell: ({ name }) => <Link to={tenant.page('networks', name)}>{name}</Link>,
    },
    { head: 'VNI', from: 'tablet', isNumber: true, by: ({ vni }) => vni, cell: ({ vni }) => vni },
    { head: 'MACs', isNumber: true, by: ({ macs }) => macs, cell: ({ macs }) => formatCount(macs) },
    {
      head: 'Of its limit',
      by: ({ macs }) => macs,
      cell: ({ macs }) => <Meter used={macs} limit={limit} />,
    },
  ];
  return (
    <Page title="Usage" says="What is there, against what may be there. The operator sets the limits.">
      <Panel
        title="Limits"
        actions={
          <Export
            name="usage"
            rows={amounts}
            columns={[
              ['what', (one) => one.title],
              ['used', (one) => one.used],
              ['limit', (one) => one.limit],
            ]}
          />
        }
      >
        <Loaded of={usage} rows={3} height={32}>
          {() => (
            <dl class="meters">
              {amounts.map(({ title, used, limit: most }) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd>
                    <Meter used={used} limit={most} />
                    <span class="figure">
                      {formatCount(used)} of {formatCount(most)}
                    </span>
                  </dd>
                </div>
              ))}
            </dl>
          )}
        </Loaded>
      </Panel>
      <HistoryPanel title="Traffic between sites" lines={LINES} />
      <Panel
        title="MAC addresses by network"
        flush
        actions={
          <>
            <Search value={search} onValue={setSearch} label="Search networks" />
            <Export
              name="macs-by-network"
              rows={found}
              columns={[
                ['network', (one: NetworkUse) => one.name],
                ['vni', (one) => one.vni],
                ['macs', (one) => one.macs],
              ]}
            />
          </>
        }
      >
        {found.length === 0 ? (
          <Empty icon="usage" title={wanted === '' ? 'No networks yet' : 'No network is like that'}>
            Each network counts its MAC addresses by itself, against a limit of its own.
          </Empty>
        ) : (
          <Table label="MAC addresses by network" rows={found} keyOf={({ id }) => id} columns={columns} />
        )}
      </Panel>
    </Page>
  );
}
