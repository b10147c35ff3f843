/**
 * UDP (RFC 768).
 *
 *      0        2             4        6          8
 *     +--------+-------------+--------+----------+
 *     | source | destination | length | checksum |
 *     +--------+-------------+--------+----------+
 */

export const UDP_HEADER_LENGTH = 8;
export const UDP_LENGTH = 4;
export const UDP_CHECKSUM = 6;

/** Source and destination port in one number, as TCP has them too. */
export const readPorts = (view: DataView, offset: number): number => view.getUint32(offset);
