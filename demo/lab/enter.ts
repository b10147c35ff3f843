/**
 * Runs a program in namespaces of its own: what it makes is nobody else's, needs no root, and is gone with it, even after kill -9.
 *
 * The program is the first process of a PID namespace: when it ends, the kernel kills all others in it, and with the last of them go
 * the network namespaces. It ends when its starter does, because it holds the other end of the starter's pipe (`endWithStarter`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { PATH } from './ip.ts';

/** The program's end of the starter's pipe. */
const LIFE_LINE = 3;

/** `ip netns` keeps its names in /run; /proc is the new PID namespace's where that is allowed. */
const SETTLE = [
  'mount -t tmpfs tmpfs /run',
  'ip link set lo up',
  '{ mount -t proc proc /proc 2>/dev/null || true; }',
  'exec "$0" "$@"',
].join(' && ');

/** What a command line is put behind, to run there. */
export const ENTER_ARGV: readonly string[] = [
  'unshare',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  ...['--net', '--mount', '--pid', '--fork', '--kill-child'],
  ...['sh', '-c', SETTLE],
];

/**
 * Starts a file of TypeScript there, with this process's standard streams.
 * @returns the process; `leave` asks it to end.
 */
export function enter(
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; leave(): void } {
  const [program, ...rest] = [...ENTER_ARGV, process.execPath, file, ...argv];
  const child = spawn(program ?? '', rest, {
    env: { ...process.env, PATH, ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const lifeLine = child.stdio[LIFE_LINE];
  lifeLine?.on('error', () => undefined);
  return { child, leave: () => lifeLine?.destroy() };
}

/** Inside: calls `end` when the starter is gone or asks for it. */
export function endWithStarter(end: () => void): void {
  const lifeLine = new Socket({ fd: LIFE_LINE, readable: true, writable: false });
  lifeLine.once('close', end);
  lifeLine.on('error', () => undefined);
  lifeLine.resume();
  lifeLine.unref();
}
