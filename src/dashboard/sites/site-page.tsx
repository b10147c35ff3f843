import { useMemo, useState } from 'preact/hooks';
import type { Site } from '../../contract/sites.ts';
import { Refused } from '../api/call.ts';
import { useQuery } from '../api/query.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { FROM_OTHERS, HistoryPanel, TO_OTHERS } from '../chart/history.tsx';
import { overviewOf } from '../format/health.ts';
import { LatestEvents } from '../overview/latest-events.tsx';
import { navigate } from '../route/location.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Facts, Page, Panel } from '../ui/page.tsx';
import { Failure, Skeleton } from '../ui/states.tsx';
import { Pill, StepBar } from '../ui/status.tsx';
import { Time } from '../ui/time.tsx';
import { Carried } from './carried.tsx';
import { DisableSite, EnableSite, RemoveSite } from './consequences.tsx';
import { Drops } from './drops.tsx';
import { formatLabels } from './labels.ts';
import { Paths } from './paths.tsx';
import { SiteForm } from './site-form.tsx';

const LINES = [FROM_OTHERS, TO_OTHERS];

export function SitePage({ name }: { readonly name: string }) {
  const tenant = useTenant();
  const { data: site, error } = useQuery<Site>(tenant.api('sites', name));
  const topology = useTopology().data;
  const health = useMemo(
    () => topology && overviewOf(topology).sites.find((one) => one.site.id === site?.id),
    [topology, site?.id],
  );
  const [open, setOpen] = useState<'edit' | 'disable' | 'enable' | 'remove' | null>(null);
  const close = () => setOpen(null);
  const up = { to: tenant.page('sites'), title: 'Sites' };
  const isGone = error instanceof Refused && error.problem.code === 'not_found';

  if (site === undefined || isGone) {
    return (
      <Page title={name} up={up}>
        {error ? <Failure error={error} /> : <Skeleton rows={6} height={40} />}
      </Page>
    );
  }
  return (
    <Page
      title={site.name}
      up={up}
      badge={<Pill tone={health?.health ?? 'off'}>{health?.words ?? site.status}</Pill>}
      says={saysOf(site)}
      actions={
        tenant.mayWrite && (
          <>
            <button type="button" class="button" onClick={() => setOpen('edit')}>
              Edit
            </button>
            <button
              type="button"
              class="button"
              onClick={() => setOpen(site.status === 'disabled' ? 'enable' : 'disable')}
            >
              {site.status === 'disabled' ? 'Enable' : 'Disable'}
            </button>
            <button type="button" class="button danger-quiet" onClick={() => setOpen('remove')}>
              Remove
            </button>
          </>
        )
      }
    >
      <Panel title="Details">
        <Facts
          items={[
            ['In step', <StepBar inStep={health?.inStep ?? 0} asked={health?.asked ?? 0} />],
            ['VTEP', <span class="mono">{formatEndpoint(site.vtep)}</span>],
            ['WireGuard', site.kind === 'agent' && <Tunnel of={site} />],
            ['Where', site.where],
            ['Agent', site.kind === 'static' ? 'none: a static site' : site.version],
            ['Heard', site.lastSeenAt && <Time at={site.lastSeenAt} />],
            ['Labels', formatLabels(site.labels)],
            ['Joined', <Time at={site.createdAt} />],
            ['Id', <span class="mono">{site.id}</span>],
          ]}
        />
      </Panel>
      <Carried site={site} health={health} />
      {site.kind === 'agent' && <Paths site={site} />}
      <HistoryPanel title="Throughput" site={site.id} lines={LINES} />
      {site.kind === 'agent' && <Drops site={site} />}
      <LatestEvents site={site.id} />
      {open === 'edit' && (
        <Dialog title={`Edit ${site.name}`} onClose={close}>
          <SiteForm
            site={site}
            onCancel={close}
            onDone={(saved) => {
              close();
              if (saved.name !== name) navigate(tenant.page('sites', saved.name), { replace: true });
            }}
          />
        </Dialog>
      )}
      {open === 'disable' && <DisableSite site={site} onClose={close} />}
      {open === 'enable' && <EnableSite site={site} onClose={close} />}
      {open === 'remove' && <RemoveSite site={site} onClose={close} />}
    </Page>
  );
}

/** Where peers send encrypted frames to, where it can take any. */
function Tunnel({ of: { wireguard, version } }: { readonly of: Site }) {
  const end = wireguard?.[0];
  if (end === undefined) {
    const means = 'It carries nothing of encrypted networks.';
    return version === undefined ? <>not known yet</> : <span title={means}>no key published</span>;
  }
  const where = end.endpoint === null ? 'wherever it calls from' : formatEndpoint(end.endpoint);
  return (
    <span class="mono" title={`Public key ${end.publicKey}`}>
      {where}
    </span>
  );
}

function formatEndpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function saysOf(site: Site): string {
  if (site.status === 'disabled') return 'It is disabled: its agent is refused, and no site sends to it.';
  if (site.status === 'offline')
    return 'The gateway doesn’t hear its agent. It may still carry frames by its last table; look at the host, its route here and its clock.';
  if (site.kind === 'static') return 'No agent runs here: whether it is in step can’t be known.';
  return 'Its agent is connected and told of each change at once.';
}
