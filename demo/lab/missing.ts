/** What this machine lacks for a lab, in words that say what to do. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { ENTER_ARGV } from './enter.ts';
import { PATH } from './ip.ts';

const TUN = '/dev/net/tun';

/** Settings of the kernel that forbid namespaces, with the value that does and one that does not. */
const SETTINGS = [
  ['kernel.unprivileged_userns_clone', '0', '1'],
  ['kernel.apparmor_restrict_unprivileged_userns', '1', '0'],
  ...['user', 'net', 'mnt', 'pid'].map((kind) => [`user.max_${kind}_namespaces`, '0', '10000'] as const),
] as const;

/** Tries to enter a lab. @returns what is missing for it, or null. Takes some 30 ms. */
export function missingForLab(): string | null {
  if (process.platform !== 'linux') return `network namespaces: they are Linux's, and this is ${process.platform}`;
  const [program, ...argv] = [...ENTER_ARGV, 'ip', 'netns', 'add', 'try'];
  const { error, status, stderr } = spawnSync(program ?? '', argv, { encoding: 'utf8', env: { ...process.env, PATH } });
  if (status === 0) return null;
  if (error !== undefined) return '`unshare`: install the package util-linux';
  const said = stderr.trim().replaceAll('\n', '; ');
  if (/\bip: .*(not found|no such file|permission denied)/i.test(said)) return '`ip`: install the package iproute2';
  const hints = SETTINGS.filter(([name, forbids]) => setting(name) === forbids).map(
    ([name, forbids, allows]) => `${name} is ${forbids} (as root: sysctl -w ${name}=${allows})`,
  );
  if (hints.length === 0) {
    hints.push(process.getuid?.() === 0 ? 'CAP_SYS_ADMIN, which a container often lacks' : 'user namespaces, or root');
  }
  return `${hints.join('; ')} (unshare said: ${said})`;
}

/** @returns what is missing to make a TAP, or null. */
export function missingForTap(): string | null {
  if (!existsSync(TUN)) return `${TUN}: load the kernel module tun, or give the container the device`;
  try {
    accessSync(TUN, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return `access to ${TUN} (as root: chmod 666 ${TUN}, as most systems have it)`;
  }
}

function setting(name: string): string | null {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
  } catch {
    return null;
  }
}
