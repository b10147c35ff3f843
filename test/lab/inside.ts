/** Runs vitest inside the lab that `test/run.ts` entered. When this ends, all that the tests left behind does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithStarter, sharedFolder } from '../../demo/lab/enter.ts';
import { VITEST_ARGV } from './vitest-argv.ts';

endWithStarter(() => process.exit(1));
const [program, ...rest] = [...VITEST_ARGV, ...process.argv.slice(2)];
// The tests start hundreds of programs: each file of them is compiled once.
const env = { ...process.env, NODE_COMPILE_CACHE: join(sharedFolder(), 'compiled') };
const vitest = spawn(program ?? '', rest, { stdio: 'inherit', env });
// Ctrl-C reaches vitest too; this waits for how it ends.
process.on('SIGINT', () => undefined);
const [code] = await once(vitest, 'exit');
process.exit(code ?? 1);
