import type { AlertKind, Alerts } from '../../contract/alerts.ts';
import { useQuery } from '../api/query.ts';
import { type Tenant, useTenant } from '../api/tenant.tsx';
import type { Health } from '../format/health.ts';
import { Link } from '../route/link.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty, Loaded } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import { Time } from '../ui/time.tsx';

const KINDS: Readonly<Record<AlertKind, readonly [title: string, tone: Health]>> = {
  site_offline: ['Site offline', 'bad'],
  mac_frozen: ['MAC frozen', 'warn'],
  digest_mismatch: ['Table differs', 'bad'],
  behind: ['Behind', 'warn'],
  network_error: ['Network error', 'bad'],
  removal_held: ['Removal held', 'warn'],
  quota_near: ['Quota near', 'warn'],
};
const SHOWN = 8;

type Alert = Alerts['items'][number];

export function AlertsPanel() {
  const tenant = useTenant();
  const alerts = useQuery<Alerts>(tenant.api('alerts'));
  const total = alerts.data?.total ?? 0;
  return (
    <Panel
      title="Needs attention"
      note={total > SHOWN ? `${SHOWN} of ${total}` : total > 0 ? String(total) : undefined}
      flush
    >
      <Loaded of={alerts} rows={5} height={32}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="check" title="All is well">
              Sites that go offline, tables that differ, MAC addresses that jump and limits that come near would stand
              here.
            </Empty>
          ) : (
            <ul class="rows">
              {items.slice(0, SHOWN).map((alert) => (
                <li key={JSON.stringify([alert.kind, alert.site?.id, alert.network?.id, alert.mac])}>
                  <AlertRow alert={alert} tenant={tenant} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function AlertRow({ alert, tenant }: { readonly alert: Alert; readonly tenant: Tenant }) {
  const { kind, site, network, since, detail } = alert;
  const [title, tone] = KINDS[kind] ?? [kind, 'warn'];
  const to =
    site !== undefined
      ? tenant.page('sites', site.name)
      : network !== undefined
        ? tenant.page('networks', network.name)
        : tenant.page('usage');
  return (
    <Link to={to} class="row">
      <Pill tone={tone}>{title}</Pill>
      <span class="grow">
        <strong>{[site?.name, network?.name].filter(Boolean).join(' · ')}</strong> {detail}
      </span>
      {since && (
        <span class="faint">
          <Time at={since} />
        </span>
      )}
    </Link>
  );
}
