/** iproute2. */
import { run } from './program.ts';

/** `ip` is in a folder that an ordinary user's PATH may lack. */
export const PATH = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Runs commands of `ip` in one go, in a namespace if named. @throws Error with what `ip` said and the line it was. */
export async function ip(namespace: string | null, ...commands: readonly string[]): Promise<string> {
  const argv = ['ip', ...(namespace === null ? [] : ['-n', namespace]), '-batch', '-'];
  try {
    return await run(argv, { input: `${commands.join('\n')}\n`, env: { PATH } });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${commands.map((line, i) => `  ${i + 1}: ip ${line}`).join('\n')}`);
  }
}
