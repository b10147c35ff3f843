/** Bytes for tests: written as hex, and laid into memory that is dirty, so that what nobody set shows. */

import { foldSum, sumBytes } from '../../agent/wire/checksum.ts';
import type { ChecksumMemory } from '../../agent/wire/checksum-memory.ts';

export const DIRT = 0xa5;

/** @returns the bytes that the hex digits say; all else in the text is only for the eye. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(/[^0-9a-f]/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @returns what `write` leaves in `length` dirty bytes, given a view and where they start. Nothing around them may change. */
export function written(length: number, write: (view: DataView, offset: number) => void): Uint8Array {
  const around = 7;
  const bytes = new Uint8Array(length + 2 * around).fill(DIRT);
  write(viewOf(bytes), around);
  const outside = [...bytes.subarray(0, around), ...bytes.subarray(around + length)];
  if (outside.some((byte) => byte !== DIRT)) throw new Error('wrote outside its bytes');
  return bytes.slice(around, around + length);
}

/** @returns `bytes` amid dirt, and where they start: a reader that uses a wrong offset gets dirt. */
export function amid(bytes: Uint8Array): {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly offset: number;
} {
  const offset = 64;
  const around = new Uint8Array(bytes.length + 2 * offset).fill(DIRT);
  around.set(bytes, offset);
  return { view: viewOf(around), bytes: around, offset };
}

/** Memory of exactly these bytes, whose sums are made by script: a step outside throws. */
export function memoryOf(bytes: Uint8Array): ChecksumMemory {
  const view = viewOf(bytes);
  const sum = (offset: number, length: number): number => foldSum(sumBytes(view, offset, length, 0));
  const copy = (to: number, from: number, length: number): number => {
    const copied = sum(from, length);
    bytes.copyWithin(to, from, from + length);
    return copied;
  };
  return { bytes, view, sum, copy };
}
