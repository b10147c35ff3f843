import { useState } from 'preact/hooks';
import type { VniPool } from '../../contract/vni-pools.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { formatCount } from '../format/number.ts';
import { useQueryText } from '../route/use-query-text.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Icon } from '../ui/icons.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty } from '../ui/states.tsx';
import type { Column } from '../ui/table.tsx';
import { say } from '../ui/toast.tsx';
import { PoolForm } from './pool-form.tsx';

/** The pool that is there from the start, as the contract's `SHARED_POOL`. */
const SHARED = 'shared';

export function PoolsPage() {
  const pools = usePages<VniPool>('/v1/vni-pools');
  const [search, setSearch] = useQueryText('search');
  const [isNew, setNew] = useState(false);
  const [leaving, setLeaving] = useState<VniPool | null>(null);
  const wanted = search.trim().toLowerCase();
  const found = pools.items?.filter(({ name, tenant }) => `${name} ${tenant ?? ''}`.toLowerCase().includes(wanted));
  const columns: readonly Column<VniPool>[] = [
    { head: 'Name', by: ({ name }) => name, cell: ({ name }) => name },
    {
      head: 'For',
      by: ({ tenant }) => tenant ?? '',
      cell: ({ tenant }) => tenant ?? <span class="faint">every tenant</span>,
    },
    {
      head: 'First',
      from: 'tablet',
      isNumber: true,
      by: ({ first }) => first,
      cell: ({ first }) => formatCount(first),
    },
    { head: 'Last', from: 'tablet', isNumber: true, by: ({ last }) => last, cell: ({ last }) => formatCount(last) },
    { head: 'Used', isNumber: true, by: ({ used }) => used, cell: ({ used }) => formatCount(used) },
    {
      head: 'At rest',
      from: 'desktop',
      isNumber: true,
      by: ({ quarantined }) => quarantined,
      cell: ({ quarantined }) => formatCount(quarantined),
    },
    { head: 'Free', isNumber: true, by: ({ free }) => free, cell: ({ free }) => formatCount(free) },
    {
      head: 'Actions',
      from: 'tablet',
      cell: (pool) =>
        pool.name !== SHARED && (
          <span class="row-actions">
            <button
              type="button"
              class="button quiet small"
              aria-label={`Delete ${pool.name}`}
              onClick={() => setLeaving(pool)}
            >
              Delete
            </button>
          </span>
        ),
    },
  ];
  return (
    <Page
      title="VNI pools"
      says="Which numbers may be given to whom. A tenant’s own pool is used before the shared one."
      actions={
        <button type="button" class="button primary" onClick={() => setNew(true)}>
          <Icon name="plus" />
          New pool
        </button>
      }
    >
      <Panel
        title="All pools"
        flush
        actions={
          <>
            <Search value={search} onValue={setSearch} label="Search pools" />
            <Export
              name="vni-pools"
              path="/v1/vni-pools"
              columns={[
                ['name', (one: VniPool) => one.name],
                ['tenant', (one) => one.tenant],
                ['first', (one) => one.first],
                ['last', (one) => one.last],
                ['used', (one) => one.used],
                ['quarantined', (one) => one.quarantined],
                ['free', (one) => one.free],
              ]}
            />
          </>
        }
      >
        <Listing
          of={pools}
          rows={found}
          likely={4}
          label="VNI pools"
          keyOf={({ id }) => id}
          columns={columns}
          empty={
            <Empty icon="pools" title="No pool is like that">
              Names and tenants are searched.
            </Empty>
          }
        />
      </Panel>
      {isNew && (
        <Dialog title="New VNI pool" onClose={() => setNew(false)}>
          <PoolForm onDone={() => setNew(false)} />
        </Dialog>
      )}
      {leaving && (
        <Confirm
          title={`Delete the pool ${leaving.name}?`}
          act="Delete the pool"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', `/v1/vni-pools/${encodeURIComponent(leaving.id)}`);
            changed();
            say(`The pool ${leaving.name} is deleted.`);
          }}
        >
          <ul>
            <li>{formatCount(leaving.free)} free numbers go back to the shared pool.</li>
            <li>
              {formatCount(leaving.used)} in use stay with their networks, and go to the shared pool when they are
              released.
            </li>
          </ul>
        </Confirm>
      )}
    </Page>
  );
}
