import { useState } from 'preact/hooks';
import type { ApiKey, ApiKeyCreated } from '../../contract/tenants.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { useTenant } from '../api/tenant.tsx';
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
import { clock, Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { KeyForm, NewKey, RotateForm } from './key-forms.tsx';

type Open =
  | { readonly is: 'new' }
  | { readonly is: 'made'; readonly key: ApiKeyCreated }
  | { readonly is: 'rotate' | 'revoke'; readonly of: ApiKey };

export function KeysPanel() {
  const tenant = useTenant();
  const path = tenant.api('api-keys');
  const keys = usePages<ApiKey>(path);
  const [search, setSearch] = useQueryText('search');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const wanted = search.trim().toLowerCase();
  const found = keys.items?.filter(({ id, name, role }) => `${id} ${name} ${role}`.toLowerCase().includes(wanted));

  const columns: readonly Column<ApiKey>[] = [
    { head: 'Name', by: ({ name }) => name, cell: ({ name }) => name },
    {
      head: 'Role',
      by: ({ role }) => role,
      cell: ({ role }) => <Pill tone={role === 'admin' ? 'accent' : 'off'}>{role}</Pill>,
    },
    { head: 'Id', from: 'tablet', cell: ({ id }) => <span class="mono faint">olk_{id}_…</span> },
    {
      head: 'Ends',
      from: 'tablet',
      by: ({ expiresAt }) => expiresAt ?? 'never',
      cell: ({ expiresAt }) =>
        expiresAt === undefined ? (
          <span class="faint">never</span>
        ) : Date.parse(expiresAt) <= clock.get() ? (
          <Pill tone="off">ended</Pill>
        ) : (
          <Time at={expiresAt} />
        ),
    },
    {
      head: 'Made',
      from: 'desktop',
      by: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      head: 'Actions',
      cell: (of) => (
        <span class="row-actions">
          <button
            type="button"
            class="button quiet small"
            aria-label={`Rotate ${of.name}`}
            onClick={() => setOpen({ is: 'rotate', of })}
          >
            Rotate
          </button>
          <button
            type="button"
            class="button quiet small"
            aria-label={`Revoke ${of.name}`}
            onClick={() => setOpen({ is: 'revoke', of })}
          >
            Revoke
          </button>
        </span>
      ),
    },
  ];

  return (
    <Panel
      title="API keys"
      flush
      actions={
        <>
          <Search value={search} onValue={setSearch} label="Search keys" />
          <Export
            name="keys"
            path={path}
            columns={[
              ['name', (one: ApiKey) => one.name],
              ['role', (one) => one.role],
              ['id', (one) => one.id],
              ['expires', (one) => one.expiresAt],
              ['created', (one) => one.createdAt],
            ]}
          />
          <button type="button" class="button" onClick={() => setOpen({ is: 'new' })}>
            <Icon name="plus" />
            New key
          </button>
        </>
      }
    >
      <Listing
        of={keys}
        rows={found}
        likely={4}
        label="API keys"
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty icon="key" title={wanted === '' ? 'No keys yet' : 'No key is like that'}>
            An admin’s key changes this tenant’s things, a viewer’s only looks. Each is shown once, when it is made.
          </Empty>
        }
      />
      {open?.is === 'new' && (
        <Dialog title="New API key" onClose={close}>
          <KeyForm onCancel={close} onMade={(key) => setOpen({ is: 'made', key })} />
        </Dialog>
      )}
      {open?.is === 'made' && (
        <Dialog title={`The key ${open.key.name}`} onClose={close} isFixed>
          <NewKey made={open.key} onDone={close} />
        </Dialog>
      )}
      {open?.is === 'rotate' && (
        <Dialog title={`Rotate ${open.of.name}`} onClose={close}>
          <RotateForm of={open.of} onCancel={close} onMade={(key) => setOpen({ is: 'made', key })} />
        </Dialog>
      )}
      {open?.is === 'revoke' && (
        <Confirm
          title={`Revoke ${open.of.name}?`}
          act="Revoke the key"
          onClose={close}
          onConfirm={async () => {
            await call('DELETE', tenant.api('api-keys', open.of.id));
            changed();
            say(`${open.of.name} is revoked.`);
          }}
        >
          <p>Programs that use it are refused at once, and sessions that began with it end. It can’t be taken back.</p>
        </Confirm>
      )}
    </Panel>
  );
}
