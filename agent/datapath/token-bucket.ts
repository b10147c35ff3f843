/** So many a second in the long run, and as many at once; over all threads where its state is shared. */
import type { Words } from './words.ts';

/** The state: how many are taken that have not come back yet, and when that was so. Zeros are a full bucket. */
const TAKEN = 0;
const AT = 1;

export class TokenBucket {
  static readonly BYTES = 2 * Float64Array.BYTES_PER_ELEMENT;
  readonly #perSecond: number;
  readonly #state: Float64Array;
  readonly #lock: Pick<Words, 'lock' | 'unlock'> | null;

  /** @param lock held while the state is looked at and changed, where others do so too. */
  constructor(
    perSecond: number,
    state: Float64Array = new Float64Array(2),
    lock: Pick<Words, 'lock' | 'unlock'> | null = null,
  ) {
    this.#perSecond = perSecond;
    this.#state = state;
    this.#lock = lock;
  }

  /** Takes one where there is one. @param now seconds on a clock that never goes back. */
  take(now: number): boolean {
    this.#lock?.lock();
    const isThere = this.#take(now);
    this.#lock?.unlock();
    return isThere;
  }

  #take(now: number): boolean {
    const state = this.#state;
    // Another thread's clock may have been read a moment later.
    const passed = Math.max(0, now - state[AT]!);
    const taken = Math.max(0, state[TAKEN]! - passed * this.#perSecond);
    state[AT] = Math.max(now, state[AT]!);
    const isThere = taken + 1 <= this.#perSecond;
    state[TAKEN] = isThere ? taken + 1 : taken;
    return isThere;
  }
}
