/** Root in a service's state folder. */
import { statSync } from 'node:fs';

/**
 * Where root works in a folder that is another user's, the rest of this process runs as that user: what it makes there shall be that
 * user's, and root has no business in a folder that somebody else can change.
 * @returns the user that this process now is.
 */
export function actAsOwner(folder: string, uid: number): number {
  const owner = statSync(folder, { throwIfNoEntry: false });
  if (uid !== 0 || owner === undefined || owner.uid === 0) return uid;
  process.setgroups?.([]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
  return owner.uid;
}
