/**
 * Frames for tests, put together from their fields by the plainest means: byte lists and a word-by-word checksum, nothing of the
 * agent's own codecs.
 */
import { concat } from './bytes.ts';

const TCP = 6;
const UDP = 17;

/** What stands in a checksum field: what is right, what a kernel leaves to a device, or just that number. */
export type Checksum = 'complete' | 'incomplete' | number;

export interface Segment {
  readonly protocol: number;
  /** Where its checksum is, or null where it has none of the pseudo-header's kind. */
  readonly checksumAt: number | null;
  readonly checksum: Checksum;
  readonly bytes: Uint8Array;
}

export interface TcpOptions {
  readonly from?: number;
  readonly to?: number;
  readonly sequence?: number;
  readonly flags?: number;
  /** Bytes of TCP options; padded to 4. */
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
  readonly checksum?: Checksum;
}

const word = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];

export function tcp({
  from = 40_000,
  to = 80,
  sequence = 0x01020304,
  flags = 0x10,
  checksum = 'complete',
  ...rest
}: TcpOptions = {}): Segment {
  const options = pad4(rest.options ?? new Uint8Array());
  const bytes = concat(
    Uint8Array.of(...word(from), ...word(to), ...word(sequence >>> 16), ...word(sequence), 5, 6, 7, 8),
    Uint8Array.of(((20 + options.length) / 4) << 4, flags, ...word(0xfaf0), 0, 0, 0, 0),
    options,
    rest.payload ?? new Uint8Array(),
  );
  return { protocol: TCP, checksumAt: 16, checksum, bytes };
}

export interface UdpOptions {
  readonly from?: number;
  readonly to?: number;
  readonly payload?: Uint8Array;
  readonly checksum?: Checksum;
}

export function udp({ from = 40_000, to = 53, checksum = 'complete', ...rest }: UdpOptions = {}): Segment {
  const payload = rest.payload ?? new Uint8Array();
  const bytes = concat(Uint8Array.of(...word(from), ...word(to), ...word(8 + payload.length), 0, 0), payload);
  return { protocol: UDP, checksumAt: 6, checksum, bytes };
}

export function opaque(protocol: number, bytes: Uint8Array): Segment {
  return { protocol, checksumAt: null, checksum: 0, bytes };
}

export interface Ipv4Options {
  readonly from?: readonly number[];
  readonly to?: readonly number[];
  /** Bytes of IP options; padded to 4. */
  readonly options?: Uint8Array;
  /** Flags and fragment offset. */
  readonly fragment?: number;
  /** Where it shall not be the true one. */
  readonly totalLength?: number;
  /** DSCP and ECN. */
  readonly trafficClass?: number;
}

export function ipv4(segment: Segment, given: Ipv4Options = {}): Uint8Array {
  const { from = [10, 0, 0, 1], to = [10, 0, 0, 2], fragment = 0x4000, trafficClass = 0 } = given;
  const options = pad4(given.options ?? new Uint8Array());
  const headerLength = 20 + options.length;
  const header = concat(
    Uint8Array.of(
      0x40 | (headerLength / 4),
      trafficClass,
      ...word(given.totalLength ?? headerLength + segment.bytes.length),
    ),
    Uint8Array.of(0x12, 0x34, ...word(fragment), 64, segment.protocol, 0, 0, ...from, ...to),
    options,
  );
  header.set(word(0xffff - sumWords(header)), 10);
  return concat(header, withChecksum(segment, Uint8Array.of(...from, ...to)));
}

export interface Ipv6Options {
  readonly from?: readonly number[];
  readonly to?: readonly number[];
  readonly payloadLength?: number;
  readonly trafficClass?: number;
}

const IPV6_PREFIX = [0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

export function ipv6(segment: Segment, given: Ipv6Options = {}): Uint8Array {
  const { from = [...IPV6_PREFIX, 1], to = [...IPV6_PREFIX, 2], trafficClass = 0 } = given;
  return concat(
    Uint8Array.of(
      0x60 | (trafficClass >> 4),
      (trafficClass << 4) & 0xff,
      0,
      0,
      ...word(given.payloadLength ?? segment.bytes.length),
      segment.protocol,
      64,
      ...from,
      ...to,
    ),
    withChecksum(segment, Uint8Array.of(...from, ...to)),
  );
}

/** An Ethernet frame; MACs are 48-bit numbers. */
export function ethernet(destination: number, source: number, type: number, payload: Uint8Array): Uint8Array {
  return concat(macBytes(destination), macBytes(source), Uint8Array.of(...word(type)), payload);
}

export function macBytes(mac: number): Uint8Array {
  return Uint8Array.of(
    ...mac
      .toString(16)
      .padStart(12, '0')
      .match(/../g)!
      .map((pair) => Number.parseInt(pair, 16)),
  );
}

/** The sum of 16-bit words in one's complement, an odd byte padded (RFC 1071 §1). */
export function sumWords(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return sum;
}

/** Bytes that are not all the same: 0, 1, 2 … */
export function counting(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i);
}

function withChecksum({ protocol, checksumAt, checksum, bytes }: Segment, addresses: Uint8Array): Uint8Array {
  const segment = bytes.slice();
  if (checksumAt === null) return segment;
  const pseudo = concat(addresses, Uint8Array.of(0, protocol, ...word(segment.length)));
  let value = checksum;
  if (value === 'incomplete') value = sumWords(pseudo);
  if (value === 'complete') value = 0xffff - sumWords(concat(pseudo, segment)) || 0xffff;
  segment.set(word(value), checksumAt);
  return segment;
}

function pad4(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array(-bytes.length & 3));
}
