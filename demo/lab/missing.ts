/** What this machine lacks for a lab, in words that say what to do. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { ENTER_ARGV } from './enter.ts';
import { PATH } from './ip.ts';

const TUN = '/dev/net/tun';

/** Settings of the kernel that keep an ordinary user from a user namespace, with the value that allows it. */
const SETTINGS = [
  ['kernel.unprivileged_userns_clone', '1'],
  ['kernel.apparmor_restrict_unprivileged_userns', '0'],
] as const;

/** Tries to enter a lab. @returns what is missing for it, or null. Takes some 30 ms. */
export function missingForLab(): string | null {
  if (process.platform !== 'linux') return `network namespaces: they are Linux's, and this is ${process.platform}`;
  const [program, ...argv] = [...ENTER_ARGV, 'ip', 'netns', 'add', 'try'];
  const { error, status, stderr } = spawnSync(program ?? '', argv, { encoding: 'utf8', env: { ...process.env, PATH } });
  if (status === 0) return null;
  if (error !== undefined) return '`unshare`: install the package util-linux';
  const said = stderr.trim().replaceAll('\n', '; ');
  if (/\bip: (not found|.*no such file)/i.test(said)) return '`ip`: install the package iproute2';
  const found = SETTINGS.map(([name, wanted]) => ({ name, wanted, is: setting(name) }));
  const hints = found
    .filter(({ is, wanted }) => is !== null && is !== wanted)
    .map(({ name, wanted, is }) => `${name} is ${is} (as root: sysctl -w ${name}=${wanted})`);
  if (setting('user.max_user_namespaces') === '0') {
    hints.push('user.max_user_namespaces is 0 (as root: sysctl -w user.max_user_namespaces=10000)');
  }
  const who = process.getuid?.() === 0 ? 'CAP_SYS_ADMIN, which a container often has not' : 'user namespaces, or root';
  return [`namespaces are not allowed here (unshare said "${said}")`, ...hints, `needed: ${who}`].join('; ');
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
