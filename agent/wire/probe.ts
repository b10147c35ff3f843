/**
 * Probes: what agents ask each other on the way that frames take, to the VTEP's own address and port. The VXLAN header before them has
 * no I flag, so every other VTEP drops them (RFC 7348 §4.3: no valid VNI).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   0 |               VXLAN header, of zeros (8 bytes)                |
 *   8 |                  "OVLP" (what makes it one)                   |
 *  12 |    version    |     kind      |   bytes of the ask, in all    |
 *  16 |                       nonce (8 bytes)                         |
 *  24 |   the sender's VXLAN port     |           reserved            |
 *  28 |        how long the answer was held, in microseconds          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |  zeros, in an ask, up to the size whose passage is asked for  |
 *
 * An answer is never longer than what it answers, and only who got the ask knows its nonce.
 */
import { hasVni } from './vxlan.ts';

export const PROBE_LENGTH = 32;
export const PROBE_MAGIC = 0x4f_56_4c_50;
/** Where the magic lies, after the UDP header. */
export const PROBE_MAGIC_OFFSET = 8;

const VERSION = 1;
const VERSION_OFFSET = 12;
const KIND = 13;
const SIZE = 14;
const NONCE = 16;
const PORT = 24;
const RESERVED = 26;
const HELD = 28;

const ASK = 1;
const ANSWER = 2;

export interface Probe {
  readonly kind: 'ask' | 'answer';
  /** Bytes of UDP payload that the ask has. */
  readonly size: number;
  /** 64 random bits, the answer's those of the ask. */
  readonly nonce: bigint;
  /** Where the sender takes VXLAN, and so the answer. */
  readonly port: number;
  /** Of an answer: for how long it was here, in microseconds. Of an ask 0. */
  readonly heldMicros: number;
}

/** True where it is a probe of some version, though perhaps one that can't be read. */
export const isProbe = (view: DataView, offset: number, length: number): boolean =>
  length >= PROBE_LENGTH && !hasVni(view, offset) && view.getUint32(offset + PROBE_MAGIC_OFFSET) === PROBE_MAGIC;

/** @returns null for what is none, of another version, or an ask that is not as long as it says: what came is then not what was sent. */
export function readProbe(view: DataView, offset: number, length: number): Probe | null {
  if (!isProbe(view, offset, length) || view.getUint8(offset + VERSION_OFFSET) !== VERSION) return null;
  const kind = view.getUint8(offset + KIND);
  const size = view.getUint16(offset + SIZE);
  if (kind !== ASK && kind !== ANSWER) return null;
  if (size < PROBE_LENGTH || length !== (kind === ASK ? size : PROBE_LENGTH)) return null;
  return {
    kind: kind === ASK ? 'ask' : 'answer',
    size,
    nonce: view.getBigUint64(offset + NONCE),
    port: view.getUint16(offset + PORT),
    heldMicros: view.getUint32(offset + HELD),
  };
}

/** Writes the first `PROBE_LENGTH` bytes; those of an ask that follow are zeros. */
export function writeProbe(view: DataView, offset: number, probe: Probe): void {
  view.setBigUint64(offset, 0n);
  view.setUint32(offset + PROBE_MAGIC_OFFSET, PROBE_MAGIC);
  view.setUint8(offset + VERSION_OFFSET, VERSION);
  view.setUint8(offset + KIND, probe.kind === 'ask' ? ASK : ANSWER);
  view.setUint16(offset + SIZE, probe.size);
  view.setBigUint64(offset + NONCE, probe.nonce);
  view.setUint16(offset + PORT, probe.port);
  view.setUint16(offset + RESERVED, 0);
  view.setUint32(offset + HELD, probe.heldMicros);
}
