/** Runs vitest inside the lab that `test/run.ts` entered. When this ends, all that the tests left behind does. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endWithStarter, sharedFolder } from '../../demo/lab/enter.ts';
import { VITEST_ARGV } from './vitest-argv.ts';

// Before what removes the folder that it is in.
const memory = inMemory();
endWithStarter(() => process.exit(1));
const env = {
  ...process.env,
  TMPDIR: memory,
  // The tests start hundreds of programs: each file of them is compiled once.
  NODE_COMPILE_CACHE: join(sharedFolder(), 'compiled'),
};
const [program, ...rest] = [...VITEST_ARGV, ...process.argv.slice(2)];
const vitest = spawn(program ?? '', rest, { stdio: 'inherit', env });
// Ctrl-C reaches vitest too; this waits for how it ends.
process.on('SIGINT', () => undefined);
const [code] = await once(vitest, 'exit');
process.exit(code ?? 1);

/** @returns a folder for the tests' files: stores commit thousands of times, and none needs to wait for a disk. */
function inMemory(): string {
  const folder = join(sharedFolder(), 'memory');
  mkdirSync(folder);
  // Where it can't be had, the folder itself does.
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', folder]);
  if (status === 0) process.once('exit', () => spawnSync('umount', ['--lazy', folder]));
  return folder;
}
