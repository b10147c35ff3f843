/**
 * From an agent's totals, said now and then, to what was carried when.
 *
 * What came between two reports is spread evenly over the time between them, so that a chart shows the traffic and not the reports'
 * rhythm. Sites that carried nothing leave nothing: what is not there is zero.
 */
import type { NetworkReport } from '../contract/agent.ts';
import { STEP_SECONDS } from '../contract/history.ts';
import { type Traffic, trafficOf } from '../contract/traffic.ts';

/** Of one network in one step (a number since 1970): step, VNI, rxBytes, txBytes, rxFrames, txFrames, drops. */
export type Sample = readonly [number, number, number, number, number, number, number];

export const STEP_MS = STEP_SECONDS * 1000;
export const STEPS_PER_HOUR = 3600 / STEP_SECONDS;
/** An agent that was away for longer has the rest put down to this time. */
const MAX_SPREAD_MS = 25 * 3600 * 1000;
/** Of more at once the least busy are put together under VNI 0, which is no network's. */
const MAX_NETWORKS = 500;

export interface Sampled {
  /** Up to when, milliseconds since 1970; null where nothing was ever said. */
  readonly sampledAt: number | null;
  readonly report: readonly NetworkReport[];
  readonly samples: readonly Sample[];
}

export interface Taken {
  /** Of the hour that is not over. */
  readonly samples: readonly Sample[];
  /** Hours that are, by their number since 1970. */
  readonly finished: readonly { readonly hour: number; readonly samples: readonly Sample[] }[];
}

/** @param before what was kept at the last report. */
export function takeSamples(before: Sampled, report: readonly NetworkReport[], now: number): Taken {
  const last = new Map(before.report.map(({ vni, counters }) => [vni, trafficOf(counters)]));
  const gains = report.map(({ vni, counters }): Gain => [vni, gainOf(trafficOf(counters), last.get(vni))]);
  const from = Math.min(Math.max(before.sampledAt ?? now, now - MAX_SPREAD_MS), now);
  const taken = sumOf([...before.samples, ...busiest(gains).flatMap((gain) => spread(gain, from, now))]);
  const byHour = Map.groupBy(taken, ([step]) => Math.floor(step / STEPS_PER_HOUR));
  const current = Math.floor(now / 3_600_000);
  const samples = byHour.get(current) ?? [];
  byHour.delete(current);
  return { samples, finished: [...byHour].map(([hour, of]) => ({ hour, samples: of })) };
}

type Gain = readonly [vni: number, Traffic];
const FIELDS = ['rxBytes', 'txBytes', 'rxFrames', 'txFrames', 'drops'] as const satisfies readonly (keyof Traffic)[];

/** A total that fell began anew: the agent, or its network there, was started again. */
function gainOf(total: Traffic, last: Traffic | undefined): Traffic {
  if (last === undefined || FIELDS.some((field) => total[field] < last[field])) return total;
  return Object.fromEntries(FIELDS.map((field) => [field, total[field] - last[field]])) as Traffic;
}

function busiest(gains: readonly Gain[]): readonly Gain[] {
  if (gains.length <= MAX_NETWORKS) return gains;
  const bytes = ([, { rxBytes, txBytes }]: Gain): number => rxBytes + txBytes;
  return gains
    .toSorted((a, b) => bytes(b) - bytes(a))
    .map(([vni, gain], i): Gain => [i < MAX_NETWORKS ? vni : 0, gain]);
}

/** In whole numbers, of which nothing is lost. */
function spread([vni, gain]: Gain, from: number, to: number): Sample[] {
  if (FIELDS.every((field) => gain[field] === 0)) return [];
  const samples: Sample[] = [];
  let done = FIELDS.map(() => 0);
  for (let step = Math.floor(from / STEP_MS), over = false; !over; step++) {
    const end = Math.min((step + 1) * STEP_MS, to);
    over = end >= to;
    const share = over ? 1 : (end - from) / (to - from);
    const upTo = FIELDS.map((field) => Math.floor(gain[field] * share));
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = upTo.map((amount, i) => amount - done[i]!);
    if (a + b + c + d + e > 0) samples.push([step, vni, a, b, c, d, e]);
    done = upTo;
  }
  return samples;
}

function sumOf(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of samples) {
    const [step, vni, a, b, c, d, e] = sample;
    const sum = sums.get(`${step} ${vni}`);
    const added: Sample =
      sum === undefined ? sample : [step, vni, sum[2] + a, sum[3] + b, sum[4] + c, sum[5] + d, sum[6] + e];
    sums.set(`${step} ${vni}`, added);
  }
  return [...sums.values()];
}
