/** Figures of this process, for Prometheus. */
import {
  formatLines,
  formatMetric,
  formatSample,
  headingOf,
  type Labels,
  type Metric,
} from '../../../shared/prometheus.ts';
import type { ObservedRequest } from '../../gateway.ts';

/** Upper bounds, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Timing {
  /** How many took as long as each bound at most, and not the one before; the last: longer than all. */
  readonly counts: number[];
  sum: number;
}

/** What was asked of this process since it began. */
export class RequestFigures {
  /** By method, route and status, as JSON: routes are few, so this stays small. */
  readonly #counts = new Map<string, number>();
  /** By method and route, likewise. */
  readonly #timings = new Map<string, Timing>();

  observe({ method, route, status, seconds }: ObservedRequest): void {
    const counted = JSON.stringify({ method, route, status });
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
    const timed = JSON.stringify({ method, route });
    const timing = this.#timings.get(timed) ?? { counts: Array(BUCKETS.length + 1).fill(0), sum: 0 };
    this.#timings.set(timed, timing);
    const bound = BUCKETS.findIndex((limit) => seconds <= limit);
    timing.counts[bound === -1 ? BUCKETS.length : bound]! += 1;
    timing.sum += seconds;
  }

  text(): string {
    const counter: Metric = {
      name: 'overlane_http_requests_total',
      help: 'Requests answered.',
      type: 'counter',
      samples: [...this.#counts].map(([labels, count]) => [JSON.parse(labels) as Labels, count]),
    };
    return formatMetric(counter) + this.#timingText();
  }

  #timingText(): string {
    const name = 'overlane_http_request_duration_seconds';
    const lines = headingOf({ name, help: 'How long answers took.', type: 'histogram' });
    for (const [text, { counts, sum }] of this.#timings) {
      const labels = JSON.parse(text) as Labels;
      let total = 0;
      for (const [i, count] of counts.entries()) {
        total += count;
        lines.push(formatSample(`${name}_bucket`, [{ ...labels, le: BUCKETS[i] ?? '+Inf' }, total]));
      }
      lines.push(formatSample(`${name}_sum`, [labels, sum]), formatSample(`${name}_count`, [labels, total]));
    }
    return formatLines(lines);
  }
}
