/**
 * What the registry costs as it grows: the rows of the registry in the project's targets, each against itself at a small size.
 *
 * `npm run bench:registry -- [--only NAME,…] [--rounds N] [--agents N] [--write]`. Times are of the Node host; rows are as Cloudflare's
 * own D1 counts them, in its local runtime, whose times say nothing.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { D1Database } from '@cloudflare/workers-types';
import { workerHarness } from '../gateway/worker-harness.ts';
import { countAllocation, FEW, MANY, rush, timeAllocation } from './registry/allocation.ts';
import { countCalls } from './registry/calls.ts';
import { costOfDelta, FEW_MACS, MANY_MACS } from './registry/deltas.ts';
import { Fleet, type Heard } from './registry/fleet.ts';
import { idleHour, monthOf, requestsOf } from './registry/idle.ts';
import { joinStorm, outage, propagate } from './registry/propagation.ts';
import { describeMachine, formatMarkdown, type Line, median, quantile, writePart } from './report.ts';

const NAMES = ['allocation', 'rush', 'delta', 'few', 'many', 'idle'] as const;
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: NAMES.join(',') },
    rounds: { type: 'string', default: '5' },
    agents: { type: 'string', default: '1000' },
    write: { type: 'boolean', default: false },
  },
});
const only = values.only.split(',');
const rounds = Number(values.rounds);
const agents = Number(values.agents);

const FEW_AGENTS = 20;
const IDLE_SITES = 1000;
const RUSH = 200;
const AWAY_SECONDS = 600;

/** Of a machine that does other things too, times say little. */
const loadAtStart = loadavg()[0]!.toFixed(1);
const lines: Line[] = [['what', 'measured as', 'result', 'first', 'then']];
const parts: string[] = [];

