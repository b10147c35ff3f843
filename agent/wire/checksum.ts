/**
 * The Internet checksum (RFC 1071): the one's complement of the one's-complement sum of 16-bit words.
 *
 * The words are added in pairs of 32 bits, and the carries brought back in once at the end (RFC 1071 §2, deferred carries): the sum
 * of a packet stays far below the 2^53 that a double counts exactly.
 */

/** @returns `initial` plus the words of `length` bytes at `offset`, unfolded: a number below 2^53. */
export function sumBytes(view: DataView, offset: number, length: number, initial: number): number {
  let sum = initial;
  const end = offset + length;
  let at = offset;
  for (; at + 4 <= end; at += 4) sum += view.getUint32(at);
  if (at + 2 <= end) {
    sum += view.getUint16(at);
    at += 2;
  }
  // The last odd byte counts as the high half of a word.
  if (at < end) sum += view.getUint8(at) << 8;
  return sum;
}

/** @returns the sum folded to 16 bits. */
export function foldSum(sum: number): number {
  // `>>> 0` is the remainder of 2^32: a remainder of doubles would be a call into the C library.
  const low = sum >>> 0;
  let folded = (low & 0xffff) + (low >>> 16) + Math.floor(sum / 0x1_0000_0000);
  folded = (folded & 0xffff) + (folded >>> 16);
  return (folded & 0xffff) + (folded >>> 16);
}

/** @returns the checksum that goes into the field which was zero while summing. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}
