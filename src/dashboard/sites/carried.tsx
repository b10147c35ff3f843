/** The networks that a site carries, and how far it is with each. */
import { useState } from 'preact/hooks';
import type { Site } from '../../contract/sites.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant } from '../api/tenant.tsx';
import { dropsOf } from '../format/drops.ts';
import { type Health, type SiteHealth, stepHealth, wordsOf } from '../format/health.ts';
import { formatCount, formatRate, plural } from '../format/number.ts';
import { describePort } from '../format/port.ts';
import { Link } from '../route/link.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { say } from '../ui/toast.tsx';
import { Transport } from '../ui/transport.tsx';
import { AttachNetwork } from './attach.tsx';

type Carried = Site['networks'][number];

export function Carried({ site, health }: { readonly site: Site; readonly health: SiteHealth | undefined }) {
  const tenant = useTenant();
  const flows = useStore(rates).by;
  const [isOpen, setOpen] = useState(false);
  const [leaving, setLeaving] = useState<Carried | null>(null);
  const rateOf = ({ vni }: Carried) => flows.get(`${site.id}/${vni}`);
  const linkOf = ({ network }: Carried) => health?.links.find((link) => link.network.id === network);
  const stepOf = (one: Carried) => linkOf(one)?.step ?? 'unknown';
  const attach = tenant.mayWrite && (
    <button type="button" class="button" onClick={() => setOpen(true)}>
      <Icon name="plus" />
      Attach a network
    </button>
  );

  const columns: readonly Column<Carried>[] = [
    {
      head: 'Network',
      by: ({ name }) => name,
      cell: ({ name }) => (
        <Link to={tenant.page('networks', name)} class="cell-link">
          {name}
        </Link>
      ),
    },
    {
      head: 'State',
      by: stepOf,
      cell: (one) => {
        const step = stepOf(one);
        const link = linkOf(one);
        const said = link && wordsOf(link);
        const tone: Health = site.status === 'offline' && step === 'in_step' ? 'off' : stepHealth(step);
        return (
          <Pill tone={tone} title={one.error ?? said?.meaning ?? ''}>
            {site.status === 'offline' && step === 'in_step' ? 'In step when last heard' : (said?.words ?? '…')}
          </Pill>
        );
      },
    },
    { head: 'VNI', from: 'tablet', isNumber: true, by: ({ vni }) => vni, cell: ({ vni }) => vni },
    {
      head: 'Between sites',
      from: 'desktop',
      by: ({ transport }) => transport,
      cell: ({ transport }) => <Transport of={transport} />,
    },
    { head: 'Comes out as', from: 'tablet', cell: ({ port }) => describePort(port) },
    {
      head: 'Applied',
      from: 'desktop',
      isNumber: true,
      cell: ({ appliedRevision, revision }) =>
        appliedRevision === undefined ? '–' : `${appliedRevision} of ${revision}`,
    },
    {
      head: 'Lag',
      from: 'tablet',
      isNumber: true,
      cell: ({ lag }) => (lag === undefined ? '–' : lag === 0 ? '0' : plural(lag, 'change')),
    },
    { head: 'In', isNumber: true, from: 'desktop', cell: (one) => formatRate(rateOf(one)?.inBits) },
    { head: 'Out', isNumber: true, from: 'desktop', cell: (one) => formatRate(rateOf(one)?.outBits) },
    {
      head: 'Dropped',
      from: 'wide',
      isNumber: true,
      cell: ({ counters = {} }) => formatCount(dropsOf(counters).reduce((sum, { count }) => sum + count, 0)),
    },
    ...(tenant.mayWrite
      ? [
          {
            head: 'Actions',
            cell: (one: Carried) => (
              <span class="row-actions">
                <button
                  type="button"
                  class="button quiet small"
                  aria-label={`Detach ${one.name}`}
                  onClick={() => setLeaving(one)}
                >
                  Detach
                </button>
              </span>
            ),
          },
        ]
      : []),
  ];
  const errors = site.networks.filter(({ error }) => error !== undefined);

  return (
    <Panel title="Networks" note={plural(site.networks.length, 'network')} flush actions={attach}>
      {errors.map(({ name, error }) => (
        <p key={name} class="inline-error" role="alert">
          <Icon name="alert" />
          <span>
            <strong>{name}</strong>: {error}
          </span>
        </p>
      ))}
      {site.networks.length === 0 ? (
        <Empty icon="network" title="It carries no network">
          Attach one, and it comes out on the host as an interface or in a bridge, within a second.
        </Empty>
      ) : (
        <Table label="Networks" rows={site.networks} keyOf={({ network }) => network} columns={columns} />
      )}
      {isOpen && (
        <Dialog title={`Attach a network to ${site.name}`} onClose={() => setOpen(false)}>
          <AttachNetwork site={site} onDone={() => setOpen(false)} />
        </Dialog>
      )}
      {leaving && (
        <Confirm
          title={`Detach ${site.name} from ${leaving.name}?`}
          act="Detach"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', tenant.api('sites', site.id, 'networks', leaving.network));
            changed();
            say(`${site.name} no longer carries ${leaving.name}.`);
          }}
        >
          <ul>
            <li>Hosts behind it lose the others of this network within seconds; the others stay as they are.</li>
            {leaving.port.type === 'host' && <li>Its interface {leaving.port.name} goes, with its addresses.</li>}
            <li>MAC addresses that are at this site are taken out of the table.</li>
          </ul>
        </Confirm>
      )}
    </Panel>
  );
}
