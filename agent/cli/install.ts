/** `install` and `uninstall`: the agent as a service of systemd. */
import { resolve } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { perform, serviceProgram } from '../../shared/service/perform.ts';
import { type InstallOptions, planAgentInstall, planAgentUninstall } from '../service/plan.ts';
import { AGENT_SERVICE } from '../service/unit.ts';
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
  const options: InstallOptions = { program: serviceProgram(script), join: joinOf(flags) };
  const plan = (host: Parameters<typeof planAgentInstall>[0]) => planAgentInstall(host, options);
  perform({ service: AGENT_SERVICE, dryRun: flags.dryRun, uid, plan, print });
  return EXIT_OK;
}

/** @param script the file that this process was started with. @throws Failure */
export function uninstallService({ dryRun, purge }: UninstallFlags, uid: number, script: string, print: Print): number {
  const program = [process.execPath, resolve(script)];
  perform({
    service: AGENT_SERVICE,
    dryRun,
    uid,
    plan: (host) => planAgentUninstall(host, { program, purge }),
    print,
  });
  return EXIT_OK;
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
