import { useState } from 'preact/hooks';
import type { Tenant } from '../../contract/tenants.ts';
import { usePages } from '../api/pages.ts';
import { formatCount } from '../format/number.ts';
import { SessionsPanel } from '../keys/sessions-panel.tsx';
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
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { Transport } from '../ui/transport.tsx';
import { DeleteTenant } from './delete-tenant.tsx';
import { TenantForm } from './tenant-form.tsx';

type Open = { readonly is: 'new' } | { readonly is: 'edit' | 'delete'; readonly of: Tenant };

export function TenantsPage() {
  const tenants = usePages<Tenant>('/v1/tenants');
  const [search, setSearch] = useQueryText('search');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const wanted = search.trim().toLowerCase();
  const found = tenants.items?.filter(({ slug, name }) => `${slug} ${name}`.toLowerCase().includes(wanted));
  const add = (
    <button type="button" class="button primary" onClick={() => setOpen({ is: 'new' })}>
      <Icon name="plus" />
      New tenant
    </button>
  );

  const columns: readonly Column<Tenant>[] = [
    {
      head: 'Name',
      by: ({ name }) => name,
      cell: ({ slug, name }) => (
        <Link to={`/t/${slug}`} class="cell-link">
          {name}
        </Link>
      ),
    },
    { head: 'Slug', by: ({ slug }) => slug, cell: ({ slug }) => <span class="mono">{slug}</span> },
    {
      head: 'Networks',
      from: 'tablet',
      isNumber: true,
      by: ({ limits }) => limits.networks,
      cell: ({ limits }) => `up to ${formatCount(limits.networks)}`,
    },
    {
      head: 'Sites',
      from: 'tablet',
      isNumber: true,
      by: ({ limits }) => limits.sites,
      cell: ({ limits }) => `up to ${formatCount(limits.sites)}`,
    },
    {
      head: 'Between sites',
      from: 'desktop',
      by: ({ transport }) => transport,
      cell: ({ transport }) => <Transport of={transport} />,
    },
    {
      head: 'Changes',
      from: 'desktop',
      isNumber: true,
      by: ({ revision }) => revision,
      cell: ({ revision }) => formatCount(revision),
    },
    {
      head: 'Made',
      from: 'desktop',
      by: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    {
      head: 'Actions',
      from: 'tablet',
      cell: (of) => (
        <span class="row-actions">
          <button
            type="button"
            class="button quiet small"
            aria-label={`Edit ${of.name}`}
            onClick={() => setOpen({ is: 'edit', of })}
          >
            Edit
          </button>
          <button
            type="button"
            class="button quiet small"
            aria-label={`Delete ${of.name}`}
            onClick={() => setOpen({ is: 'delete', of })}
          >
            Delete
          </button>
        </span>
      ),
    },
  ];

  return (
    <Page
      title="Tenants"
      says="Each has its own sites, networks and keys, and sees nothing of the others."
      actions={add}
    >
      <Panel
        title="All tenants"
        flush
        actions={
          <>
            <Search value={search} onValue={setSearch} label="Search tenants" />
            <Export
              name="tenants"
              path="/v1/tenants"
              columns={[
                ['slug', (one: Tenant) => one.slug],
                ['name', (one) => one.name],
                ['limit_networks', (one) => one.limits.networks],
                ['limit_sites', (one) => one.limits.sites],
                ['limit_macs_per_network', (one) => one.limits.macsPerNetwork],
                ['transport', (one) => one.transport],
                ['revision', (one) => one.revision],
                ['created', (one) => one.createdAt],
                ['id', (one) => one.id],
              ]}
            />
          </>
        }
      >
        <Listing
          of={tenants}
          rows={found}
          likely={5}
          label="Tenants"
          keyOf={({ id }) => id}
          columns={columns}
          empty={
            <Empty
              icon="tenants"
              title={wanted === '' ? 'No tenants yet' : 'No tenant is like that'}
              action={wanted === '' && add}
            >
              A tenant is a customer or a team: make one, then a key for its admin under Access.
            </Empty>
          }
        />
      </Panel>
      <SessionsPanel path="/v1/sessions" name="operator-sessions" />
      {(open?.is === 'new' || open?.is === 'edit') && (
        <Dialog title={open.is === 'new' ? 'New tenant' : `Edit ${open.of.name}`} onClose={close}>
          <TenantForm
            {...(open.is === 'edit' ? { tenant: open.of } : {})}
            onCancel={close}
            onDone={({ slug }) => {
              close();
              if (open.is === 'new') navigate(`/t/${slug}/keys`);
            }}
          />
        </Dialog>
      )}
      {open?.is === 'delete' && <DeleteTenant tenant={open.of} onClose={close} />}
    </Page>
  );
}
