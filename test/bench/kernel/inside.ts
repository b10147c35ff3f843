/** The bench inside its namespaces. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { missingForKernel } from '../../../agent/kernel/probe.ts';
import { endWithStarter } from '../../../demo/lab/enter.ts';
import type { Site } from '../../../demo/lab/site.ts';
import { createLab } from '../../../demo/lab.ts';
import { describeMachine, formatMarkdown, median, writePart } from '../report.ts';
import type { Measured } from './measure.ts';

const MEASURE = fileURLToPath(new URL('./measure.ts', import.meta.url));

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    networks: { type: 'string', default: '100' },
    macs: { type: 'string', default: '100' },
    write: { type: 'boolean', default: false },
  },
});

endWithStarter(() => process.exit(130));
const missing = missingForKernel();
if (missing !== null) {
  process.stderr.write(`The bench can't run here. Missing: ${missing}\n`);
  process.exit(1);
}
const lab = await createLab();
try {
  const [site] = (await lab.sites('a')) as [Site];
  const rounds: Measured[] = [];
  for (let round = 1; round <= Number(options.rounds); round++) {
    process.stderr.write(`round ${round}\n`);
    rounds.push(JSON.parse(await site.exec([process.execPath, MEASURE, site.v4, options.networks, options.macs])));
  }
  const report = table(rounds);
  process.stdout.write(`${report}\n`);
  if (options.write) writePart(new URL('../../../bench/README.md', import.meta.url), 'kernel', report);
} finally {
  await lab.dispose();
}
process.exit(0);

function table(rounds: readonly Measured[]): string {
  const all = Number(options.networks) * Number(options.macs);
  const what = `${all.toLocaleString('en')} MACs over ${options.networks} networks`;
  const ms = (pick: (measured: Measured) => number): string => {
    const value = median(rounds.map(pick)) * 1000;
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  };
  return [
    `${describeMachine()}; ${options.rounds} rounds, medians. Each round did both, in one process after the other.`,
    '',
    formatMarkdown([
      ['', 'Overlane', 'iproute2 -batch', 'aimed at'],
      [
        `${what}, from nothing`,
        ms(({ ours }) => ours.atOnce),
        ms(({ iproute2 }) => iproute2.devices + iproute2.entries),
        '2000 ms',
      ],
      ['the entries alone', ms(({ ours }) => ours.entries), ms(({ iproute2 }) => iproute2.entries), ''],
      ['the same again: read, and nothing to do', ms(({ ours }) => ours.again), '', ''],
      ['one MAC that moved', ms(({ ours }) => ours.one), ms(({ iproute2 }) => iproute2.one), ''],
      ['messages for that', String(Math.max(...rounds.map(({ ours }) => ours.messagesOfOne))), '1', '1'],
    ]),
  ].join('\n');
}
