/**
 * Which packets a path carries, found by asking with packets of that size (RFC 8899 in spirit): first the size that the networks need, since
 * that is the question; then the largest that can leave this host, since mostly it passes; then between what passed and what did not. A size
 * does not pass where it was lost so often in a row while small ones were answered. Sizes are bytes of IP packet.
 */

/** RFC 8899 §5.1.2: MAX_PROBES. */
const TRIES = 3;
/** What every path of IPv6 carries (RFC 8200 §5), and about every one of IPv4. */
const USUAL_FLOOR = 1280;

export interface MtuBounds {
  /** What is asked with in any case, so that it passes where anything does. */
  readonly smallest: number;
  /** What the networks need. */
  readonly needed: number;
  /** What can leave this host. */
  readonly ceiling: number;
}

export class MtuSearch {
  /** The largest size that passes, by the last search that came to its end; null before the first. */
  mtu: number | null = null;
  readonly #bounds: MtuBounds;
  /** The largest that passed, and the smallest that did not. */
  #passed: number;
  #failed: number;
  /** The mtu is asked for again. */
  #isChecking = false;
  #lost = 0;

  constructor(bounds: MtuBounds) {
    this.#bounds = bounds;
    this.#passed = bounds.smallest;
    this.#failed = bounds.ceiling + 1;
  }

  get bounds(): MtuBounds {
    return this.#bounds;
  }

  /** The size to ask with next; null while there is nothing to find out. */
  get next(): number | null {
    if (this.#isChecking) return this.mtu;
    const [low, high] = [this.#passed, this.#failed];
    if (high - low <= 1) return null;
    const { needed, ceiling } = this.#bounds;
    if (needed > low && needed < high) return needed;
    if (high > ceiling) return ceiling;
    return USUAL_FLOOR > low && USUAL_FLOOR < high ? USUAL_FLOOR : Math.floor((low + high) / 2);
  }

  /** Whether the needed size passes; null while that is not known. */
  get carriesNeeded(): boolean | null {
    const { needed } = this.#bounds;
    if (this.#passed >= needed || this.#failed <= needed) return this.#passed >= needed;
    return this.mtu === null ? null : this.mtu >= needed;
  }

  /** The size that was asked for passed. */
  answered(size: number): void {
    if (size !== this.next) return;
    this.#lost = 0;
    if (this.#isChecking) this.#isChecking = false;
    else this.#passed = size;
    this.#end();
  }

  /** It did not come back. @param certainly it can't pass: it did not even leave this host. */
  lost(size: number, certainly = false): void {
    if (size !== this.next) return;
    this.#lost++;
    if (this.#lost < TRIES && !certainly) return;
    this.#lost = 0;
    // A path that carries less than it did is looked at anew.
    if (this.#isChecking) this.search();
    this.#failed = Math.min(this.#failed, size);
    this.#end();
  }

  /** Begins anew; `mtu` stays what it is until the end. */
  search(): void {
    this.#isChecking = false;
    this.#lost = 0;
    this.#passed = this.#bounds.smallest;
    this.#failed = this.#bounds.ceiling + 1;
  }

  /** Asks whether the mtu still passes, and only then for more. */
  check(): void {
    if (this.next === null && this.mtu !== null && this.mtu > this.#bounds.smallest) this.#isChecking = true;
  }

  #end(): void {
    if (!this.#isChecking && this.#failed - this.#passed <= 1) this.mtu = this.#passed;
  }
}
