/** Looks at the host, and does what a plan says. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../failure.ts';
import type { HostFacts, Step } from './plan.ts';
import { type Service, unitPath } from './service.ts';

/** These tools are in folders that a shell of `su` may lack. */
const PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

export function hasSystemd(): boolean {
  // sd_booted(3)
  return existsSync('/run/systemd/system');
}

/** @throws Error where the host can't be looked at. */
export function lookAtHost(service: Service): HostFacts {
  const { name, state, begun } = service;
  const { status, stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8', env: { PATH } });
  const uid = status === 0 ? Number(stdout.split(':')[2]) : null;
  const folder = statSync(state, { throwIfNoEntry: false });
  return {
    hasUser: uid !== null,
    unit: existsSync(unitPath(service)) ? readFileSync(unitPath(service), 'utf8') : null,
    stateOwner: folder === undefined ? null : folder.uid === uid ? 'service' : 'other',
    hasBegun: begun !== undefined && existsSync(join(state, begun)),
  };
}

/** Says each step, and does it. @throws Failure at the first that can't be done; those after it are left. */
export function carryOut(steps: readonly Step[], print: (line: string) => void): void {
  for (const step of steps) {
    print(step.say);
    try {
      if (step.do === 'write') writeFileSync(step.path, step.text, { mode: 0o644 });
      else if (step.do === 'remove') rmSync(step.path, { recursive: true, force: true });
      else if (step.do === 'run') run(step.argv, step.env);
    } catch (error) {
      throw new Failure('failed', `could not ${step.say}: ${reasonOf(error)}`, error);
    }
  }
}

function run([program = '', ...argv]: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  const stdio = ['ignore', 'inherit', 'pipe'] as const;
  const ended = spawnSync(program, argv, {
    stdio: [...stdio],
    encoding: 'utf8',
    env: { ...process.env, PATH, ...env },
  });
  if (ended.error !== undefined) throw ended.error;
  if (ended.status === 0) return;
  throw new Error(ended.stderr.trim() || `${program} ended with code ${ended.status}`);
}
