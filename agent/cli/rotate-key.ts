/** `rotate-key`: gives the site another key, by the agent that runs, or without one. */
import { join, resolve } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { type ClientOptions, rotateKey } from '../control/client.ts';
import { KeyRing } from '../control/key-ring.ts';
import { askLocalApi } from '../control/local-api.ts';
import { checkSocketPath, LOCK_FILE, openStateFolder, readMembership, SOCKET_FILE } from '../control/state-folder.ts';
import { tryLockFile } from '../sys/lock.linux.ts';
import { EXIT_OK } from './exit-code.ts';
import { openGateway } from './gateway.ts';

export interface RotateKeyFlags {
  readonly state: string;
  /** The key that frames are encrypted by, instead of the one that the site is known by. */
  readonly wireguard?: boolean;
  readonly allowPlainHttp: boolean;
  readonly ca?: string;
}

/** @throws Failure */
export async function rotateSiteKey(
  flags: RotateKeyFlags,
  uid: number,
  print: (line: string) => void,
): Promise<number> {
  const folder = await openStateFolder(flags.state, uid);
  const lock = tryLockFile(join(folder, LOCK_FILE));
  if (lock === null) {
    checkSocketPath(folder);
    if (flags.wireguard === true) {
      const { publicKey } = await askLocalApi(join(folder, SOCKET_FILE), '/rotate-wireguard-key');
      print(`Began: the site goes over to the WireGuard key ${publicKey}; status says when its peers have followed.`);
      return EXIT_OK;
    }
    const { publicKey } = await askLocalApi(join(folder, SOCKET_FILE), '/rotate-key');
    print(`Rotated: the site's public key is now ${publicKey}.`);
    return EXIT_OK;
  }
  try {
    if (flags.wireguard === true) {
      throw new Failure(
        'failed',
        'the agent does not run: a WireGuard key is changed while it does, so that nothing is lost',
      );
    }
    const { gateway, site, ...membership } = await readMembership(folder);
    const allowPlainHttp = membership.allowPlainHttp || flags.allowPlainHttp;
    const caPath = flags.ca === undefined ? membership.caPath : resolve(flags.ca);
    const keys = await KeyRing.open(folder);
    const connection = await openGateway({ gateway, allowPlainHttp, caPath });
    try {
      const publicKey = await rotate({ ...connection, privateKey: keys.current.privateKey }, site, keys);
      print(`Rotated: the site's public key is now ${publicKey}.`);
      return EXIT_OK;
    } finally {
      connection.transport.close();
    }
  } finally {
    lock.release();
  }
}

/** @returns the new public key. @throws Failure where the gateway did not say that it took it; then nothing is lost by trying again. */
export async function rotate(options: ClientOptions, site: string, keys: KeyRing): Promise<string> {
  const answer = await rotateKey(options, site, await keys.prepare());
  if (answer.kind === 'refused') throw new Failure('refused', `the gateway refuses (${answer.code}): ${answer.detail}`);
  if (answer.kind === 'unavailable') {
    throw new Failure('unreachable', `no answer from ${options.origin}: ${answer.reason}; try again`);
  }
  return keys.current.publicKey;
}
