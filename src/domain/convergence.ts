/** Whether sites have come as far as a revision of their tenant. */

export interface Progress {
  /** What the site's table of the network should be by now. */
  readonly revision: number;
  readonly digest: string;
  /** What the site said that it has; null where it has said nothing. */
  readonly applied: { readonly revision: number; readonly digest: string } | null;
}

/**
 * A site that is not up to date may still be in step with an older revision; one that is has to have the registry's digest too. What was
 * changed up to `revision` is what the network's own revision says, where that is the lower one.
 */
export function isInStep({ revision: current, digest, applied }: Progress, revision: number): boolean {
  if (applied === null || applied.revision < Math.min(revision, current)) return false;
  return applied.revision < current || applied.digest === digest;
}
