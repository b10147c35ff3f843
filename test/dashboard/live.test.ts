import { beforeEach, describe, expect, it } from 'vitest';
import type { Traffic } from '../../src/contract/traffic.ts';
import { forgetRates, noteTraffic, rateOf, rates } from '../../src/dashboard/api/rates.ts';
import { curvesOf, describeCurves } from '../../src/dashboard/chart/series.ts';

const totals = (txBytes: number): Traffic => ({ rxBytes: txBytes / 2, txBytes, rxFrames: 0, txFrames: 0, drops: 0 });

describe('traffic', () => {
  beforeEach(forgetRates);
  const say = (at: number, site: string, vni: number, txBytes: number) =>
    noteTraffic({ type: 'traffic', at, sites: [{ site, networks: [{ vni, revision: 1, ...totals(txBytes) }] }] });

  it('is a rate from the second word of a site on: of the site, the network and the site in it', () => {
    say(0, 'a', 7, 1000);
    expect(rates.get().by.size).toBe(0);
    say(2000, 'a', 7, 3000);
    say(2000, 'b', 7, 0);
    say(4000, 'b', 7, 500);
    const { by, recent } = rates.get();
    expect(by.get('a')).toMatchObject({ outBits: 8000, inBits: 4000 });
    expect(by.get('b/7')).toMatchObject({ outBits: 2000 });
    expect(by.get('7')).toMatchObject({ outBits: 10_000 });
    expect(recent.at(-1)).toEqual({ at: 4000, bits: 10_000 });
  });

  it('counts from zero where an agent started anew', () => {
    expect(rateOf({ at: 0, totals: totals(9_000_000) }, { at: 1000, totals: totals(250) }).outBits).toBe(2000);
  });

  it('is forgotten of a site that says nothing any more', () => {
    say(0, 'a', 7, 0);
    say(2000, 'a', 7, 1000);
    say(60_000, 'b', 7, 0);
    expect(rates.get().by.has('a')).toBe(false);
  });
});

describe('a chart', () => {
  const point = (at: string, txBytes: number) => ({ at, online: 1, ...totals(txBytes) });
  const history = {
    stepSeconds: 600,
    points: [
      point('2026-11-24T12:00:00Z', 75_000),
      point('2026-11-24T12:10:00Z', 150_000),
      point('2026-11-24T12:20:00Z', 1),
    ],
  };
  const lines = [{ label: 'Sent', colour: '--series-1', of: 'txBytes' as const }];

  it('leaves out the step that is not over, whose rate would be too low', () => {
    const { times, series } = curvesOf(history, lines, Date.parse('2026-11-24T12:25:00Z'));
    expect(times).toHaveLength(2);
    expect(series[0]!.values).toEqual([1000, 2000]);
  });

  it('is said in words as well', () => {
    const curves = curvesOf(history, lines, Date.parse('2026-11-24T12:25:00Z'));
    expect(describeCurves(curves)).toMatch(/^Sent: 1.50 kbit\/s on average, 2.00 kbit\/s at most, /);
    expect(describeCurves({ times: [], series: [] })).toBe('No history yet.');
  });
});