async function step(name: (typeof NAMES)[number], act: () => Promise<readonly Line[]>): Promise<void> {
  if (!only.includes(name)) return;
  const start = performance.now();
  lines.push(...(await act()));
  console.error(`${name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

await step('allocation', async () => {
  const times = await timeAllocation(rounds);
  const rows = await withD1(countAllocation);
  const [few, many] = [median(times.few), median(times.many)];
  const what = `VNI allocation at ${MANY.toLocaleString('en')} allocated`;
  return [
    [what, `times its time at ${FEW}`, `${ratio(many, few)} (${many.toFixed(0)} µs)`, '1.3', '1.1'],
    [
      what,
      'D1 rows read, written',
      `${rows.many.read}, ${rows.many.written} (${rows.few.read}, ${rows.few.written})`,
      '',
      '',
    ],
  ];
});

await step('rush', async () => {
  const { duplicates, lost, seconds } = await rush(RUSH);
  return [
    [
      `${RUSH} concurrent allocations`,
      'duplicates, lost',
      `${duplicates}, ${lost} in ${seconds.toFixed(2)} s`,
      '0, 0',
      '',
    ],
  ];
});

await step('delta', async () => {
  const ours = await costOfDelta(rounds * 20);
  const theirs = await withD1((d1) => costOfDelta(3, d1));
  const what = `delta of one change at ${MANY_MACS.toLocaleString('en')} MACs`;
  const at = `times its cost at ${FEW_MACS} MACs`;
  return [
    [what, `${at}: bytes`, `${ratio(ours.many.bytes, ours.few.bytes)} (${ours.many.bytes})`, '1.1', '1'],
    [
      what,
      `${at}: D1 rows read`,
      `${ratio(theirs.many.rowsRead, theirs.few.rowsRead)} (${theirs.many.rowsRead})`,
      '1.1',
      '1',
    ],
    [what, `${at}: time`, `${ratio(ours.many.ms, ours.few.ms)} (${ours.many.ms.toFixed(1)} ms)`, '', ''],
  ];
});

await step('few', async () => {
  const fleet = await Fleet.start();
  try {
    await joinStorm(fleet, FEW_AGENTS);
    const { latenciesMs } = await propagate(fleet, 40 * rounds);
    const what = `change → forwarding entry in place at ${FEW_AGENTS} agents`;
    return [[what, 'p99 (median)', showLatencies(latenciesMs), '60 ms', '15 ms']];
  } finally {
    await fleet.stop();
  }
});

await step('many', async () => {
  const fleet = await Fleet.start();
  try {
    const storm = await joinStorm(fleet, agents);
    const { latenciesMs } = await propagate(fleet, 3 * rounds);
    const back = await outage(fleet, AWAY_SECONDS);
    const count = agents.toLocaleString('en');
    const errors = ({ overloads, silences }: Heard): string => `${overloads} × 5xx or 429, ${silences} unanswered`;
    return [
      [
        `change committed → applied at ${count} watching agents`,
        'p99 (median)',
        showLatencies(latenciesMs),
        '1 s',
        '250 ms',
      ],
      [
        `join storm of ${count} sites`,
        'all in step',
        `${storm.seconds.toFixed(1)} s, ${errors(storm.heard)}`,
        'no storm of errors',
        '',
      ],
      [
        `gateway back after ${AWAY_SECONDS / 60} minutes away, ${count} agents`,
        'all in step again',
        `${back.seconds.toFixed(1)} s, ${errors(back.heard)}`,
        '60 s, no 5xx storm',
        '15 s',
      ],
    ];
  } finally {
    await fleet.stop();
  }
});

await step('idle', async () => {
  const hour = await idleHour(FEW_AGENTS);
  const calls = await withD1(countCalls);
  const bill = monthOf(IDLE_SITES, hour, calls);
  parts.push(
    'Rows that single calls read and write in D1 (11 sites in the network):',
    formatMarkdown([
      ['call', 'rows read', 'rows written'],
      ...Object.entries(calls).map(([name, rows]) => [name, String(rows.read), String(rows.written)]),
    ]),
    `A month of ${IDLE_SITES.toLocaleString('en')} idle sites, each with ${each(hour.pulls)} pulls, ${each(hour.heartbeats)} reports and ` +
      `${each(hour.sockets)} new sockets an hour: ${million(bill.used.requests)} requests, ${million(bill.used.rowsRead)} rows ` +
      `read, ${million(bill.used.rowsWritten)} rows written. At list prices $${bill.listed.toFixed(2)}; beyond what the paid plan ` +
      `has in it, $${bill.beyondPlan.toFixed(2)}.`,
  );
  return [
    ['pull with nothing new', 'D1 rows read', String(calls['nothing new'].read), '≤ 2', '0'],
    ['idle site', 'requests billed an hour', requestsOf(hour).toFixed(1), '≤ 12', '≤ 1'],
  ];
});

const text = [`${describeMachine()}, load ${loadAtStart} before it began`, formatMarkdown(lines), ...parts].join(
  '\n\n',
);
console.log(text);
if (values.write) writePart(new URL('../../bench/README.md', import.meta.url), 'registry', text);

/** Cloudflare's own D1, in its local runtime, empty but for the tables. */
async function withD1<T>(act: (d1: D1Database) => Promise<T>): Promise<T> {
  // Nothing is asked of the Internet.
  Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false' });
  const vars = { OVERLANE_OPERATOR_KEY: 'a-key-that-nobody-asks-this-worker-for' };
  const harness = workerHarness(vars);
  try {
    await harness.listen();
    const worker = harness.getWorker();
    await worker.applyD1Migrations('DB');
    const { DB } = (await worker.getEnv()) as { DB: D1Database };
    return await act(DB);
  } finally {
    await harness.close();
  }
}

function ratio(a: number, b: number): string {
  return (a / b).toFixed(2);
}

function showLatencies(latenciesMs: readonly number[]): string {
  return `${quantile(latenciesMs, 0.99).toFixed(0)} ms (${median(latenciesMs).toFixed(0)} ms)`;
}

function each(count: number): string {
  return count.toFixed(1);
}

function million(count: number): string {
  return `${count.toFixed(2)} million`;
}
