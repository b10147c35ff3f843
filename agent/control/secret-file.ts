/** Files that only their owner may look into. */
import { open } from 'node:fs/promises';
import { errorCode, Failure } from '../../shared/failure.ts';

/**
 * @param remedy what to do about one that others can read.
 * @returns the text, or null where there is no such file. @throws Failure where others can read it, or we can't.
 */
export async function readSecretFile(path: string, remedy: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) === 0) return await file.readFile('utf8');
      throw new Failure('configuration', `${path} can be read by others: ${remedy}`);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (errorCode(error) === 'ENOENT') return null;
    throw new Failure('failed', `${path} can't be read (${errorCode(error)})`, error);
  }
}
