import { useMemo, useState } from 'preact/hooks';
import type { Network } from '../../contract/networks.ts';
import { Refused } from '../api/call.ts';
import { useQuery } from '../api/query.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { HistoryPanel, TO_OTHERS } from '../chart/history.tsx';
import { type NetworkHealth, overviewOf } from '../format/health.ts';
import { formatCount, plural } from '../format/number.ts';
import { LatestEvents } from '../overview/latest-events.tsx';
import { navigate } from '../route/location.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Facts, Page, Panel } from '../ui/page.tsx';
import { Failure, Skeleton } from '../ui/states.tsx';
import { Pill, StepBar } from '../ui/status.tsx';
import { Time } from '../ui/time.tsx';
import { Transport } from '../ui/transport.tsx';
import { DeleteNetwork } from './delete-network.tsx';
import { MacTable } from './mac-table.tsx';
import { Members } from './members.tsx';
import { NetworkForm } from './network-form.tsx';

const FLOODS = { headend: 'sent to every site', multicast: 'by multicast', none: 'dropped' } as const;
const CHECKS = { vtep: 'VTEP must be listed', strict: 'MAC must be that site’s too', off: 'none' } as const;
const LINES = [TO_OTHERS];

export function NetworkPage({ name }: { readonly name: string }) {
  const tenant = useTenant();
  const { data: network, error } = useQuery<Network>(tenant.api('networks', name));
  const topology = useTopology().data;
  const health = useMemo(
    () => topology && overviewOf(topology).networks.find((one) => one.network.id === network?.id),
    [topology, network?.id],
  );
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const close = () => setOpen(null);
  const up = { to: tenant.page('networks'), title: 'Networks' };
  const isGone = error instanceof Refused && error.problem.code === 'not_found';

  if (network === undefined || isGone) {
    return (
      <Page title={name} up={up}>
        {error ? <Failure error={error} /> : <Skeleton rows={6} height={40} />}
      </Page>
    );
  }
  return (
    <Page
      title={network.name}
      up={up}
      badge={<Pill tone={health?.health ?? 'off'}>{wordsOf(health)}</Pill>}
      says={network.description ?? ' '}
      actions={
        tenant.mayWrite && (
          <>
            <button type="button" class="button" onClick={() => setOpen('edit')}>
              Edit
            </button>
            <button type="button" class="button danger-quiet" onClick={() => setOpen('delete')}>
              Delete
            </button>
          </>
        )
      }
    >
      <Panel title="Details">
        <Facts
          items={[
            ['VNI', <span class="mono">{network.vni}</span>],
            ['In step', <StepBar inStep={health?.inStep ?? 0} asked={health?.asked ?? 0} />],
            ['MAC addresses', formatCount(health?.network.macs ?? 0)],
            ['Subnet', network.subnet && <span class="mono">{network.subnet}</span>],
            ['MTU', `${network.mtu} bytes`],
            ['Between sites', <Transport of={network.transport} />],
            ['Unknown and broadcast', FLOODS[network.flood]],
            ['Source check', CHECKS[network.antiSpoof]],
            ['ARP', network.arpSuppression ? 'answered at the asking site' : 'flooded'],
            ['Table revision', network.revision],
            ['Made', <Time at={network.createdAt} />],
          ]}
        />
      </Panel>
      <Members network={network} health={health} />
      <MacTable network={network} total={health?.network.macs ?? 0} />
      <HistoryPanel title="Traffic" network={network.id} lines={LINES} />
      <LatestEvents network={network.id} />
      {open === 'edit' && (
        <Dialog title={`Edit ${network.name}`} onClose={close}>
          <NetworkForm
            network={network}
            onCancel={close}
            onDone={(saved) => {
              close();
              if (saved.name !== name) navigate(tenant.page('networks', saved.name), { replace: true });
            }}
          />
        </Dialog>
      )}
      {open === 'delete' && <DeleteNetwork network={network} sites={health?.links.length ?? 0} onClose={close} />}
    </Page>
  );
}

function wordsOf(health: NetworkHealth | undefined): string {
  if (health === undefined) return '…';
  if (health.links.length === 0) return 'No sites';
  if (health.asked === 0) return plural(health.links.length, 'site');
  return health.inStep === health.asked
    ? 'All in step'
    : `${health.asked - health.inStep} of ${health.asked} not in step`;
}
