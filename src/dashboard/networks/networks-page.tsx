import { useMemo } from 'preact/hooks';
import { rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { type NetworkHealth, overviewOf } from '../format/health.ts';
import { formatCount, formatRate, plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { navigate } from '../route/location.ts';
import { useQueryText } from '../route/use-query-text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty } from '../ui/states.tsx';
import { Dot, StepBar } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Transport } from '../ui/transport.tsx';
import { NetworkForm } from './network-form.tsx';

export function NetworksPage() {
  const tenant = useTenant();
  const { data, error } = useTopology();
  const [search, setSearch] = useQueryText('search');
  const [isNew, setNew] = useQueryText('new');
  const flows = useStore(rates).by;
  const all = useMemo(() => (data === undefined ? undefined : overviewOf(data).networks), [data]);
  const wanted = search.trim().toLowerCase();
  const found = useMemo(() => all?.filter((one) => textOf(one).includes(wanted)), [all, wanted]);
  const add = tenant.mayWrite && (
    <button type="button" class="button primary" onClick={() => setNew('1')}>
      <Icon name="plus" />
      New network
    </button>
  );

  const columns: readonly Column<NetworkHealth>[] = [
    {
      head: 'Name',
      by: ({ network }) => network.name,
      cell: ({ network, health }) => (
        <Link to={tenant.page('networks', network.name)} class="cell-link">
          <Dot tone={health} />
          {network.name}
        </Link>
      ),
    },
    { head: 'VNI', by: ({ network }) => network.vni, isNumber: true, cell: ({ network }) => network.vni },
    {
      head: 'In step',
      by: ({ inStep, asked }) => inStep - asked,
      cell: (one) => <StepBar inStep={one.inStep} asked={one.asked} />,
    },
    {
      head: 'Sites',
      from: 'tablet',
      by: ({ links }) => links.length,
      isNumber: true,
      cell: ({ links }) => formatCount(links.length),
    },
    {
      head: 'MACs',
      from: 'tablet',
      by: ({ network }) => network.macs,
      isNumber: true,
      cell: ({ network }) => formatCount(network.macs),
    },
    {
      head: 'Traffic now',
      from: 'tablet',
      isNumber: true,
      by: ({ network }) => flows.get(String(network.vni))?.outBits ?? 0,
      cell: ({ network }) => formatRate(flows.get(String(network.vni))?.outBits),
    },
    {
      head: 'Between sites',
      from: 'desktop',
      by: ({ network }) => network.transport,
      cell: ({ network }) => <Transport of={network.transport} />,
    },
    { head: 'Subnet', from: 'desktop', cell: ({ network }) => <span class="mono">{network.subnet ?? ''}</span> },
    {
      head: 'Description',
      from: 'wide',
      cell: ({ network }) => <span class="faint clip">{network.description ?? ''}</span>,
    },
  ];

  return (
    <Page
      title="Networks"
      says="Each is one VNI: a layer-2 segment that its sites share."
      actions={all && all.length > 0 && add}
    >
      <Panel
        title="All networks"
        note={found && plural(found.length, 'network')}
        flush
        actions={
          <>
            <Search value={search} onValue={setSearch} label="Search networks" />
            <Export
              name="networks"
              rows={found ?? []}
              columns={[
                ['name', ({ network }) => network.name],
                ['vni', ({ network }) => network.vni],
                ['transport', ({ network }) => network.transport],
                ['subnet', ({ network }) => network.subnet],
                ['sites', ({ links }) => links.length],
                ['in_step', ({ inStep }) => inStep],
                ['macs', ({ network }) => network.macs],
                ['description', ({ network }) => network.description],
                ['id', ({ network }) => network.id],
              ]}
            />
          </>
        }
      >
        <Listing
          of={{ items: all, error }}
          rows={found}
          likely={6}
          label="Networks"
          keyOf={({ network }) => network.id}
          columns={columns}
          empty={
            wanted === '' ? (
              <Empty icon="network" title="No networks yet" action={add}>
                A network gets a VNI of its own. Hosts at all sites that carry it are as on one switch; nobody else sees
                their frames.
              </Empty>
            ) : (
              <Empty icon="search" title="No network is like that">
                Names, VNIs, subnets, descriptions and transports are searched.
              </Empty>
            )
          }
        />
      </Panel>
      {isNew === '1' && tenant.mayWrite && (
        <Dialog title="New network" onClose={() => setNew('')}>
          <NetworkForm
            onCancel={() => setNew('')}
            onDone={(network) => navigate(tenant.page('networks', network.name), { replace: true })}
          />
        </Dialog>
      )}
    </Page>
  );
}

function textOf({ network }: NetworkHealth): string {
  return `${network.name} ${network.vni} ${network.subnet ?? ''} ${network.description ?? ''} ${network.transport}`.toLowerCase();
}
