import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/hosts/node.ts', import.meta.url));

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** All that it said so far. */
  readonly output: () => string;
  /** Sends the signal and waits for the end. @returns the exit code, or the signal that ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | NodeJS.Signals>;
}

export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function launch(env: Record<string, string>, within: readonly string[] = []): ChildProcess {
  const { PATH = '' } = process.env;
  const [program, ...args] =
    within.length === 0 ? [process.execPath, MAIN] : [...within, `${process.execPath} ${MAIN}`];
  return spawn(program!, args, { env: { PATH, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * `npm start` in a process of its own, once it says that it is ready.
 * @param within a program that is given the command line as its last argument, and runs it.
 */
export async function gatewayProcess(env: Record<string, string>, within?: readonly string[]): Promise<GatewayProcess> {
  const child = launch(env, within);
  let output = '';
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk;
      const ready = /ready: (\S+)/.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    ended.then(([code]) => reject(new Error(`ended with ${code}: ${output}`)));
  });
  return {
    child,
    url,
    output: () => output,
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = await ended;
      return code ?? by!;
    },
  };
}

/** The same, for a start that must fail. */
export async function failedStart(env: Record<string, string>): Promise<Ended> {
  const child = launch(env);
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}
