/**
 * Arrays of `struct mmsghdr` (recvmmsg(2), sendmmsg(2)) on a 64-bit Linux, each message with one buffer.
 *
 *      0      8         16    24       32        40           48      56       64
 *     +------+---------+-----+--------+---------+------------+-------+--------+
 *     | name | namelen | iov | iovlen | control | controllen | flags | length |
 *     +------+---------+-----+--------+---------+------------+-------+--------+
 */
import type { Arena } from './arena.linux.ts';

const MESSAGE_SIZE = 64;
const IOVEC_SIZE = 16;
const NAME_LENGTH = 8;
const IOV = 16;
const IOV_LENGTH = 24;
const TRANSFERRED = 56;

export class MessageArray {
  readonly capacity: number;
  /** The address of the first message. */
  readonly address: number;
  readonly #arena: Arena;
  readonly #messages: number;
  readonly #iovecs: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;

  /** @param arena also where the names and buffers lie, given as offsets. */
  constructor(arena: Arena, capacity: number) {
    this.capacity = capacity;
    this.#arena = arena;
    this.#messages = arena.take(capacity * MESSAGE_SIZE);
    this.#iovecs = arena.take(capacity * IOVEC_SIZE);
    this.#baseLow = arena.address % 2 ** 32;
    this.#baseHigh = Math.floor(arena.address / 2 ** 32);
    this.address = arena.address + this.#messages;
    for (let i = 0; i < capacity; i++) {
      const message = this.#messages + i * MESSAGE_SIZE;
      this.#setPointer(message + IOV, this.#iovecs + i * IOVEC_SIZE);
      arena.view.setUint32(message + IOV_LENGTH, 1, true);
    }
  }

  /** Where to begin, for a call that goes on after message `i`. */
  addressOf(i: number): number {
    return this.address + i * MESSAGE_SIZE;
  }

  set(i: number, name: number, nameLength: number, buffer: number, length: number): void {
    const message = this.#messages + i * MESSAGE_SIZE;
    const iovec = this.#iovecs + i * IOVEC_SIZE;
    this.#setPointer(message, name);
    this.#arena.view.setUint32(message + NAME_LENGTH, nameLength, true);
    this.#setPointer(iovec, buffer);
    this.#arena.view.setUint32(iovec + 8, length, true);
  }

  /** How many bytes the kernel moved for message `i`. */
  transferred(i: number): number {
    return this.#arena.view.getUint32(this.#messages + i * MESSAGE_SIZE + TRANSFERRED, true);
  }

  /** Writes the address of arena byte `offset` as 64 bits, without a BigInt. */
  #setPointer(at: number, offset: number): void {
    const low = this.#baseLow + offset;
    this.#arena.view.setUint32(at, low >>> 0, true);
    this.#arena.view.setUint32(at + 4, low >= 2 ** 32 ? this.#baseHigh + 1 : this.#baseHigh, true);
  }
}
