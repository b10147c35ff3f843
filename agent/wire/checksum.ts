/**
 * The Internet checksum (RFC 1071): the one's complement of the one's-complement sum of 16-bit words.
 *
 * A sum of at most 64 KiB of words stays below 2^32, so it is folded once at the end; the words are added in pairs of 32 bits, whose
 * carries the fold brings back in (RFC 1071 §2.C, deferred carries).
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
  let folded = (sum % 0x1_0000_0000) + Math.floor(sum / 0x1_0000_0000);
  while (folded > 0xffff) folded = (folded % 0x1_0000) + Math.floor(folded / 0x1_0000);
  return folded;
}

/** @returns the checksum that goes into the field which was zero while summing. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}
