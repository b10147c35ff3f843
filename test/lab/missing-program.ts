/** Tests that need a program which not every machine has. */
import { spawnSync } from 'node:child_process';
import { PATH } from '../../demo/lab/ip.ts';

/** @returns null where the program is there; else what to add to the title of a test that is skipped for want of it. */
export function missingProgram(program: string, package_: string): string | null {
  const { error } = spawnSync(program, ['--version'], { env: { PATH } });
  return error === undefined ? null : ` [skipped, missing: \`${program}\`: install the package ${package_}]`;
}
