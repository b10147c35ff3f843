/** `--threads`: how many threads forward. */
import * as v from 'valibot';

const MOST = 16;

export const ThreadsSchema = v.pipe(
  v.string(),
  v.regex(/^\d+$/, `must be a number from 1 to ${MOST}`),
  v.transform(Number),
  v.minValue(1, `must be a number from 1 to ${MOST}`),
  v.maxValue(MOST, `must be a number from 1 to ${MOST}`),
);

/**
 * One where there are up to three cores, since the kernel's half of the work and the host's own programs need theirs; else one for every
 * two, up to four.
 */
export function defaultThreads(cores: number): number {
  return cores < 4 ? 1 : Math.min(4, cores >> 1);
}
