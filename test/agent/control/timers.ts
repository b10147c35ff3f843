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
    while (this.#fireNext(end));
    this.nowMs = end;
  }

  /** The same, with all that follows from each of these happenings before the next. */
  async passSettled(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    await settled();
    while (this.#fireNext(end)) await settled();
    this.nowMs = end;
  }

  #fireNext(end: number): boolean {
    const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.nowMs = next.at;
    next.act();
    return true;
  }
}

/** What waits for nothing but its turn has had it. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
