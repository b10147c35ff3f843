/** Runs vitest inside the lab that `test/run.ts` entered. When this ends, all that the tests left behind does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { endWithStarter } from '../../demo/lab/enter.ts';
import { VITEST_ARGV } from './vitest-argv.ts';

endWithStarter(() => process.exit(1));
const [program, ...rest] = [...VITEST_ARGV, ...process.argv.slice(2)];
const vitest = spawn(program ?? '', rest, { stdio: 'inherit' });
// Ctrl-C reaches vitest too; this waits for how it ends.
process.on('SIGINT', () => undefined);
const [code] = await once(vitest, 'exit');
process.exit(code ?? 1);
