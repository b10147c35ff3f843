/**
 * The Internet checksum (RFC 1071): the one's complement of the one's-complement sum of 16-bit words.
 *
 * Words are added in pairs of 32 bits, and the carries brought back in once at the end (RFC 1071 §2, deferred carries): the sum of a
 * packet stays far below the 2^53 that a double counts exactly.
 */

/** What one pass of the inner loop takes; and how much before its sums of 16-bit halves could pass 2^31. */
const BLOCK = 16;
const MAX_RUN = 65_536;

/** @returns `initial` plus the words of `length` bytes at `offset`, unfolded: a number below 2^53. */
export function sumBytes(view: DataView, offset: number, length: number, initial: number): number {
  let sum = initial;
  const end = offset + length;
  let at = offset;
  // Most of it in 32-bit integers and in the machine's byte order, whose sum is the same with its bytes swapped (RFC 1071 §2.B).
  while (end - at >= BLOCK) {
    const runEnd = Math.min(end, at + MAX_RUN) - BLOCK;
    let low = 0;
    let high = 0;
    for (; at <= runEnd; at += BLOCK) {
      const a = view.getInt32(at, true);
      const b = view.getInt32(at + 4, true);
      const c = view.getInt32(at + 8, true);
      const d = view.getInt32(at + 12, true);
      low = (low + (a & 0xffff) + (b & 0xffff) + (c & 0xffff) + (d & 0xffff)) | 0;
      high = (high + (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16)) | 0;
    }
    const swapped = foldSum((low >>> 0) + (high >>> 0));
    sum += ((swapped & 0xff) << 8) | (swapped >>> 8);
  }
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

/** @returns what a checksum becomes where one 16-bit word of what it covers changes (RFC 1624 §3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return ~foldSum((~checksum & 0xffff) + (~before & 0xffff) + after) & 0xffff;
}
