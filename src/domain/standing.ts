/** Whether a site's table of a network is the registry's, by what its agent last said. */
import { type Digest, formatDigest, subtractFromDigest } from '../contract/digest.ts';
import type { StepState } from '../contract/topology.ts';

export interface Standing {
  /** False where its peers don't see it, as of a disabled site: it is given no table. */
  readonly isLive: boolean;
  /** Of the table that it should have. */
  readonly revision: number;
  /** Null where it has said nothing of the network yet. */
  readonly said: {
    readonly revision: number;
    readonly digest: string;
    readonly error: string | null;
    readonly heldRemovals: number | null;
  } | null;
}

/**
 * @param kind of its site
 * @param digest over all of the network; `hash` is of the site's own entry, which it is not given
 */
export function stepOf(
  { isLive, revision, said }: Standing,
  { kind, hash }: { readonly kind: 'agent' | 'static'; readonly hash: number },
  digest: number,
): StepState {
  if (kind === 'static' || !isLive) return 'none';
  if (said === null) return 'unknown';
  if (said.error !== null) return 'error';
  if (said.revision < revision) return 'behind';
  return said.digest === formatDigest(subtractFromDigest(digest as Digest, hash as Digest)) ? 'in_step' : 'differs';
}
