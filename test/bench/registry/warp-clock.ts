/** A clock that can be made to run faster, so that agents live through ten minutes of an outage in seconds. */
interface Timer {
  readonly dueMs: number;
  readonly act: () => void;
  handle: NodeJS.Timeout;
}

export class WarpClock {
  #rate = 1;
  #realMs = performance.now();
  #warpedMs = Date.now();
  readonly #timers = new Set<Timer>();

  /** Milliseconds since 1970, as those who live by this clock see it. */
  readonly now = (): number => this.#warpedMs + (performance.now() - this.#realMs) * this.#rate;

  /** Calls `act` once when `ms` have passed on this clock, unless the returned function is called first. */
  readonly after = (ms: number, act: () => void): (() => void) => {
    const timer: Timer = { dueMs: this.now() + ms, act, handle: this.#arm(ms, () => this.#fire(timer)) };
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  };

  /** From now on `rate` seconds pass here in one. */
  run(rate: number): void {
    this.#warpedMs = this.now();
    this.#realMs = performance.now();
    this.#rate = rate;
    for (const timer of this.#timers) {
      clearTimeout(timer.handle);
      timer.handle = this.#arm(timer.dueMs - this.#warpedMs, () => this.#fire(timer));
    }
  }

  #arm(ms: number, act: () => void): NodeJS.Timeout {
    return setTimeout(act, Math.max(0, ms / this.#rate));
  }

  #fire(timer: Timer): void {
    this.#timers.delete(timer);
    timer.act();
  }
}
