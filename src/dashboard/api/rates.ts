/** What passes now: totals that come over the live socket, turned into rates. */
import type { Live } from '../../contract/live.ts';
import type { Traffic } from '../../contract/traffic.ts';
import { createStore } from './store.ts';

/** A second, of inner frames: what a site's ports were given, what they took for other sites, and what was dropped. */
export interface Rate {
  readonly inBits: number;
  readonly outBits: number;
  readonly inFrames: number;
  readonly outFrames: number;
  readonly drops: number;
}

export interface Rates {
  /** By `site`, by `vni`, and by `site/vni`. */
  readonly by: ReadonlyMap<string, Rate>;
  /** Bits a second that all sites took in, a point per message: the last few minutes. */
  readonly recent: readonly { readonly at: number; readonly bits: number }[];
}

type TrafficMessage = Extract<Live, { readonly type: 'traffic' }>;

const NO_RATES: Rates = { by: new Map(), recent: [] };
const RECENT_POINTS = 90;
/** A site that said nothing for so long has no rate. */
const FRESH_MS = 20_000;

export const rates = createStore<Rates>(NO_RATES);

interface Sample {
  readonly at: number;
  readonly totals: Traffic;
}
const samples = new Map<string, Sample>();
const measured = new Map<string, { readonly at: number; readonly rate: Rate }>();

export function forgetRates(): void {
  samples.clear();
  measured.clear();
  rates.set(NO_RATES);
}

/** Takes one message in. */
export function noteTraffic({ at, sites }: TrafficMessage): void {
  for (const { site, networks } of sites) {
    for (const { vni, ...totals } of networks) {
      const key = `${site}/${vni}`;
      const before = samples.get(key);
      const sample = { at, totals };
      samples.set(key, sample);
      if (before !== undefined && at > before.at) measured.set(key, { at, rate: rateOf(before, sample) });
    }
  }
  const by = new Map<string, Rate>();
  let bits = 0;
  for (const [key, { at: measuredAt, rate }] of measured) {
    if (at - measuredAt > FRESH_MS) {
      measured.delete(key);
      continue;
    }
    const [site = '', vni = ''] = key.split('/');
    for (const one of [key, site, vni]) by.set(one, add(by.get(one), rate));
    bits += rate.outBits;
  }
  // The first word of each site is where counting begins, and no rate yet.
  const { recent } = rates.get();
  rates.set({ by, recent: by.size === 0 ? recent : [...recent, { at, bits }].slice(-RECENT_POINTS) });
}

/** A total that fell began anew with its agent, at zero. */
export function rateOf(before: Sample, after: Sample): Rate {
  const seconds = (after.at - before.at) / 1000;
  const per = (name: keyof Traffic): number => {
    const [then, now] = [before.totals[name], after.totals[name]];
    return (now >= then ? now - then : now) / seconds;
  };
  return {
    inBits: per('rxBytes') * 8,
    outBits: per('txBytes') * 8,
    inFrames: per('rxFrames'),
    outFrames: per('txFrames'),
    drops: per('drops'),
  };
}

function add(a: Rate | undefined, b: Rate): Rate {
  if (a === undefined) return b;
  return {
    inBits: a.inBits + b.inBits,
    outBits: a.outBits + b.outBits,
    inFrames: a.inFrames + b.inFrames,
    outFrames: a.outFrames + b.outFrames,
    drops: a.drops + b.drops,
  };
}
