/**
 * The site's WireGuard keys. They are made here and never leave; on disk they lie in a file that only the agent's user can read.
 *
 * There is one, or two while the site moves from one to the other: peers send to the first. The list on disk says how far that is, so a
 * crash at any moment is gone on from.
 */
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { UdpPortSchema } from '../../src/contract/primitives.ts';
import { MAX_WIREGUARD_KEYS, WireguardKeySchema } from '../../src/contract/wireguard.ts';
import { replaceFile } from './atomic-file.ts';
import { readSecretFile } from './secret-file.ts';

export const WIREGUARD_KEY_FILE = 'wireguard.json';

const KeyPairSchema = v.strictObject({
  /** In base64, as WireGuard's own tools write it. */
  publicKey: WireguardKeySchema,
  privateKey: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/)),
  /** UDP, where this key's packets are taken. */
  port: UdpPortSchema,
  /** Milliseconds since 1970. */
  madeAt: v.number(),
});
export type WireguardKeyPair = v.InferOutput<typeof KeyPairSchema>;

const FileSchema = v.strictObject({
  keys: v.pipe(v.array(KeyPairSchema), v.minLength(1), v.maxLength(MAX_WIREGUARD_KEYS)),
});

export function newWireguardKey(port: number, now: number): WireguardKeyPair {
  const { d, x } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: toBase64(x!), privateKey: toBase64(d!), port, madeAt: now };
}

/** The keys that are there, or a first one on that port. @throws Failure where others can read them, or they are none. */
export async function openWireguardKeys(
  folder: string,
  port: number,
  now: number,
): Promise<readonly WireguardKeyPair[]> {
  const path = join(folder, WIREGUARD_KEY_FILE);
  const text = await readSecretFile(path, 'delete it, and the site gets another key');
  if (text === null) {
    const keys = [newWireguardKey(port, now)];
    await saveWireguardKeys(folder, keys);
    return keys;
  }
  // What a parser says of it can quote it, so it is not passed on.
  const parsed = v.safeParse(FileSchema, tryParse(text));
  if (parsed.success) return parsed.output.keys;
  throw new Failure('configuration', `${path} is damaged: delete it, and the site gets another key`);
}

/** On disk for certain when it resolves. */
export async function saveWireguardKeys(folder: string, keys: readonly WireguardKeyPair[]): Promise<void> {
  await replaceFile(join(folder, WIREGUARD_KEY_FILE), `${JSON.stringify({ keys })}\n`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toBase64(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('base64');
}
