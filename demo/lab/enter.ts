/**
 * Runs a program in namespaces of its own: what it makes is nobody else's, needs no root, and is gone with it, even after kill -9.
 *
 * The program is the first process of a PID namespace: when it ends, the kernel kills all others in it, and with the last of them go
 * the network namespaces. It ends when its starter does, because it holds the other end of the starter's pipe (`endWithStarter`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATH } from './ip.ts';

/** The program's end of the starter's pipe. */
const LIFE_LINE = 3;
/** The environment variable that names the folder both sides see. */
const FOLDER = 'OVERLANE_LAB_FOLDER';
const REMOVE = { recursive: true, force: true } as const;

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

export interface Entered {
  readonly child: ChildProcess;
  /** For files that both sides see; it is the program's `TMPDIR`, and goes when the program ends. */
  readonly folder: string;
  /** Asks the program to end. */
  leave(): void;
}

/** Starts a file of TypeScript there, with this process's standard streams. */
export function enter(file: string, argv: readonly string[]): Entered {
  const [program, ...rest] = [...ENTER_ARGV, process.execPath, file, ...argv];
  const folder = mkdtempSync(join(tmpdir(), 'overlane-'));
  const child = spawn(program ?? '', rest, {
    env: { ...process.env, PATH, TMPDIR: folder, [FOLDER]: folder },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  child.once('exit', () => rmSync(folder, REMOVE));
  const lifeLine = child.stdio[LIFE_LINE];
  lifeLine?.on('error', () => undefined);
  return { child, folder, leave: () => lifeLine?.destroy() };
}

/** Inside: calls `end` when the starter is gone or asks for it; the folder goes with this process. */
export function endWithStarter(end: () => Promise<void> | void): void {
  process.once('exit', () => rmSync(sharedFolder(), REMOVE));
  const lifeLine = new Socket({ fd: LIFE_LINE, readable: true, writable: false });
  lifeLine.once('close', end);
  lifeLine.on('error', () => undefined);
  lifeLine.resume();
  lifeLine.unref();
}

/** Inside: `Entered.folder`. */
export function sharedFolder(): string {
  const folder = process.env[FOLDER];
  if (folder === undefined) throw new Error(`${FOLDER} is not set: this program is started by another one only`);
  return folder;
}
