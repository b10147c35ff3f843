/** Whether a site's table of a network is the registry's, by what its agent last said. */
import type { NetworkReport } from '../contract/agent.ts';
import { formatDigest } from '../contract/digest.ts';
import type { StepState } from '../contract/topology.ts';
import { digestGiven, isBlind, type NetworkSum, type SiteHashes } from './site-wireguard.ts';

/** How a site said that it stands in a network. */
export interface Said {
  readonly revision: number;
  readonly digest: string;
  readonly error: string | null;
  readonly heldRemovals: number | null;
}

/** The same as it is kept: VNI, revision, digest, error, held removals. */
export type KeptStanding = readonly [number, number, string, string | null, number | null];

export function standingIn({ vni, revision, digest, error, heldRemovals }: NetworkReport): KeptStanding {
  return [vni, revision, digest, error ?? null, heldRemovals ?? null];
}

export function saidIn([, revision, digest, error, heldRemovals]: KeptStanding): Said {
  return { revision, digest, error, heldRemovals };
}

export interface Standing {
  /** False where its peers don't see it, as of a disabled site: it is given no table. */
  readonly isLive: boolean;
  /** Of the table that it should have. */
  readonly revision: number;
  /** Null where it has said nothing of the network yet. */
  readonly said: Said | null;
}

/**
 * @param site whose it is
 * @param network that it is in
 */
export function stepOf(
  { isLive, revision, said }: Standing,
  site: SiteHashes & { readonly kind: 'agent' | 'static' },
  network: NetworkSum,
): StepState {
  if (site.kind === 'static' || !isLive) return 'none';
  if (isBlind(site, network)) return 'error';
  if (said === null) return 'unknown';
  if (said.error !== null) return 'error';
  if (said.revision < revision) return 'behind';
  return said.digest === formatDigest(digestGiven(site, network)) ? 'in_step' : 'differs';
}
