import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the key kept in the data folder, made (mode 0600) where there is none yet. */
export function keptOperatorKey(folder: string): { key: string; file: string; isNew: boolean } {
  const file = join(folder, 'operator-key');
  const key = randomBytes(32).toString('base64url');
  try {
    writeFileSync(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return { key, file, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return { key: readFileSync(file, 'utf8').trim(), file, isNew: false };
  }
}
