/**
 * TCP (RFC 9293 §3.1), as far as a switch looks into it.
 *
 *      0        2        4          8               12     13      14       16         18       20
 *     +--------+--------+----------+---------------+------+-------+--------+----------+--------+
 *     | source | dest.  | sequence | acknowledgment| offs | flags | window | checksum | urgent |
 *     +--------+--------+----------+---------------+------+-------+--------+----------+--------+
 */

export const TCP_MIN_LENGTH = 20;
export const TCP_CHECKSUM = 16;
export const TCP_FLAG_SYN = 0x02;
export const TCP_FLAG_CWR = 0x80;
/** Kinds of options (RFC 9293 §3.2); but for these two, the length follows, of the whole option. */
const TCP_OPTION_END = 0;
const TCP_OPTION_NOP = 1;
export const TCP_OPTION_MSS = 2;
export const TCP_OPTION_MSS_LENGTH = 4;

/** Header length in bytes, or 0 where `length` bytes do not hold a valid TCP header. */
export function tcpHeaderLength(view: DataView, offset: number, length: number): number {
  if (length < TCP_MIN_LENGTH) return 0;
  const headerLength = (view.getUint8(offset + 12) >> 4) * 4;
  return headerLength >= TCP_MIN_LENGTH && headerLength <= length ? headerLength : 0;
}

export const readTcpFlags = (view: DataView, offset: number): number => view.getUint8(offset + 13);

/**
 * Looks for an option in a header that is all there.
 * @param optionLength of the whole option, kind and length included.
 * @returns where its value is; 0 where there is none, it has another length, or the options before it are malformed.
 */
export function findTcpOption(
  view: DataView,
  offset: number,
  headerLength: number,
  kind: number,
  optionLength: number,
): number {
  const end = offset + headerLength;
  for (let at = offset + TCP_MIN_LENGTH; at < end; ) {
    const found = view.getUint8(at);
    if (found === TCP_OPTION_END) return 0;
    if (found === TCP_OPTION_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) return 0;
    if (found === kind) return length === optionLength ? at + 2 : 0;
    at += length;
  }
  return 0;
}
