/** `install` and `uninstall`: the agent as a service of systemd. */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { carryOut, hasSystemd, lookAtHost } from '../service/carry-out.ts';
import { type InstallOptions, planInstall, planUninstall, type Step } from '../service/plan.ts';
import { HIDDEN_FOLDERS, PACKAGED_UNIT_PATH, UNIT_PATH } from '../service/unit.ts';
import { EXIT_OK } from './exit-code.ts';

export interface InstallFlags {
  readonly dryRun: boolean;
  readonly gateway?: string;
  readonly token?: string;
  readonly name: string;
  readonly vtepAddress?: string;
  readonly vtepPort: number;
  readonly allowPlainHttp: boolean;
  readonly ca?: string;
}

export interface UninstallFlags {
  readonly dryRun: boolean;
  readonly purge: boolean;
}

type Print = (line: string) => void;

/** @param script the file that this process was started with. @throws Failure */
export function installService(flags: InstallFlags, uid: number, script: string, print: Print): number {
  checkSystemd();
  const program = [process.execPath, realpathSync(script)];
  const hidden = program.find((path) => HIDDEN_FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  if (hidden !== undefined) {
    const what = `${hidden} is in a folder that services don't see`;
    throw new Failure(
      'configuration',
      `${what}: install it for the whole system (npm install --global --prefix /opt/overlane …)`,
    );
  }
  const options: InstallOptions = { program, join: joinOf(flags) };
  return perform(flags, uid, () => planInstall(lookAtHost(), options), print);
}

/** @throws Failure */
export function uninstallService(flags: UninstallFlags, uid: number, print: Print): number {
  return perform(flags, uid, () => planUninstall(lookAtHost(), flags), print);
}

function perform({ dryRun }: { readonly dryRun: boolean }, uid: number, plan: () => Step[], print: Print): number {
  checkSystemd();
  if (existsSync(PACKAGED_UNIT_PATH) && !existsSync(UNIT_PATH)) {
    throw new Failure('configuration', `a package of this host's system has ${PACKAGED_UNIT_PATH}: leave it to that`);
  }
  if (dryRun) {
    for (const step of plan()) print(step.do === 'run' ? `would ${step.say}: ${step.argv.join(' ')}` : wouldSay(step));
    return EXIT_OK;
  }
  if (uid !== 0) throw new Failure('failed', 'this changes the host: run it as root, or with --dry-run');
  carryOut(plan(), print);
  return EXIT_OK;
}

function checkSystemd(): void {
  if (hasSystemd()) return;
  throw new Failure(
    'failed',
    'this host is not run by systemd: have what starts programs here run `overlane-agent run`',
  );
}

function wouldSay(step: Step): string {
  return step.do === 'nothing' ? step.say : `would ${step.say}`;
}

/** The token is not among the flags: whoever lists this host's processes would see it. */
function joinOf(flags: InstallFlags): InstallOptions['join'] {
  const { gateway, token, name, vtepAddress, vtepPort, allowPlainHttp, ca } = flags;
  if (gateway === undefined && token === undefined) return null;
  if (gateway === undefined || token === undefined) {
    throw new Failure('configuration', 'to join, both --gateway and --token are needed');
  }
  const words = ['--gateway', gateway, '--name', name, '--vtep-port', String(vtepPort)];
  if (vtepAddress !== undefined) words.push('--vtep-address', vtepAddress);
  if (allowPlainHttp) words.push('--allow-plain-http');
  if (ca !== undefined) words.push('--ca', resolve(ca));
  return { flags: words, token };
}
