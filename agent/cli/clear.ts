/** `clear`: takes away what an agent left on this host that will not come back, and would have taken away itself if it had been stopped. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { readConfig } from '../config.ts';
import { configStateFolder, LOCK_FILE, readMembership } from '../control/state-folder.ts';
import { tryLockFile } from '../sys/lock.linux.ts';
import { removeLeftDevices } from '../wireguard/device.linux.ts';
import { EXIT_OK } from './exit-code.ts';
import { removeLeft, removeTunnelLeft } from './open-datapath.ts';
import { configIdentity } from './run-config.ts';
import type { ShowFlags } from './show.ts';

interface Left {
  readonly identity: string;
  readonly vtep: { readonly address: string | null; readonly port: number };
}

/** @throws Failure where the agent runs, or nobody knows which it was. */
export async function clearHost(flags: ShowFlags, uid: number, print: (line: string) => void): Promise<number> {
  const folder = flags.config === undefined ? resolve(flags.state) : await configStateFolder(flags.config, uid);
  const { identity, vtep } = await whoseIsLeft(flags, folder);
  const lockFile = join(folder, LOCK_FILE);
  // Where no agent has run there is none, and one of root's would be in the way of the first that does.
  const lock = existsSync(lockFile) ? tryLockFile(lockFile) : undefined;
  if (lock === null) throw new Failure('failed', `the agent runs on the state folder ${folder}: stop it first`);
  try {
    removeLeft(identity, vtep);
    removeTunnelLeft(identity);
    removeLeftDevices(identity);
  } finally {
    lock?.release();
  }
  print('nothing of this agent is left on this host but its state folder');
  return EXIT_OK;
}

async function whoseIsLeft(flags: ShowFlags, folder: string): Promise<Left> {
  if (flags.config !== undefined) {
    const { vtep } = await readConfig(flags.config, 1);
    return { identity: await configIdentity(flags.config), vtep };
  }
  const { site, vtep } = await readMembership(folder);
  return { identity: site, vtep };
}
