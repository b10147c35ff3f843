/** The one page that says whether all is well. */
import { useMemo } from 'preact/hooks';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { FROM_OTHERS, HistoryPanel } from '../chart/history.tsx';
import { type Overview, overviewOf } from '../format/health.ts';
import { plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';
import { Icon } from '../ui/icons.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Failure, Skeleton } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import { AlertsPanel } from './alerts-panel.tsx';
import { FirstSteps } from './first-steps.tsx';
import { Glance } from './glance.tsx';
import { LatestEvents } from './latest-events.tsx';
import { Tiles } from './tiles.tsx';
import { verdictOf } from './verdict.ts';

const LINES = [FROM_OTHERS];

export function OverviewPage() {
  const tenant = useTenant();
  const { data, error } = useTopology();
  const overview = useMemo(() => (data === undefined ? undefined : overviewOf(data)), [data]);
  const verdict = overview && verdictOf(overview);
  return (
    <Page
      title="Overview"
      badge={verdict && <Pill tone={verdict.health}>{verdict.word}</Pill>}
      says={verdict?.says ?? ' '}
      actions={
        tenant.mayWrite && (
          <Link to={tenant.page('add-site')} class="button primary">
            <Icon name="plus" />
            Add a site
          </Link>
        )
      }
    >
      {overview !== undefined ? (
        <Parts overview={overview} />
      ) : error !== undefined ? (
        <Failure error={error} />
      ) : (
        <Skeleton rows={6} height={48} />
      )}
    </Page>
  );
}

function Parts({ overview }: { readonly overview: Overview }) {
  if (overview.sites.length === 0) return <FirstSteps hasNetwork={overview.networks.length > 0} />;
  return (
    <>
      <Tiles overview={overview} />
      <div class="columns">
        <AlertsPanel />
        <LatestEvents />
      </div>
      <Panel title="Sites at a glance" note={plural(overview.sites.length, 'site')}>
        <Glance sites={overview.sites} />
      </Panel>
      <HistoryPanel title="Traffic between sites" lines={LINES} />
    </>
  );
}
