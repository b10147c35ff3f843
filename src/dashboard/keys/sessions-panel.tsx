import { useState } from 'preact/hooks';
import type { SessionItem } from '../../contract/sessions.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Export } from '../ui/export.tsx';
import { Listing } from '../ui/listing.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';

/** Who is signed in to the dashboard. @param path of the list: a tenant's, or the operator's own. */
export function SessionsPanel({ path, name }: { readonly path: string; readonly name: string }) {
  const sessions = usePages<SessionItem>(path);
  const [leaving, setLeaving] = useState<SessionItem | null>(null);
  const columns: readonly Column<SessionItem>[] = [
    {
      head: 'Who',
      by: ({ who }) => who,
      cell: ({ who, current }) => (
        <>
          {who} {current && <Pill tone="accent">this one</Pill>}
        </>
      ),
    },
    { head: 'Role', by: ({ role }) => role, cell: ({ role }) => role },
    { head: 'From', from: 'tablet', cell: ({ address }) => <span class="mono faint">{address ?? ''}</span> },
    {
      head: 'Used',
      from: 'tablet',
      by: ({ lastUsedAt }) => lastUsedAt,
      cell: ({ lastUsedAt }) => <Time at={lastUsedAt} />,
    },
    {
      head: 'Ends',
      from: 'desktop',
      by: ({ expiresAt }) => expiresAt,
      cell: ({ expiresAt }) => <Time at={expiresAt} />,
    },
    {
      head: 'Actions',
      cell: (of) => (
        <span class="row-actions">
          {!of.current && (
            <button
              type="button"
              class="button quiet small"
              aria-label={`End the session of ${of.who}`}
              onClick={() => setLeaving(of)}
            >
              End
            </button>
          )}
        </span>
      ),
    },
  ];
  return (
    <Panel
      title="Open sessions"
      flush
      actions={
        <Export
          name={name}
          path={path}
          columns={[
            ['who', (one: SessionItem) => one.who],
            ['role', (one) => one.role],
            ['address', (one) => one.address],
            ['created', (one) => one.createdAt],
            ['last_used', (one) => one.lastUsedAt],
            ['expires', (one) => one.expiresAt],
          ]}
        />
      }
    >
      <Listing
        of={sessions}
        likely={2}
        label="Open sessions"
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty icon="tenants" title="Nobody is signed in">
            Sessions of people who look at this tenant would stand here.
          </Empty>
        }
      />
      {leaving && (
        <Confirm
          title={`End the session of ${leaving.who}?`}
          act="End it"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', `${path}/${encodeURIComponent(leaving.id)}`);
            changed();
            say('The session is ended.');
          }}
        >
          <p>They are asked to sign in again at their next click. The key that they used still works.</p>
        </Confirm>
      )}
    </Panel>
  );
}
