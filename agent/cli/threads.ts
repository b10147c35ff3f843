/**
 * How many threads forward unless it is said: one where there are up to three cores, since the kernel's part of the work and the host's own
 * programs need theirs; else one for every two, up to four.
 */
export function defaultThreads(cores: number): number {
  return cores < 4 ? 1 : Math.min(4, cores >> 1);
}
