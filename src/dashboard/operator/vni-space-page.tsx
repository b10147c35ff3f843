import { useState } from 'preact/hooks';
import type { QuarantinedVni, VniPool } from '../../contract/vni-pools.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { type Page as ListPage, usePages } from '../api/pages.ts';
import { useQuery } from '../api/query.ts';
import { formatCount } from '../format/number.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Export } from '../ui/export.tsx';
import { Listing } from '../ui/listing.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Empty, Loaded } from '../ui/states.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';
import { PoolBars } from './pool-bars.tsx';
import { SpaceStrip } from './space-strip.tsx';

export function VniSpacePage() {
  const pools = useQuery<ListPage<VniPool>>('/v1/vni-pools?limit=500');
  const resting = usePages<QuarantinedVni>('/v1/vni-quarantine');
  const [ending, setEnding] = useState<QuarantinedVni | null>(null);
  const columns: readonly Column<QuarantinedVni>[] = [
    { head: 'VNI', isNumber: true, by: ({ vni }) => vni, cell: ({ vni }) => vni },
    { head: 'Was of', cell: ({ tenant }) => tenant ?? <span class="faint">a tenant that is gone</span> },
    {
      head: 'Released',
      from: 'tablet',
      by: ({ releasedAt }) => releasedAt,
      cell: ({ releasedAt }) => <Time at={releasedAt} />,
    },
    { head: 'Rests until', by: ({ until }) => until, cell: ({ until }) => <Time at={until} /> },
    {
      head: 'Actions',
      cell: (one) => (
        <span class="row-actions">
          <button
            type="button"
            class="button quiet small"
            aria-label={`End the rest of VNI ${one.vni}`}
            onClick={() => setEnding(one)}
          >
            End
          </button>
        </span>
      ),
    },
  ];
  return (
    <Page title="VNI space" says="All 16,777,216 numbers: which pool has them, how many are in use, which are at rest.">
      <Panel title="The whole space" note="a stretch is as wide as the order of its size">
        <Loaded of={pools} rows={2} height={40}>
          {({ items }) => <SpaceStrip pools={items} />}
        </Loaded>
      </Panel>
      <Panel title="Pools">
        <Loaded of={pools} rows={4} height={24}>
          {({ items }) => <PoolBars pools={items} resting={resting.items ?? []} />}
        </Loaded>
      </Panel>
      <Panel
        title="At rest"
        note={resting.items && formatCount(resting.items.length)}
        flush
        actions={
          <Export
            name="vnis-at-rest"
            path="/v1/vni-quarantine"
            columns={[
              ['vni', (one: QuarantinedVni) => one.vni],
              ['tenant', (one) => one.tenant],
              ['released', (one) => one.releasedAt],
              ['until', (one) => one.until],
            ]}
          />
        }
      >
        <Listing
          of={resting}
          likely={3}
          label="VNIs at rest"
          keyOf={({ vni }) => String(vni)}
          columns={columns}
          empty={
            <Empty icon="vnis" title="No number is at rest">
              A released VNI rests before anyone gets it again, so that frames still on their way reach nobody else.
            </Empty>
          }
        />
      </Panel>
      {ending && (
        <Confirm
          title={`End the rest of VNI ${ending.vni}?`}
          act="End it now"
          onClose={() => setEnding(null)}
          onConfirm={async () => {
            await call('DELETE', `/v1/vni-quarantine/${ending.vni}`);
            changed();
            say(`VNI ${ending.vni} can be given again.`);
          }}
        >
          <p>
            The next network may get it at once. An agent that has been away since it was released could still send
            frames of the old network under this number.
          </p>
        </Confirm>
      )}
    </Page>
  );
}
