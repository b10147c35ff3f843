/**
 * The line by which a unit file says that it is as `install` wrote it. What somebody else wrote, or changed since, is not ours to replace
 * or remove: it would be lost.
 */
import { createHash } from 'node:crypto';

const WORDS = '# Written by `install`, and replaced by it: changes of yours belong in `systemctl edit`.';

/** @returns the text of the unit file behind the mark. */
export function marked(unit: string): string {
  return `${markOf(unit)}\n${unit}`;
}

/** @returns true where a file has the very text that `marked` made. */
export function isAsWritten(file: string): boolean {
  const end = file.indexOf('\n');
  return end >= 0 && file.slice(0, end) === markOf(file.slice(end + 1));
}

function markOf(unit: string): string {
  return `${WORDS} ${createHash('sha256').update(unit).digest('hex').slice(0, 16)}`;
}
