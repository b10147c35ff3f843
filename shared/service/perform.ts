/** `install` and `uninstall`, as far as they are the same for every service. */
import { existsSync, realpathSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { carryOut, hasSystemd, lookAtHost } from './carry-out.ts';
import type { HostFacts, Step } from './plan.ts';
import { HIDDEN_FOLDERS, packagedUnitPath, type Service, unitPath } from './service.ts';

export interface PerformOptions {
  readonly service: Service;
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** Of this process. */
  readonly uid: number;
  readonly plan: (host: HostFacts) => Step[];
  readonly print: (line: string) => void;
}

/** @throws Failure */
export function perform({ service, dryRun, uid, plan, print }: PerformOptions): void {
  if (!hasSystemd()) {
    throw new Failure(
      'failed',
      'this host is not run by systemd: have what starts programs here start this one (its --help says how it is set up)',
    );
  }
  const packaged = packagedUnitPath(service);
  if (existsSync(packaged) && !existsSync(unitPath(service))) {
    throw new Failure('configuration', `a package of this host's system has ${packaged}: leave it to that`);
  }
  if (dryRun) {
    for (const step of plan(lookAtHost(service))) print(wouldSay(step));
    return;
  }
  if (uid !== 0) throw new Failure('failed', 'this changes the host: run it as root, or with --dry-run');
  carryOut(plan(lookAtHost(service)), print);
}

/** @param script the file that this process was started with. @returns what runs it. @throws Failure where a service would not see that. */
export function serviceProgram(script: string): string[] {
  const program = [process.execPath, realpathSync(script)];
  const hidden = program.find((path) => HIDDEN_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  if (hidden === undefined) return program;
  throw new Failure(
    'configuration',
    `${hidden} is in a folder that services don't see: install it for the whole system (npm install --global --prefix /opt/overlane …)`,
  );
}

function wouldSay(step: Step): string {
  if (step.do === 'nothing') return step.say;
  return step.do === 'run' ? `would ${step.say}: ${step.argv.join(' ')}` : `would ${step.say}`;
}
