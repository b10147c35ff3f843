import { useMemo } from 'preact/hooks';
import type { History } from '../../contract/history.ts';
import { useQuery } from '../api/query.ts';
import { useTenant } from '../api/tenant.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Panel } from '../ui/page.tsx';
import { Segments } from '../ui/segments.tsx';
import { Empty, Loaded } from '../ui/states.tsx';
import { Chart } from './chart.tsx';
import { curvesOf, type Line } from './series.ts';

const SPANS = [
  ['1', '24 h'],
  ['7', '7 days'],
  ['30', '30 days'],
] as const;
const DAY_MS = 86_400_000;

export const TO_OTHERS: Line = { label: 'Sent to other sites', colour: '--series-1', of: 'txBytes' };
export const FROM_OTHERS: Line = { label: 'Received', colour: '--series-2', of: 'rxBytes' };

interface Props {
  readonly title: string;
  readonly site?: string;
  readonly network?: string;
  readonly lines: readonly Line[];
}

/** What was carried: of the tenant, of a site, or of a network. */
export function HistoryPanel({ title, site, network, lines }: Props) {
  const tenant = useTenant();
  const [chosen, choose] = useQueryText('span');
  const days = SPANS.find(([span]) => span === chosen)?.[0] ?? '1';
  // To the minute, so that asking again is the same question for a while.
  const since = useMemo(
    () => new Date(Math.floor((Date.now() - Number(days) * DAY_MS) / 60_000) * 60_000).toISOString(),
    [days],
  );
  const query = new URLSearchParams({
    since,
    ...(site === undefined ? {} : { site }),
    ...(network === undefined ? {} : { network }),
  });
  const history = useQuery<History>(`${tenant.api('history')}?${query}`);
  const { data } = history;
  const curves = useMemo(() => (data === undefined ? undefined : curvesOf(data, lines, Date.now())), [data, lines]);
  return (
    <Panel
      title={title}
      actions={
        <Segments label="Time span" value={days} onValue={(span) => choose(span === '1' ? '' : span)} options={SPANS} />
      }
    >
      <div class="chart-place">
        <Loaded
          of={curves === undefined ? (history.error === undefined ? {} : { error: history.error }) : { data: curves }}
          rows={6}
          height={24}
        >
          {(drawn) =>
            drawn.times.length === 0 ? (
              <Empty icon="usage" title="No history yet">
                Agents report every ten minutes: the first point comes with the first step that is over.
              </Empty>
            ) : (
              <Chart curves={drawn} />
            )
          }
        </Loaded>
      </div>
    </Panel>
  );
}
