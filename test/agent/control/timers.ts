/** Time in a test's hands. */
export class Timers {
  nowMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  readonly after = (ms: number, act: () => void): (() => void) => {
    const timer = { at: this.nowMs + ms, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets `ms` milliseconds pass, and everything happen in them that is due. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.nowMs = next.at;
      next.act();
    }
    this.nowMs = end;
  }
}
