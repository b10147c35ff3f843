/** The soak inside its namespaces. */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { endWithStarter } from '../../demo/lab/enter.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab } from '../../demo/lab.ts';
import { gapOf } from '../agent/datapath/counter-sum.ts';
import { counters } from '../system/agents.ts';
import { Loads } from './loads.ts';
import { median, type Vitals, vitalsOf } from './vitals.ts';
import { AGENTS, NAMES, type Name, World } from './world.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string' },
  },
});
const IDLE_SECONDS = 5;
const MAX_IDLE_CPU = 0.01;
/** A peer that came back must be reached by then, however busy the machine. */
const BACK_MS = 20_000;
const BETWEEN_MS = 2000;
/** What the heap of a process may grow by once it is warm. */
const MAX_GROWTH_MB = 15;
const MAX_SILENCE_SECONDS = 5;

const faults: string[] = [];
const check = (isRight: boolean, what: string): void => {
  process.stdout.write(`${isRight ? 'ok    ' : 'FAILED'} ${what}\n`);
  if (!isRight) faults.push(what);
};

endWithStarter(() => process.exit(130));
const lab = await createLab();
const [a, b, c, k] = await lab.sites(...NAMES);
const world = new World(
  lab,
  { a: a!, b: b!, c: c!, k: k! },
  options.threads === undefined ? null : Number(options.threads),
);
const loads = new Loads(world);
try {
  await world.start();
  await reached('at first');

  const before = new Map(AGENTS.map((name) => [name, vitals(name)]));
  await wait(IDLE_SECONDS * 1000);
  for (const name of AGENTS) {
    const used = (vitals(name).cpuSeconds - before.get(name)!.cpuSeconds) / IDLE_SECONDS;
    check(used < MAX_IDLE_CPU, `idle, ${name} takes ${(used * 100).toFixed(2)} % of a core`);
  }

  loads.start();
  const samples: Record<'a' | 'b', Vitals[]> = { a: [], b: [] };
  const events = await shake(world, () => {
    for (const name of ['a', 'b'] as const) samples[name].push(vitals(name));
  });
  const silence = await loads.stop();
  faults.push(...loads.faults);

  check(loads.faults.length === 0, `flows between those that stayed: ${loads.faults.join('; ') || 'all went through'}`);
  check(silence <= MAX_SILENCE_SECONDS, `their pings were never unanswered for longer than ${silence} s`);
  for (const [flow, count] of loads.done) process.stdout.write(`       ${count} transfers of 50 MB, ${flow}\n`);
  process.stdout.write(`       ${[...events].map(([what, count]) => `${count} times ${what}`).join(', ')}\n`);
  await reached('at last');
  for (const name of ['a', 'b'] as const) {
    const rss = samples[name].map(({ rssMb }) => rssMb);
    const [early, late] = [rss.slice(rss.length >> 2, rss.length >> 1), rss.slice(-(rss.length >> 2))].map(median);
    check(
      late! - early! < MAX_GROWTH_MB,
      `memory of ${name}: ${early!.toFixed(0)} MB, at the end ${late!.toFixed(0)} MB`,
    );
    const descriptors = samples[name].map((it) => it.descriptors);
    check(
      vitals(name).descriptors <= descriptors[0]!,
      `descriptors of ${name}: ${descriptors[0]}, at the end ${vitals(name).descriptors}`,
    );
  }
  for (const name of AGENTS) {
    const said = await quiet(name);
    const { gap, text } = gapOf(said.networks[0]!.counters);
    check(gap === 0, `counters of ${name}: ${text}`);
  }
  for (const name of AGENTS) await world.stopAgent(name, 'SIGTERM');
  for (const name of AGENTS) {
    const links = await world.sites[name].ip('link show');
    check(!/\btap:/.test(links), `${name} left no device`);
  }

  function vitals(name: (typeof AGENTS)[number]): Vitals {
    return vitalsOf(world.programs.get(name)!.child.pid!);
  }

  async function reached(when: string): Promise<void> {
    for (const from of NAMES) for (const to of NAMES) if (from !== to) await reach(from, to, when);
  }

  async function reach(from: Name, to: Name, when: string): Promise<void> {
    const passes = async () =>
      (await world.sites[from].ping(world.hostOf(to), { count: 1, timeoutMs: 500 })).received > 0;
    await until(`a ping from ${from} to ${to} ${when}`, passes, { timeoutMs: BACK_MS });
  }

  /** What it counted once nothing passes any more. */
  async function quiet(name: (typeof AGENTS)[number]): ReturnType<typeof counters> {
    let last = '';
    return until(
      `quiet at ${name}`,
      async () => {
        const said = await counters(world.sites[name], lab);
        const text = JSON.stringify(said);
        if (text === last) return said;
        last = text;
        return undefined;
      },
      { timeoutMs: 60_000, everyMs: 1000 },
    );
  }

  /** Lets c and k come and go until the time is over. @returns how often each happened. */
  async function shake(of: World, sample: () => void): Promise<Map<string, number>> {
    const events = new Map<string, number>();
    const shakes: readonly (readonly [string, () => Promise<void>])[] = [
      [
        'stopped and started',
        async () => {
          await of.stopAgent('c', 'SIGTERM');
          await of.startAgent('c', true);
        },
      ],
      [
        'killed and started',
        async () => {
          await of.stopAgent('c', 'SIGKILL');
          await of.startAgent('c', false);
        },
      ],
      [
        'out of the tables and back',
        async () => {
          await of.tell(false);
          await wait(BETWEEN_MS);
          await of.tell(true);
        },
      ],
      ['at another address', () => of.moveC()],
      ['the kernel’s VTEP made anew', () => of.restartKernel()],
    ];
    const end = performance.now() + Number(options.minutes) * 60_000;
    let state = Number(options.seed) >>> 0;
    while (performance.now() < end) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const [what, act] = shakes[(state >>> 16) % shakes.length]!;
      await act();
      for (const from of ['a', 'b', 'k'] as const) await reach(from, 'c', `after it was ${what}`);
      await reach('a', 'k', `after it was ${what}`);
      events.set(what, (events.get(what) ?? 0) + 1);
      sample();
      await wait(BETWEEN_MS);
    }
    return events;
  }
} catch (error) {
  faults.push(String(error));
  process.stdout.write(`FAILED ${error instanceof Error ? error.stack : error}\n${lab.transcript()}\n`);
  for (const name of AGENTS) {
    const said = await counters(world.sites[name], lab).catch(String);
    process.stdout.write(`${name}: ${JSON.stringify(said)}\n`);
  }
} finally {
  loads.abandon();
  await lab.dispose();
}
process.exit(faults.length === 0 ? 0 : 1);
