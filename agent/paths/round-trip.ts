/** How long an answer takes, smoothed, and how long to wait for one (RFC 6298 §2). */

const ALPHA = 1 / 8;
const BETA = 1 / 4;
const DEVIATIONS = 4;
/** A thread that is busy, here or there, may take so long to look. */
const GRANULARITY_MS = 50;

export class RoundTrip {
  #smoothedMs: number | null = null;
  #deviationMs = 0;

  /** In milliseconds; null before the first. */
  get ms(): number | null {
    return this.#smoothedMs;
  }

  take(ms: number): void {
    if (this.#smoothedMs === null) {
      this.#smoothedMs = ms;
      this.#deviationMs = ms / 2;
      return;
    }
    this.#deviationMs += BETA * (Math.abs(this.#smoothedMs - ms) - this.#deviationMs);
    this.#smoothedMs += ALPHA * (ms - this.#smoothedMs);
  }

  /** What took another way may take another time. */
  forget(): void {
    this.#smoothedMs = null;
  }

  /** After how many milliseconds what has not come is lost; `least` while nothing is known. */
  timeoutMs({ least, most }: { readonly least: number; readonly most: number }): number {
    if (this.#smoothedMs === null) return least;
    const expected = this.#smoothedMs + Math.max(GRANULARITY_MS, DEVIATIONS * this.#deviationMs);
    return Math.min(most, Math.max(least, expected));
  }
}
