/** Files that are either the old or the new whole, also when the power goes in between. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const FILE_MODE = 0o600;

/** Puts `text` in the place of `path` (mode 0600), durably. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeThen(path, text, (temporary) => rename(temporary, path));
}

/**
 * Makes `path` (mode 0600) with `text`, durably and whole, and never over a file that is there.
 * @throws with code `EEXIST` where there is one.
 */
export async function createFile(path: string, text: string): Promise<void> {
  // A link, unlike an exclusive open, also makes sure that nobody ever sees half a file.
  await writeThen(path, text, async (temporary) => {
    await link(temporary, path);
    await unlink(temporary);
  });
}

async function writeThen(path: string, text: string, place: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await withFile(await open(temporary, 'wx', FILE_MODE), async (file) => {
      await file.writeFile(text);
      await file.sync();
    });
    await place(temporary);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes names that were given, changed or taken in a folder durable: they are the folder's data. */
export async function syncFolder(path: string): Promise<void> {
  await withFile(await open(path, 'r'), (folder) => folder.sync());
}

async function withFile(file: FileHandle, use: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
