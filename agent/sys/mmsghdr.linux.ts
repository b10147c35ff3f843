/**
 * Arrays of `struct mmsghdr` (recvmmsg(2), sendmmsg(2)) on a 64-bit Linux, with the buffers and the control bytes they point to.
 *
 *      0      8         16    24       32        40           48      56       64
 *     +------+---------+-----+--------+---------+------------+-------+--------+
 *     | name | namelen | iov | iovlen | control | controllen | flags | length |
 *     +------+---------+-----+--------+---------+------------+-------+--------+
 *
 * Names, buffers and control bytes are offsets into the arena. A message takes a run of buffers, so that datagrams which lie apart can
 * go out as one train.
 */
import type { Arena } from './arena.linux.ts';

const MESSAGE_SIZE = 64;
const IOVEC_SIZE = 16;
const NAME_LENGTH = 8;
const IOV = 16;
const IOV_LENGTH = 24;
const CONTROL = 32;
const CONTROL_LENGTH = 40;
const TRANSFERRED = 56;

/** `struct cmsghdr`: length, level, type; then the value. */
const CONTROL_HEADER = 16;
/** What a control message with a number in it takes (CMSG_SPACE), the same for every size of number. */
const CONTROL_SPACE = 24;
const MAX_CONTROLS = 2;
const CONTROL_SIZE = MAX_CONTROLS * CONTROL_SPACE;

export class MessageArray {
  readonly capacity: number;
  readonly #arena: Arena;
  readonly #messages: number;
  readonly #buffers: number;
  readonly #control: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;

  /** @param capacity how many messages, and how many buffers in all. */
  constructor(arena: Arena, capacity: number) {
    this.capacity = capacity;
    this.#arena = arena;
    this.#messages = arena.take(capacity * MESSAGE_SIZE);
    this.#buffers = arena.take(capacity * IOVEC_SIZE);
    this.#control = arena.take(capacity * CONTROL_SIZE);
    this.#baseLow = arena.address % 2 ** 32;
    this.#baseHigh = Math.floor(arena.address / 2 ** 32);
  }

  /** The address of message `i`, for a call that begins with it. */
  addressOf(i: number): number {
    return this.#arena.address + this.#messages + i * MESSAGE_SIZE;
  }

  setBuffer(buffer: number, offset: number, length: number): void {
    const at = this.#buffers + buffer * IOVEC_SIZE;
    this.#setPointer(at, offset);
    this.#arena.view.setUint32(at + 8, length, true);
  }

  /** Message `i` is the bytes of `count` buffers from `firstBuffer` on, without control bytes. */
  setMessage(i: number, name: number, nameLength: number, firstBuffer: number, count: number): void {
    const at = this.#messages + i * MESSAGE_SIZE;
    this.#setPointer(at, name);
    this.#arena.view.setUint32(at + NAME_LENGTH, nameLength, true);
    this.#setPointer(at + IOV, this.#buffers + firstBuffer * IOVEC_SIZE);
    this.#arena.view.setUint32(at + IOV_LENGTH, count, true);
    this.#arena.view.setUint32(at + CONTROL_LENGTH, 0, true);
  }

  /**
   * Gives message `i`, once set, a control message more: at most `MAX_CONTROLS`.
   * @param bytes 2 or 4: how long the kernel wants the value.
   */
  addControl(i: number, level: number, type: number, bytes: number, value: number): void {
    const { view } = this.#arena;
    const length = this.#messages + i * MESSAGE_SIZE + CONTROL_LENGTH;
    const before = view.getUint32(length, true);
    const control = this.#control + i * CONTROL_SIZE + before;
    view.setUint32(control, CONTROL_HEADER + bytes, true);
    view.setUint32(control + 4, 0, true);
    view.setUint32(control + 8, level, true);
    view.setUint32(control + 12, type, true);
    view.setUint32(control + CONTROL_HEADER, value, true);
    this.expectControl(i);
    view.setUint32(length, before + CONTROL_SPACE, true);
  }

  /** Lets the kernel write control bytes for message `i`; said again before every call, since the kernel writes how many there were. */
  expectControl(i: number): void {
    const at = this.#messages + i * MESSAGE_SIZE;
    this.#setPointer(at + CONTROL, this.#control + i * CONTROL_SIZE);
    this.#arena.view.setUint32(at + CONTROL_LENGTH, CONTROL_SIZE, true);
  }

  /** The 32-bit value of the control message of that kind that came with message `i`, or 0 where none did; a shorter value is its low bytes. */
  controlValue(i: number, level: number, type: number): number {
    const { view } = this.#arena;
    let control = this.#control + i * CONTROL_SIZE;
    const end = control + view.getUint32(this.#messages + i * MESSAGE_SIZE + CONTROL_LENGTH, true);
    for (; control + CONTROL_HEADER < end; control += CONTROL_SPACE) {
      if (view.getUint32(control + 8, true) !== level || view.getUint32(control + 12, true) !== type) continue;
      return view.getUint32(control + CONTROL_HEADER, true);
    }
    return 0;
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
