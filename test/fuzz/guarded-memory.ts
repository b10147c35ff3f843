/**
 * Packet memory that says what is wrong: it throws where a byte is read that nobody wrote since the last `fill`, or where anything is
 * touched in the red zones around what is used.
 */
import { type ChecksumMemory, createChecksumMemory } from '../../agent/wire/checksum-memory.ts';

/** Bytes before and behind each used part that nobody may touch. */
export const RED_ZONE = 256;

/** @param parts how many bytes each has. @returns the memory, and where each part starts. */
export function createGuardedMemory(...parts: readonly number[]): {
  readonly memory: ChecksumMemory;
  readonly starts: readonly number[];
} {
  const starts: number[] = [];
  let end = RED_ZONE;
  for (const size of parts) {
    starts.push(end);
    end += size + RED_ZONE;
  }
  const isUsable = new Uint8Array(end);
  for (const [i, size] of parts.entries()) isUsable.fill(1, starts[i]!, starts[i]! + size);
  const guard = new Guard(isUsable);
  const { bytes, sum, copy } = createChecksumMemory(end);
  const memory: ChecksumMemory = {
    bytes: new GuardedBytes(bytes.buffer, guard),
    view: new GuardedView(bytes.buffer, guard),
    sum: (offset, length) => {
      guard.read(offset, length);
      return sum(offset, length);
    },
    copy: (to, from, length) => {
      guard.read(from, length);
      guard.write(to, length);
      return copy(to, from, length);
    },
  };
  return { memory, starts };
}

class Guard {
  readonly #isUsable: Uint8Array;
  readonly #isWritten: Uint8Array;

  constructor(isUsable: Uint8Array) {
    this.#isUsable = isUsable;
    this.#isWritten = new Uint8Array(isUsable.length);
  }

  forget(): void {
    this.#isWritten.fill(0);
  }

  read(at: number, length: number): void {
    for (let i = at; i < at + length; i++) {
      if (this.#isWritten[i] !== 1) throw new Error(`read byte ${i}, which nobody wrote, of ${length} at ${at}`);
    }
  }

  write(at: number, length: number): void {
    for (let i = at; i < at + length; i++) {
      if (this.#isUsable[i] !== 1) throw new Error(`wrote byte ${i} in a red zone, of ${length} at ${at}`);
      this.#isWritten[i] = 1;
    }
  }
}

/** As much of a Uint8Array as packets are handled with. */
class GuardedBytes extends Uint8Array<ArrayBuffer> {
  readonly #guard: Guard;

  constructor(buffer: ArrayBuffer, guard: Guard) {
    super(buffer);
    this.#guard = guard;
  }

  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  override set(from: ArrayLike<number>, at = 0): void {
    this.#guard.write(at, from.length);
    super.set(from, at);
  }

  override copyWithin(target: number, start: number, end = this.length): this {
    this.#guard.read(start, end - start);
    this.#guard.write(target, end - start);
    return super.copyWithin(target, start, end);
  }

  override slice(start = 0, end = this.length): Uint8Array<ArrayBuffer> {
    this.#guard.read(start, end - start);
    return super.slice(start, end);
  }

  /** All of it: nothing is written any more. */
  override fill(value: number): this {
    this.#guard.forget();
    return super.fill(value);
  }
}

class GuardedView extends DataView<ArrayBuffer> {
  readonly #guard: Guard;

  constructor(buffer: ArrayBuffer, guard: Guard) {
    super(buffer);
    this.#guard = guard;
  }

  override getUint8(at: number): number {
    this.#guard.read(at, 1);
    return super.getUint8(at);
  }

  override getUint16(at: number, littleEndian?: boolean): number {
    this.#guard.read(at, 2);
    return super.getUint16(at, littleEndian);
  }

  override getUint32(at: number, littleEndian?: boolean): number {
    this.#guard.read(at, 4);
    return super.getUint32(at, littleEndian);
  }

  override getInt32(at: number, littleEndian?: boolean): number {
    this.#guard.read(at, 4);
    return super.getInt32(at, littleEndian);
  }

  override setUint8(at: number, value: number): void {
    this.#guard.write(at, 1);
    super.setUint8(at, value);
  }

  override setUint16(at: number, value: number, littleEndian?: boolean): void {
    this.#guard.write(at, 2);
    super.setUint16(at, value, littleEndian);
  }

  override setUint32(at: number, value: number, littleEndian?: boolean): void {
    this.#guard.write(at, 4);
    super.setUint32(at, value, littleEndian);
  }
}
