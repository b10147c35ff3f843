/** How much one caller may ask: a bucket of tokens each, full at first and filled evenly, one token a request. */

export interface Rate {
  /** So many requests at once, and so many in each period. Zero: as many as there are. */
  readonly limit: number;
  readonly periodSeconds: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** Beyond so many callers the one that was heard least recently is forgotten, and begins anew with a full bucket. */
const MAX_BUCKETS = 100_000;

export class TokenBuckets {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /**
   * Takes a token, where there is one.
   *
   * @returns 0, or how many seconds it takes until there is one.
   */
  take(caller: string, now: number): number {
    const wait = this.waitOf(caller, now);
    if (wait > 0 || this.#rate.limit === 0) return wait;
    const tokens = this.#tokensOf(caller, now) - 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { tokens, at: now });
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return 0;
  }

  /** The same, without taking it. */
  waitOf(caller: string, now: number): number {
    const { limit, periodSeconds } = this.#rate;
    if (limit === 0) return 0;
    const missing = 1 - this.#tokensOf(caller, now);
    return missing <= 0 ? 0 : Math.ceil((missing * periodSeconds) / limit);
  }

  #tokensOf(caller: string, now: number): number {
    const { limit, periodSeconds } = this.#rate;
    const bucket = this.#buckets.get(caller);
    if (bucket === undefined) return limit;
    // A clock that was set back gives nothing.
    const seconds = Math.max(0, now - bucket.at) / 1000;
    return Math.min(limit, bucket.tokens + (seconds * limit) / periodSeconds);
  }
}
