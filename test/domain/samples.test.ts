import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NetworkReport } from '../../src/contract/agent.ts';
import { onlineOver } from '../../src/domain/online.ts';
import { type Sampled, STEP_MS, STEPS_PER_HOUR, takeSamples } from '../../src/domain/samples.ts';

const HOUR_MS = STEP_MS * STEPS_PER_HOUR;
const EPOCH = Date.UTC(2026, 0, 1);

function report(vni: number, portTxBytes: number): NetworkReport {
  return { vni, revision: 1, digest: '000000000000', counters: { portTxBytes } };
}

/** What a site leaves that says these totals at these moments: what is kept at the end, and the hours that were. */
function life(reports: readonly { readonly at: number; readonly totals: readonly number[] }[]) {
  let kept: Sampled = { sampledAt: null, report: [], samples: [] };
  const hours = new Set<number>();
  const all = [];
  for (const { at, totals } of reports) {
    const said = totals.map((total, i) => report(i + 1, total));
    const { samples, finished } = takeSamples(kept, said, at);
    for (const { hour, samples: of } of finished) {
      hours.add(hour);
      all.push(...of);
    }
    kept = { sampledAt: at, report: said, samples };
  }
  return { samples: [...all, ...kept.samples], kept, hours };
}

test('nothing that was carried is lost or made up, however reports come, and hours that are over are let go', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 3 * HOUR_MS }),
    gains: fc.array(fc.nat(1e9), { minLength: 3, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
      let at = EPOCH;
      let totals = [0, 0, 0];
      const reports = steps.map(({ waitMs, gains }) => {
        at += waitMs;
        totals = totals.map((total, i) => total + gains[i]!);
        return { at, totals };
      });
      const { samples, kept } = life(reports);
      for (const [i, total] of totals.entries()) {
        const sum = samples.filter(([, vni]) => vni === i + 1).reduce((rest, [, , rxBytes]) => rest + rxBytes, 0);
        expect(sum).toBe(total);
      }
      for (const [at] of samples) expect(at).toBeLessThanOrEqual(Math.floor(reports.at(-1)!.at / STEP_MS));
      for (const [at] of kept.samples)
        expect(Math.floor(at / STEPS_PER_HOUR)).toBe(Math.floor(kept.sampledAt! / HOUR_MS));
    }),
  );
});

test('an idle site leaves nothing', () => {
  const reports = Array.from({ length: 20 }, (_, i) => ({ at: EPOCH + i * STEP_MS, totals: [7] }));
  const { samples, hours } = life(reports);
  expect(samples).toEqual([[EPOCH / STEP_MS, 1, 7, 0, 0, 0, 0]]);
  expect(hours.size).toBe(1);
});

test('what came between two reports is spread evenly over the time between them', () => {
  const { samples } = life([
    { at: EPOCH, totals: [0] },
    { at: EPOCH + 2.5 * STEP_MS, totals: [1000] },
  ]);
  expect(samples.map(([, , rxBytes]) => rxBytes)).toEqual([400, 400, 200]);
});

test('of more networks than are kept apart, the least busy are summed up as no network’s', () => {
  const totals = Array.from({ length: 700 }, (_, i) => i + 1);
  const { samples } = life([{ at: EPOCH, totals }]);
  expect(samples).toHaveLength(501);
  const rest = samples.find(([, vni]) => vni === 0)!;
  expect(rest[2]).toBe((200 * 201) / 2);
});

test('a clock that was set back takes nothing away', () => {
  const { samples } = life([
    { at: EPOCH, totals: [5] },
    { at: EPOCH - 24 * HOUR_MS, totals: [9] },
  ]);
  expect(samples.reduce((sum, [, , rxBytes]) => sum + rxBytes, 0)).toBe(9);
});

test('who was online when is told from who is and who came and went', () => {
  const steps = [0, 1, 2, 3].map((i) => EPOCH + i * STEP_MS);
  const now = EPOCH + 3.5 * STEP_MS;
  const at = (step: number) => EPOCH + step * STEP_MS;
  const sites = [
    { siteId: 'always', isOnline: true, since: 0 },
    { siteId: 'new', isOnline: true, since: at(2.5) },
    { siteId: 'gone', isOnline: false, since: 0 },
    { siteId: 'back', isOnline: true, since: 0 },
  ];
  const changes = [
    { siteId: 'gone', at: at(1.25), isOnline: false },
    { siteId: 'back', at: at(1), isOnline: false },
    { siteId: 'back', at: at(3), isOnline: true },
    { siteId: 'stranger', at: at(3), isOnline: true },
  ];
  const online = (siteId: string) =>
    onlineOver(
      sites.filter((site) => site.siteId === siteId),
      changes,
      { steps, stepMs: STEP_MS, now },
    );
  expect(online('always')).toEqual([1, 1, 1, 1]);
  expect(online('new')).toEqual([0, 0, 0.5, 1]);
  expect(online('gone')).toEqual([1, 0.25, 0, 0]);
  expect(online('back')).toEqual([1, 0, 0, 1]);
  expect(onlineOver(sites, changes, { steps, stepMs: STEP_MS, now })).toEqual([3, 1.25, 1.5, 3]);
});
