/**
 * Memory that the kernel may see.
 *
 * A small typed array made by length lives on the JavaScript heap and can move; an address taken from it goes stale and corrupts
 * memory. So all that is handed to a system call comes out of an arena: one explicit `ArrayBuffer`, kept referenced, never resized.
 */
import koffi from 'koffi';

export class Arena {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** The address of byte 0. */
  readonly address: number;
  #used = 0;

  /** @param memory a buffer that never moves, or the size of a new one in bytes. */
  constructor(memory: ArrayBuffer | number) {
    const buffer = typeof memory === 'number' ? new ArrayBuffer(memory) : memory;
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.address = Number(koffi.address(this.bytes));
  }

  /** @returns the offset of `size` fresh zeroed bytes, aligned to 64 (a cache line, and more than any struct asks for). */
  take(size: number): number {
    const offset = (this.#used + 63) & ~63;
    if (offset + size > this.bytes.length) throw new RangeError(`arena of ${this.bytes.length} bytes is full`);
    this.#used = offset + size;
    return offset;
  }
}
