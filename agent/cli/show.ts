/** `status`, `fdb` and `counters`: what a running agent says, as JSON or as text for people. */
import { join } from 'node:path';
import { askLocalApi, type LocalApi } from '../control/local-api.ts';
import { checkSocketPath, configStateFolder, SOCKET_FILE } from '../control/state-folder.ts';
import { EXIT_FAILED, EXIT_OK } from './exit-code.ts';
import { formatCounters } from './format-counters.ts';
import { formatFdb } from './format-fdb.ts';
import { formatStatus } from './format-status.ts';

export interface ShowFlags {
  readonly state: string;
  /** The file of an agent that runs by one. */
  readonly config?: string;
  readonly json: boolean;
}

type Print = (text: string) => void;

/** @returns 0 where the agent is in step, else 1. */
export async function showStatus(flags: ShowFlags, uid: number, print: Print): Promise<number> {
  const status = await ask(flags, uid, '/status');
  print(flags.json ? JSON.stringify(status, null, 2) : formatStatus(status, Date.now()));
  return status.inStep ? EXIT_OK : EXIT_FAILED;
}

export async function showFdb(flags: ShowFlags, uid: number, print: Print): Promise<number> {
  const fdb = await ask(flags, uid, '/fdb');
  print(flags.json ? JSON.stringify(fdb, null, 2) : formatFdb(fdb.networks));
  return EXIT_OK;
}

export async function showCounters(flags: ShowFlags, uid: number, print: Print): Promise<number> {
  const counters = await ask(flags, uid, '/counters');
  print(flags.json ? JSON.stringify(counters, null, 2) : formatCounters(counters));
  return EXIT_OK;
}

async function ask<Path extends keyof LocalApi>(flags: ShowFlags, uid: number, path: Path): Promise<LocalApi[Path]> {
  const folder = flags.config === undefined ? flags.state : await configStateFolder(flags.config, uid);
  checkSocketPath(folder);
  return askLocalApi(join(folder, SOCKET_FILE), path);
}
