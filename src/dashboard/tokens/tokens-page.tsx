import { useState } from 'preact/hooks';
import type { JoinToken } from '../../contract/join-tokens.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { useTenant } from '../api/tenant.tsx';
import { useNames } from '../events/use-names.ts';
import { describePort } from '../format/port.ts';
import { Link } from '../route/link.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { clock, Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { TokenForm } from './token-form.tsx';

export function TokensPage() {
  const tenant = useTenant();
  const nameOf = useNames();
  const tokens = usePages<JoinToken>(tenant.api('join-tokens'));
  const [search, setSearch] = useQueryText('search');
  const [isNew, setNew] = useState(false);
  const [leaving, setLeaving] = useState<JoinToken | null>(null);
  const wanted = search.trim().toLowerCase();
  const networksOf = ({ networks }: JoinToken) => networks.map(({ network }) => nameOf(network) ?? network).join(', ');
  const found = tokens.items?.filter((one) =>
    `${one.name ?? ''} ${one.id} ${networksOf(one)}`.toLowerCase().includes(wanted),
  );

  const columns: readonly Column<JoinToken>[] = [
    {
      head: 'Name',
      by: ({ name }) => name ?? '',
      cell: ({ name, id }) => name ?? <span class="mono faint">{id}</span>,
    },
    {
      head: 'State',
      by: stateOf,
      cell: (one) => <Pill tone={stateOf(one) === 'Usable' ? 'good' : 'off'}>{stateOf(one)}</Pill>,
    },
    { head: 'Used', isNumber: true, by: ({ uses }) => uses, cell: ({ uses, maxUses }) => `${uses} of ${maxUses}` },
    {
      head: 'Attaches to',
      from: 'tablet',
      cell: (one) => (
        <span
          class="clip"
          title={one.networks
            .map(({ network, port }) => `${nameOf(network) ?? network}: ${describePort(port)}`)
            .join('\n')}
        >
          {networksOf(one)}
        </span>
      ),
    },
    { head: 'Ends', by: ({ expiresAt }) => expiresAt, cell: ({ expiresAt }) => <Time at={expiresAt} /> },
    {
      head: 'Made',
      from: 'desktop',
      by: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    ...(tenant.mayWrite
      ? [
          {
            head: 'Actions',
            cell: (one: JoinToken) => (
              <span class="row-actions">
                <button
                  type="button"
                  class="button quiet small"
                  aria-label={`Revoke ${one.name ?? one.id}`}
                  onClick={() => setLeaving(one)}
                >
                  Revoke
                </button>
              </span>
            ),
          },
        ]
      : []),
  ];

  return (
    <Page
      title="Join tokens"
      says="Each lets so many hosts become sites, until it ends. It is shown once, when it is made."
      actions={
        tenant.mayWrite && (
          <>
            <button type="button" class="button" onClick={() => setNew(true)}>
              New token
            </button>
            <Link to={tenant.page('add-site')} class="button primary">
              <Icon name="plus" />
              Add a site
            </Link>
          </>
        )
      }
    >
      <Panel
        title="All tokens"
        flush
        actions={
          <>
            <Search value={search} onValue={setSearch} label="Search tokens" />
            <Export
              name="tokens"
              path={tenant.api('join-tokens')}
              columns={[
                ['name', (one: JoinToken) => one.name],
                ['state', stateOf],
                ['uses', (one) => one.uses],
                ['max_uses', (one) => one.maxUses],
                ['networks', networksOf],
                ['expires', (one) => one.expiresAt],
                ['created', (one) => one.createdAt],
                ['id', (one) => one.id],
              ]}
            />
          </>
        }
      >
        <Listing
          of={tokens}
          rows={found}
          likely={5}
          label="Join tokens"
          keyOf={({ id }) => id}
          columns={columns}
          empty={
            <Empty icon="token" title={wanted === '' ? 'No tokens yet' : 'No token is like that'}>
              “Add a site” makes one for a single host. For many hosts alike, make one here with as many uses.
            </Empty>
          }
        />
      </Panel>
      {isNew && (
        <Dialog title="New join token" onClose={() => setNew(false)}>
          <TokenForm onDone={() => setNew(false)} />
        </Dialog>
      )}
      {leaving && (
        <Confirm
          title={`Revoke ${leaving.name ?? 'the token'}?`}
          act="Revoke it"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', tenant.api('join-tokens', leaving.id));
            changed();
            say('The token is revoked.');
          }}
        >
          <p>
            No host can join with it any more. The {leaving.uses === 1 ? 'site' : `${leaving.uses} sites`} that did stay
            as they are.
          </p>
        </Confirm>
      )}
    </Page>
  );
}

function stateOf({ uses, maxUses, expiresAt }: JoinToken): 'Usable' | 'Used up' | 'Ended' {
  if (Date.parse(expiresAt) <= clock.get()) return 'Ended';
  return uses >= maxUses ? 'Used up' : 'Usable';
}
