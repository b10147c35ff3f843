/**
 * Captured frames on their way from the data path's thread to the main one: a ring of records in shared memory, one writer, one reader.
 * The writer never waits; where there is no room it counts a drop.
 *
 *      0         4         8        16        24     28          29        30          31        32           …
 *     +---------+---------+--------+---------+------+-----------+---------+-----------+---------+-----------+-------+
 *     | record  | frame   | time   | dropped | port | from kind | its len | to kind   | its len | from, to  | frame |
 *     +---------+---------+--------+---------+------+-----------+---------+-----------+---------+-----------+-------+
 *
 * `port` is two 16-bit numbers, of `from` and of `to`. A record is contiguous and begins at a multiple of 8; one of length 0 says that the
 * next is at the start of the ring.
 */
import type { CapturedFrame, CapturePlace } from './datapath.ts';

const HEAD = 0;
const TAIL = 1;
/** In doubles. */
const DROPPED = 1;
const RING_HEADER = 16;

const FRAME_LENGTH = 4;
const TIME = 8;
const DROPPED_BEFORE = 16;
const FROM_PORT = 24;
const TO_PORT = 26;
const FROM_KIND = 28;
const FROM_LENGTH = 29;
const TO_KIND = 30;
const TO_LENGTH = 31;
const RECORD_HEADER = 32;

export const PLACE_HERE = 0;
export const PLACE_PORT = 1;
export const PLACE_VTEP = 2;

/** One read takes no more than this, so that it never holds up the event loop for long. */
const MAX_READ_BYTES = 1024 * 1024;

export function createCaptureRing(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(RING_HEADER + (bytes & ~7));
}

/** Both ends see the ring so. */
class Ring {
  protected readonly heads: Int32Array;
  protected readonly totals: Float64Array;
  protected readonly view: DataView;
  protected readonly bytes: Uint8Array;

  constructor(ring: SharedArrayBuffer) {
    this.heads = new Int32Array(ring, 0, 2);
    this.totals = new Float64Array(ring, 0, 2);
    this.view = new DataView(ring, RING_HEADER);
    this.bytes = new Uint8Array(ring, RING_HEADER);
  }
}

export class CaptureRingWriter extends Ring {
  /**
   * @param fromKind PLACE_HERE, PLACE_PORT or PLACE_VTEP, with its name or address in ASCII, and its UDP port.
   * @param time microseconds since 1970.
   * @param frame the bytes that are kept. @param length of the whole frame.
   */
  write(
    time: number,
    fromKind: number,
    from: string,
    fromPort: number,
    toKind: number,
    to: string,
    toPort: number,
    frame: Uint8Array,
    length: number,
  ): void {
    const size = (RECORD_HEADER + from.length + to.length + frame.length + 7) & ~7;
    const at = this.#reserve(size);
    if (at < 0) {
      this.totals[DROPPED]! += 1;
      return;
    }
    const view = this.view;
    view.setUint32(at, RECORD_HEADER + from.length + to.length + frame.length, true);
    view.setUint32(at + FRAME_LENGTH, length, true);
    view.setFloat64(at + TIME, time, true);
    view.setFloat64(at + DROPPED_BEFORE, this.totals[DROPPED]!, true);
    view.setUint16(at + FROM_PORT, fromPort, true);
    view.setUint16(at + TO_PORT, toPort, true);
    view.setUint8(at + FROM_KIND, fromKind);
    view.setUint8(at + FROM_LENGTH, from.length);
    view.setUint8(at + TO_KIND, toKind);
    view.setUint8(at + TO_LENGTH, to.length);
    const text = at + RECORD_HEADER;
    for (let i = 0; i < from.length; i++) view.setUint8(text + i, from.charCodeAt(i));
    for (let i = 0; i < to.length; i++) view.setUint8(text + from.length + i, to.charCodeAt(i));
    this.bytes.set(frame, text + from.length + to.length);
    Atomics.store(this.heads, HEAD, (at + size) % this.bytes.length);
  }

  /** @returns where a record of that size may be written; -1 where there is no room. Head and tail meet only where the ring is empty. */
  #reserve(size: number): number {
    const head = this.heads[HEAD]!;
    const tail = Atomics.load(this.heads, TAIL);
    const end = this.bytes.length;
    if (head < tail) return size < tail - head ? head : -1;
    if (size < end - head || (size === end - head && tail > 0)) return head;
    if (size >= tail) return -1;
    // What is left at the end is not used.
    this.view.setUint32(head, 0, true);
    return 0;
  }
}

export class CaptureRingReader extends Ring {
  get dropped(): number {
    return this.totals[DROPPED]!;
  }

  read(): CapturedFrame[] {
    const frames: CapturedFrame[] = [];
    const head = Atomics.load(this.heads, HEAD);
    let at = this.heads[TAIL]!;
    for (let taken = 0; at !== head && taken < MAX_READ_BYTES; ) {
      const length = this.view.getUint32(at, true);
      if (length === 0) {
        at = 0;
        continue;
      }
      frames.push(this.#frameAt(at, length));
      taken += length;
      at = (at + ((length + 7) & ~7)) % this.bytes.length;
    }
    Atomics.store(this.heads, TAIL, at);
    return frames;
  }

  #frameAt(at: number, length: number): CapturedFrame {
    const view = this.view;
    const fromEnd = at + RECORD_HEADER + view.getUint8(at + FROM_LENGTH);
    const toEnd = fromEnd + view.getUint8(at + TO_LENGTH);
    const from = this.#place(view.getUint8(at + FROM_KIND), at + RECORD_HEADER, fromEnd, at + FROM_PORT);
    const to = this.#place(view.getUint8(at + TO_KIND), fromEnd, toEnd, at + TO_PORT);
    return {
      time: view.getFloat64(at + TIME, true),
      from: from ?? 'agent',
      to: to ?? 'flood',
      length: view.getUint32(at + FRAME_LENGTH, true),
      bytes: this.bytes.slice(toEnd, at + length),
      dropped: view.getFloat64(at + DROPPED_BEFORE, true),
    };
  }

  #place(kind: number, start: number, end: number, portAt: number): CapturePlace | null {
    if (kind === PLACE_HERE) return null;
    const text = String.fromCharCode(...this.bytes.subarray(start, end));
    return kind === PLACE_PORT ? { port: text } : { vtep: { address: text, port: this.view.getUint16(portAt, true) } };
  }
}
