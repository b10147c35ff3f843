/** So many a second in the long run, and as many at once. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Takes one where there is one. @param now seconds on a clock that never goes back. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (now - this.#filledAt) * this.#perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
