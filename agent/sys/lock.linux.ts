/** A lock on a file that goes with the process, however it ends: flock(2). */
import { checked, lastErrno, SysError } from './errno.linux.ts';
import { close, flock, O_CLOEXEC, O_CREAT, O_RDWR, open } from './libc.linux.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

export interface FileLock {
  release(): void;
}

/**
 * @returns the lock on `path` (made with mode 0600 if missing), or null where another process holds it.
 * @throws SysError where the file can't be opened.
 */
export function tryLockFile(path: string): FileLock | null {
  const fd = checked(`open ${path}`, open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600));
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return { release: () => void close(fd) };
  const error = new SysError(`flock ${path}`, lastErrno());
  close(fd);
  if (error.code === 'EAGAIN') return null;
  throw error;
}
