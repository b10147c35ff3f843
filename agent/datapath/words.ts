/**
 * 32-bit words of a table that one thread has to itself, or that several threads share.
 *
 * Shared words are read and written by `Atomics` alone. These are sequentially consistent, so what several threads do to them is some
 * interleaving of their reads and writes, and whoever writes a protocol over them may think in interleavings. A thread's own words
 * are plain ones, and cost no more than an array.
 *
 * Word 0 is a lock, for whoever changes more than one word. It is taken for a few hundred nanoseconds at a time.
 */
export interface Words {
  /** The words themselves where they are one thread's own, for loops that can't do with a call for each. */
  readonly own: Int32Array | null;
  read(at: number): number;
  write(at: number, value: number): void;
  /** Waits, in the kernel where it takes long: the thread that holds the lock may have been put to rest with it. */
  lock(): void;
  /** @returns false where another thread holds the lock. */
  tryLock(): boolean;
  unlock(): void;
}

/** The lock's word. What else is in the words is their user's. */
export const LOCK = 0;
const FREE = 0;
const HELD = 1;
/** Held, and somebody waits in the kernel. */
const WAITED_FOR = 2;
/** How often it is tried before the thread rests: longer than anybody holds it who runs. */
const SPINS = 200;

export class PlainWords implements Words {
  readonly own: Int32Array;

  constructor(words: Int32Array) {
    this.own = words;
  }

  read(at: number): number {
    return this.own[at]!;
  }

  write(at: number, value: number): void {
    this.own[at] = value;
  }

  lock(): void {}

  tryLock(): boolean {
    return true;
  }

  unlock(): void {}
}

export class SharedWords implements Words {
  readonly own = null;
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  read(at: number): number {
    return Atomics.load(this.#words, at);
  }

  write(at: number, value: number): void {
    Atomics.store(this.#words, at, value);
  }

  /** A mutex over a futex (U. Drepper, "Futexes Are Tricky", 2011, §5). */
  lock(): void {
    for (let spin = 0; spin < SPINS; spin++) if (this.tryLock()) return;
    while (Atomics.exchange(this.#words, LOCK, WAITED_FOR) !== FREE) Atomics.wait(this.#words, LOCK, WAITED_FOR);
  }

  tryLock(): boolean {
    return Atomics.compareExchange(this.#words, LOCK, FREE, HELD) === FREE;
  }

  unlock(): void {
    if (Atomics.exchange(this.#words, LOCK, FREE) === WAITED_FOR) Atomics.notify(this.#words, LOCK, 1);
  }
}
