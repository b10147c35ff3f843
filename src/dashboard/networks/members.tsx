/** Which sites carry a network, and how far each has come. */
import { useState } from 'preact/hooks';
import type { Convergence } from '../../contract/convergence.ts';
import type { Network } from '../../contract/networks.ts';
import { useQuery } from '../api/query.ts';
import { rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant } from '../api/tenant.tsx';
import { type Link as Membership, type NetworkHealth, stepHealth, wordsOf } from '../format/health.ts';
import { plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { AttachSite } from '../sites/attach.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Panel } from '../ui/page.tsx';
import { rateColumns } from '../ui/rate-columns.tsx';
import { Empty } from '../ui/states.tsx';
import { Dot, Pill } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';

interface Props {
  readonly network: Network;
  readonly health: NetworkHealth | undefined;
}

export function Members({ network, health }: Props) {
  const tenant = useTenant();
  const flows = useStore(rates).by;
  const convergence = useQuery<Convergence>(tenant.api('networks', network.id, 'convergence')).data;
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const progress = new Map(convergence?.sites.map((one) => [one.site, one]));
  const attach = tenant.mayWrite && (
    <button type="button" class="button" onClick={() => setOpen(true)}>
      <Icon name="plus" />
      Attach a site
    </button>
  );
  const rateOf = ({ site }: Membership) => flows.get(`${site.id}/${network.vni}`);

  const columns: readonly Column<Membership>[] = [
    {
      head: 'Site',
      by: ({ site }) => site.name,
      cell: ({ site, step }) => (
        <Link to={tenant.page('sites', site.name)} class="cell-link">
          <Dot tone={site.status === 'offline' ? 'bad' : stepHealth(step)} />
          {site.name}
        </Link>
      ),
    },
    {
      head: 'State',
      by: ({ step }) => step,
      cell: (one) => {
        const { words, meaning } = wordsOf(one);
        const isOffline = one.site.status === 'offline';
        return (
          <Pill tone={isOffline ? 'bad' : stepHealth(one.step)} title={meaning}>
            {isOffline ? 'Offline' : words}
          </Pill>
        );
      },
    },
    {
      head: 'Applied',
      from: 'tablet',
      isNumber: true,
      by: ({ site }) => progress.get(site.id)?.appliedRevision ?? -1,
      cell: ({ site }) => progress.get(site.id)?.appliedRevision ?? '–',
    },
    {
      head: 'Lag',
      isNumber: true,
      by: ({ site }) => progress.get(site.id)?.lag ?? -1,
      cell: ({ site }) => {
        const lag = progress.get(site.id)?.lag;
        return lag === undefined ? '–' : lag === 0 ? '0' : plural(lag, 'change');
      },
    },
    ...rateColumns(rateOf),
    { head: 'VTEP', from: 'desktop', cell: ({ site }) => <span class="mono">{site.vtep.address}</span> },
  ];

  return (
    <Panel title="Sites" note={health && plural(health.links.length, 'site')} flush actions={attach}>
      <Listing
        of={{ items: health?.links }}
        label="Sites"
        keyOf={({ site }) => site.id}
        columns={columns}
        empty={
          <Empty icon="site" title="No site carries it yet">
            Attach a site, and its interface appears on that host. From two sites on, their hosts share the network.
          </Empty>
        }
      />
      {isOpen && (
        <Dialog title={`Attach a site to ${network.name}`} onClose={close}>
          <AttachSite network={network} taken={health?.links.map(({ site }) => site.id) ?? []} onDone={close} />
        </Dialog>
      )}
    </Panel>
  );
}
