/** From what the gateway has of the past to what a chart draws. */
import type { History } from '../../contract/history.ts';
import { formatBits } from '../format/number.ts';
import { formatExact } from '../format/time.ts';

export interface Series {
  readonly label: string;
  /** The name of the colour, as the styles have it. */
  readonly colour: string;
  readonly values: readonly number[];
}

export interface Curves {
  /** Seconds since 1970, in order. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

export interface Line {
  readonly label: string;
  readonly colour: string;
  readonly of: 'rxBytes' | 'txBytes';
}

/** Bits a second in each step that is over. @param now milliseconds since 1970. */
export function curvesOf({ stepSeconds, points }: History, lines: readonly Line[], now: number): Curves {
  const over = points.filter(({ at }) => Date.parse(at) + stepSeconds * 1000 <= now);
  return {
    times: over.map(({ at }) => Date.parse(at) / 1000),
    series: lines.map(({ label, colour, of }) => ({
      label,
      colour,
      values: over.map((point) => (point[of] * 8) / stepSeconds),
    })),
  };
}

/** The chart in words, for who can't see it. */
export function describeCurves({ times, series }: Curves): string {
  if (times.length === 0) return 'No history yet.';
  return series
    .map(({ label, values }) => {
      const most = Math.max(...values);
      const at = times[values.indexOf(most)] ?? 0;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return `${label}: ${formatBits(mean)} on average, ${formatBits(most)} at most, ${formatExact(at * 1000)}.`;
    })
    .join(' ');
}
