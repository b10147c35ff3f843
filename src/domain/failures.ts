/**
 * How often wrong credentials may come from one address. One that comes again and again (a deleted site's agent that goes on asking) is
 * counted against itself and, once in a period, against its address: so its neighbours behind one NAT are not locked out by it, and whoever
 * tries many is, as before.
 */
import { type Rate, TokenBuckets } from './rate-limit.ts';

/** Who comes with a credential. */
export interface Claimant {
  /** As domain/client-address has it. */
  readonly address: string;
  /** What names the credential and is no secret: the id of a key or a session, the head of an agent's token. Null: not known. */
  readonly credential: string | null;
}

/**
 * @returns what a bearer's or a cookie's secret says that it is, or null where it doesn't say. Of what has neither form nothing is taken: it
 * may be the operator's key, mistyped.
 */
export function nameOfCredential(credential: string): string | null {
  return /^(ol[ks]_[A-Za-z0-9]{1,40})_|^(eyJ[A-Za-z0-9_-]{1,300})\./.exec(credential)?.slice(1).find(Boolean) ?? null;
}

export function nameOf({ address, credential }: Claimant): string {
  return credential === null ? address : `${address} ${credential}`;
}

/** Says of a failure whether it is the first of its claimant's in the period, and so counts against the address. */
export class FirstFailures {
  readonly #firsts: TokenBuckets;

  constructor({ limit, periodSeconds }: Rate) {
    this.#firsts = new TokenBuckets({ limit: Math.min(limit, 1), periodSeconds });
  }

  isFirst(by: Claimant, now: number): boolean {
    return by.credential === null || this.#firsts.take(nameOf(by), now) === 0;
  }
}
