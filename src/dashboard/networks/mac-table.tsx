/** The MAC/IP table: searched at the gateway, loaded as it is scrolled, so that its length does not matter. */
import { useState } from 'preact/hooks';
import type { MacView } from '../../contract/macs.ts';
import type { Network } from '../../contract/networks.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { useTenant } from '../api/tenant.tsx';
import { formatCount, plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { MacForm } from './mac-form.tsx';

interface Props {
  readonly network: Network;
  readonly total: number;
}

export function MacTable({ network, total }: Props) {
  const tenant = useTenant();
  const [search, setSearch] = useQueryText('mac');
  const [isSetting, setSetting] = useState(false);
  const [leaving, setLeaving] = useState<MacView | null>(null);
  const path = tenant.api('networks', network.id, 'macs');
  const asked = search.trim() === '' ? path : `${path}?search=${encodeURIComponent(search.trim())}`;
  const macs = usePages<MacView>(asked);
  const loaded = macs.items?.length ?? 0;
  const isAll = search.trim() === '';

  const columns: readonly Column<MacView>[] = [
    { head: 'MAC', cell: ({ mac }) => <span class="mono">{mac}</span> },
    { head: 'IP', cell: ({ ip }) => <span class="mono">{ip ?? '–'}</span> },
    { head: 'Site', cell: ({ siteName }) => <Link to={tenant.page('sites', siteName)}>{siteName}</Link> },
    { head: 'State', from: 'tablet', cell: (row) => <State row={row} /> },
    {
      head: 'Changed at',
      from: 'desktop',
      isNumber: true,
      cell: ({ seq }) => <span class="faint">{formatCount(seq)}</span>,
    },
    ...(tenant.mayWrite
      ? [
          {
            head: 'Actions',
            from: 'tablet' as const,
            cell: (row: MacView) => <Actions row={row} path={path} onDelete={() => setLeaving(row)} />,
          },
        ]
      : []),
  ];

  return (
    <Panel
      title="MAC addresses"
      note={
        isAll && loaded < total
          ? `${formatCount(loaded)} of ${formatCount(total)} loaded`
          : plural(loaded, 'address', 'addresses')
      }
      flush
      actions={
        <>
          <Search value={search} onValue={setSearch} label="Search MAC, IP or site" />
          <Export
            name={`macs-${network.name}`}
            path={asked}
            columns={[
              ['mac', (row: MacView) => row.mac],
              ['ip', (row) => row.ip],
              ['site', (row) => row.siteName],
              ['set_by_hand', (row) => String(row.sticky)],
              ['live', (row) => String(row.live)],
              ['revision', (row) => row.seq],
            ]}
          />
          {tenant.mayWrite && (
            <button type="button" class="button" onClick={() => setSetting(true)}>
              <Icon name="plus" />
              Set by hand
            </button>
          )}
        </>
      }
    >
      <Listing
        of={macs}
        outdated="The table has changed. Show it anew"
        likely={6}
        label="MAC addresses"
        keyOf={({ mac }) => mac}
        columns={columns}
        total={isAll ? Math.max(total, loaded) : undefined}
        empty={
          <Empty icon="network" title={isAll ? 'No stations heard yet' : 'No address is like that'}>
            {isAll
              ? 'Agents fill this table with the stations that speak on their ports. One that is silent is not known.'
              : 'It is looked for at the beginning of MAC and IP addresses, and anywhere in the names of sites.'}
          </Empty>
        }
      />
      {isSetting && (
        <Dialog title="Set where a MAC address is" onClose={() => setSetting(false)}>
          <MacForm network={network} onDone={() => setSetting(false)} />
        </Dialog>
      )}
      {leaving && (
        <Confirm
          title={`Take out ${leaving.mac}?`}
          act="Take it out"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', `${path}/${leaving.mac}`);
            changed();
            say(`${leaving.mac} is out of the table.`);
          }}
        >
          <p>
            Sites forget where it is. While its station still speaks, {leaving.siteName} announces it again
            {leaving.sticky ? ', and from then on it may move.' : '.'}
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

function State({ row: { sticky, live, frozenUntil } }: { readonly row: MacView }) {
  if (frozenUntil !== undefined) {
    return (
      <Pill tone="bad" title="It moved too often, and stays where it is.">
        Frozen, ends <Time at={frozenUntil} />
      </Pill>
    );
  }
  if (!live) {
    return (
      <Pill tone="off" title="Its site is disabled, or doesn’t carry the network at the moment.">
        Not told
      </Pill>
    );
  }
  return sticky ? <Pill tone="accent">Set by hand</Pill> : <span class="faint">Heard</span>;
}

function Actions({
  row,
  path,
  onDelete,
}: {
  readonly row: MacView;
  readonly path: string;
  readonly onDelete: () => void;
}) {
  async function unfreeze(): Promise<void> {
    try {
      await call('DELETE', `${path}/${row.mac}/freeze`);
      changed();
      say(`${row.mac} may move again.`);
    } catch (error) {
      say((error as Error).message, 'bad');
    }
  }
  return (
    <span class="row-actions">
      {row.frozenUntil !== undefined && (
        <button type="button" class="button quiet small" onClick={() => void unfreeze()}>
          Let it move
        </button>
      )}
      <button type="button" class="button quiet small" aria-label={`Take out ${row.mac}`} onClick={onDelete}>
        Take out
      </button>
    </span>
  );
}
