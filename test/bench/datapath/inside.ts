/** The bench inside its namespaces. */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { endWithStarter } from '../../../demo/lab/enter.ts';
import { PATH } from '../../../demo/lab/ip.ts';
import type { Site } from '../../../demo/lab/site.ts';
import { until } from '../../../demo/lab/until.ts';
import { createLab } from '../../../demo/lab.ts';
import { describeMachine, formatMarkdown, median, writePart } from '../report.ts';
import { ADDRESSES, type Contender } from './contender.ts';
import { CONTENDERS, ENCRYPTED_CONTENDERS } from './contenders.ts';
import { roundTrip, smallFrames, tcp } from './measures.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    encrypted: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const SIZES = options.quick ? [64] : [64, 512, 1400];

/** One contender's figures of one round, by row. */
type Figures = Map<string, number>;

endWithStarter(() => process.exit(130));
const lab = await createLab({ underlay: 'veth' });
try {
  const [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
  const left: string[] = [];
  const contenders = options.encrypted ? ENCRYPTED_CONTENDERS : CONTENDERS;
  const taking = contenders.filter((contender) => isWanted(contender) && isThere(contender, left));
  const results = new Map<string, Figures[]>(taking.map(({ name }) => [name, []]));
  for (let round = 1; round <= Number(options.rounds); round++) {
    // Back and forth, so that none is always the one that the machine has warmed up for.
    for (const contender of round % 2 === 1 ? taking : taking.toReversed()) {
      process.stderr.write(`round ${round}: ${contender.name}\n`);
      const running = await contender.start(a, b, lab.folder, lab);
      try {
        results.get(contender.name)?.push(await measure());
      } finally {
        await running.stop();
      }
    }
  }
  const report = table(taking, results, left);
  process.stdout.write(`${report}\n`);
  const readme = new URL('../../../bench/README.md', import.meta.url);
  if (options.write && options.encrypted) writePart(readme, 'encrypted', report, 'bench:datapath -- --encrypted');
  else if (options.write) writePart(readme, 'datapath', report);

  async function measure(): Promise<Figures> {
    const figures: Figures = new Map();
    const passes = async () => (await a.ping(ADDRESSES[1], { count: 1, timeoutMs: 300 })).received > 0;
    await until('a ping to pass', passes, { timeoutMs: 15_000 });
    const one = await tcp(a, b, 1, false);
    figures.set('TCP, 1 flow, Gbit/s', one.gbitPerSecond);
    figures.set('CPU seconds per Gbit', one.cpuPerGbit);
    if (!options.quick) {
      figures.set('TCP, 1 flow back, Gbit/s', (await tcp(a, b, 1, true)).gbitPerSecond);
      figures.set('TCP, 4 flows, Gbit/s', (await tcp(a, b, 4, false)).gbitPerSecond);
    }
    for (const size of SIZES) {
      figures.set(`frames of ${size} bytes, no loss, kpps`, await smallFrames(a, b, size));
    }
    figures.set('round trip, idle, µs', await roundTrip(a));
    return figures;
  }
} finally {
  await lab.dispose();
}
process.exit(0);

function isWanted({ name }: Contender): boolean {
  return options.only === undefined || options.only.split(',').some((wanted) => name.startsWith(wanted));
}

function isThere({ name, needs }: Contender, left: string[]): boolean {
  const missing = needs.filter((program) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) left.push(`${name} (no ${missing.join(', ')})`);
  return missing.length === 0;
}

function table(
  taking: readonly Contender[],
  results: ReadonlyMap<string, readonly Figures[]>,
  left: readonly string[],
): string {
  const names = [...results.keys()];
  const rows = [...(results.get(names[0] ?? '')?.[0]?.keys() ?? [])];
  const value = (name: string, row: string): number => median(results.get(name)!.map((figures) => figures.get(row)!));
  const cell = (name: string, row: string): string => {
    const against = taking.find((contender) => contender.name === name)?.against;
    const isThere = against != null && results.has(against);
    return `${format(value(name, row))}${isThere ? ` (${format(value(name, row) / value(against, row))})` : ''}`;
  };
  const lines = [
    `${describeMachine()}; ${options.rounds} rounds, medians; in brackets: of the kernel's VXLAN, and of Overlane kernel: of the one in a bridge.`,
    '',
    formatMarkdown([['', ...rows], ...names.map((name) => [name, ...rows.map((row) => cell(name, row))])]),
  ];
  if (options.encrypted) lines.push('', `Encrypted by ${wireguardVersion()}.`);
  if (left.length > 0) lines.push('', `Left out, not installed: ${left.join('; ')}.`);
  return lines.join('\n');
}

function format(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3);
}

function wireguardVersion(): string {
  return execFileSync('wireguard-go', ['--version'], { encoding: 'utf8', env: { PATH } }).split('\n')[0]!;
}
