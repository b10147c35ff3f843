/**
 * The folder an agent keeps: its key, what it joined, its last good table, its lock and its socket. Nobody else may look into it.
 *
 * The lock's file stays when the agent goes: only the lock on it counts, and to remove a name that another process is just opening
 * would let two agents hold "the" lock on two files of that name.
 */

import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, realpath } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { errorCode, Failure, reasonOf } from '../../shared/failure.ts';
import { describeFaults } from '../../shared/faults.ts';
import { NameSchema, UdpPortSchema, UnicastIpSchema } from '../../src/contract/primitives.ts';
import { replaceFile } from './atomic-file.ts';

export const LOCK_FILE = 'lock';
export const SOCKET_FILE = 'agent.sock';
const MEMBERSHIP_FILE = 'agent.json';

/** `sun_path` (unix(7)) is 108 bytes with the closing NUL; beyond that the kernel takes no socket's name. */
const SOCKET_PATH_BYTES = 107;

/** What the site joined, and how it reaches it. */
export const MembershipSchema = v.strictObject({
  gateway: v.string(),
  /** The site's id. */
  site: v.string(),
  /** The tenant's slug. */
  tenant: v.string(),
  name: NameSchema,
  vtep: v.strictObject({
    /** As the gateway knows it. */
    address: UnicastIpSchema,
    port: UdpPortSchema,
  }),
  /** A file of certificates, or null for the system's alone. */
  caPath: v.nullable(v.string()),
  allowPlainHttp: v.boolean(),
});
export type Membership = v.InferOutput<typeof MembershipSchema>;

/** Where the state is when nobody says: the system's place for root, the user's own otherwise. */
export function defaultStateFolder(uid: number, xdgStateHome: string | undefined): string {
  if (uid === 0) return '/var/lib/overlane-agent';
  return join(xdgStateHome || join(homedir(), '.local/state'), 'overlane-agent');
}

/**
 * Where an agent without a gateway has its lock and socket: a private folder named by the configuration's real path, so that
 * `status --config FILE` finds it, whatever the path is called by.
 */
export async function configStateFolder(configPath: string, uid: number): Promise<string> {
  const path = await realpath(configPath).catch((error: unknown) => {
    throw new Failure('configuration', `--config ${configPath} can't be read (${errorCode(error)})`, error);
  });
  return join(tmpdir(), `overlane-agent-${uid}-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`);
}

/**
 * Makes the folder where it is missing.
 * @returns its absolute path.
 * @throws Failure where it can't be made, is no folder, or others own it or may look into it.
 */
export async function openStateFolder(folder: string, uid: number): Promise<string> {
  const path = resolve(folder);
  checkSocketPath(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const stats = await lstat(path);
    if (!stats.isDirectory()) throw new Failure('configuration', `${path} is not a folder of its own: name another`);
    if (stats.uid !== uid)
      throw new Failure('configuration', `${path} belongs to user ${stats.uid}: name another folder`);
    if ((stats.mode & 0o077) !== 0) {
      throw new Failure('configuration', `${path} is open to others: chmod 700 it, or name another folder`);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('failed', `the state folder ${path} can't be used (${reasonOf(error)}): name another`, error);
  }
  return path;
}

/** @throws Failure where a socket in that folder would have too long a name. */
export function checkSocketPath(folder: string): void {
  if (Buffer.byteLength(join(folder, SOCKET_FILE)) <= SOCKET_PATH_BYTES) return;
  throw new Failure('configuration', `the state folder's path is too long for a socket in it: ${folder}`);
}

/** @throws Failure where no site has joined here, or the file is not one of ours. */
export async function readMembership(folder: string): Promise<Membership> {
  const path = join(folder, MEMBERSHIP_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT')
      throw new Failure('failed', `${path} can't be read (${errorCode(error)})`, error);
    throw new Failure(
      'configuration',
      `no site has joined with the state folder ${folder}: run overlane-agent join first`,
    );
  }
  const parsed = v.safeParse(MembershipSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  throw new Failure('configuration', `${path} is damaged (${describeFaults(parsed.issues)[0]}): join again`);
}

export async function writeMembership(folder: string, membership: Membership): Promise<void> {
  await replaceFile(join(folder, MEMBERSHIP_FILE), `${JSON.stringify(membership, null, 2)}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
