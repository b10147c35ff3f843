/**
 * What `npm test` runs: all tests by vitest, inside a lab (`demo/lab/enter.ts`), so that the system tests need no root, touch nothing
 * of this machine's network, and leave nothing. Where a lab can't be had, all but the system tests run, and it says what is missing.
 * Arguments are vitest's: `npm test -- --project unit digest`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { enter } from '../demo/lab/enter.ts';
import { missingForLab, missingForTap } from '../demo/lab/missing.ts';
import { VITEST_ARGV } from './lab/vitest-argv.ts';

const argv = process.argv.slice(2);
const missing = missingForLab();
process.exitCode = missing === null ? await runInLab() : await runWithout(missing);
const skipped = missing ?? missingForTap();
const which = missing === null ? 'The system tests that need TAP devices' : 'The system tests';
if (skipped !== null) console.error(`\n${which} were skipped. Missing: ${skipped}\n`);

async function runInLab(): Promise<number> {
  const { child, leave } = enter(fileURLToPath(new URL('./lab/inside.ts', import.meta.url)), argv);
  // Ctrl-C reaches vitest too, which then ends as it likes to; a second one is not so patient.
  process.once('SIGINT', () => process.once('SIGINT', leave));
  process.once('SIGTERM', leave);
  const [code] = await once(child, 'exit');
  leave();
  return code ?? 1;
}

async function runWithout(what: string): Promise<number> {
  const [program, ...rest] = [...VITEST_ARGV, ...argv];
  const env = { ...process.env, OVERLANE_LAB_MISSING: what };
  const [code] = await once(spawn(program ?? '', rest, { stdio: 'inherit', env }), 'exit');
  return code ?? 1;
}
