/** A site's Ed25519 key. The private half is made here, stays here, and is never written anywhere else. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { Failure } from '../../shared/failure.ts';
import { createFile } from './atomic-file.ts';
import { readSecretFile } from './secret-file.ts';

export interface Identity {
  /** 32 bytes, base64url: what the gateway knows the site by. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

export const KEY_FILE = 'key.pem';
/** A key that the gateway may or may not have taken: see key-ring.ts. */
export const NEXT_KEY_FILE = 'key.next.pem';

/** @throws Failure where there is no key, others can read it, or it is no Ed25519 key. */
export async function readIdentity(folder: string): Promise<Identity> {
  const identity = await tryReadIdentity(join(folder, KEY_FILE));
  if (identity === null) throw new Failure('configuration', `${join(folder, KEY_FILE)} is missing: join again`);
  return identity;
}

/** The key that is there, or a new one; a key that is there is never overwritten. */
export async function readOrCreateIdentity(folder: string, name: string = KEY_FILE): Promise<Identity> {
  const path = join(folder, name);
  const existing = await tryReadIdentity(path);
  if (existing !== null) return existing;
  const { privateKey } = generateKeyPairSync('ed25519');
  await createFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return identityOf(privateKey);
}

/** @returns null where there is none. @throws Failure where others can read it, or it is no Ed25519 key. */
export async function tryReadIdentity(path: string): Promise<Identity | null> {
  const pem = await readSecretFile(path, 'chmod 600 it, or delete it and join again');
  if (pem === null) return null;
  // What the parser says of a broken key can quote it, so it is not passed on.
  const broken = () => new Failure('configuration', `${path} is not an Ed25519 key: delete it and join again`);
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw broken();
  }
  if (key.asymmetricKeyType !== 'ed25519') throw broken();
  return identityOf(key);
}

function identityOf(privateKey: KeyObject): Identity {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { publicKey: x!, privateKey };
}
