/**
 * pcapng (draft-ietf-opsawg-pcapng), what Wireshark and tcpdump read and write, as far as a capture of Ethernet frames needs it: a section
 * header, one interface, a block per frame with where it came from and goes to, and at the end how many frames were seen and missed.
 *
 *      0            4               8                        length - 4
 *     +------------+---------------+------------------------+---------------+
 *     | block type | total length  | body, options          | total length  |
 *     +------------+---------------+------------------------+---------------+
 *
 * Little-endian; body and options are padded to 4 bytes. Times are microseconds since 1970.
 */

export const SECTION_HEADER = 0x0a0d_0d0a;
export const INTERFACE_DESCRIPTION = 1;
export const INTERFACE_STATISTICS = 5;
export const ENHANCED_PACKET = 6;
export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
export const BLOCK_OVERHEAD = 12;
const LINKTYPE_ETHERNET = 1;

export const OPTION_END = 0;
export const OPTION_COMMENT = 1;
const OPTION_SECTION_APPLICATION = 4;
const OPTION_INTERFACE_NAME = 2;
export const OPTION_PACKET_FLAGS = 2;
export const OPTION_PACKET_DROPS = 4;
const OPTION_RECEIVED = 4;
export const OPTION_DROPPED = 5;

/** `epb_flags`, bits 0 and 1. */
export const INBOUND = 1;
export const OUTBOUND = 2;

const encoder = new TextEncoder();

export interface PacketBlock {
  readonly time: number;
  readonly bytes: Uint8Array;
  /** Of the whole frame. */
  readonly length: number;
  readonly comment: string;
  readonly direction: typeof INBOUND | typeof OUTBOUND;
  /** How many frames were missed between the one before and this one. */
  readonly missed: number;
}

/** What a capture begins with. @param snapLength the bytes that are kept of a frame, at most. */
export function encodeStart(application: string, interfaceName: string, snapLength: number): Uint8Array {
  const section = new Uint8Array(16);
  const view = new DataView(section.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // The section's length is not known.
  view.setBigInt64(8, -1n, true);
  const description = new Uint8Array(8);
  const described = new DataView(description.buffer);
  described.setUint16(0, LINKTYPE_ETHERNET, true);
  described.setUint32(4, snapLength, true);
  return concat([
    block(SECTION_HEADER, [section, textOption(OPTION_SECTION_APPLICATION, application), endOfOptions]),
    block(INTERFACE_DESCRIPTION, [description, textOption(OPTION_INTERFACE_NAME, interfaceName), endOfOptions]),
  ]);
}

export function encodePacket({ time, bytes, length, comment, direction, missed }: PacketBlock): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  writeTime(view, 4, time);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, length, true);
  const flags = new Uint8Array(4);
  new DataView(flags.buffer).setUint32(0, direction, true);
  return block(ENHANCED_PACKET, [
    header,
    padded(bytes),
    textOption(OPTION_COMMENT, comment),
    option(OPTION_PACKET_FLAGS, flags),
    ...(missed === 0 ? [] : [countOption(OPTION_PACKET_DROPS, missed)]),
    endOfOptions,
  ]);
}

/** What a capture ends with. */
export function encodeEnd(time: number, received: number, missed: number): Uint8Array {
  const header = new Uint8Array(12);
  writeTime(new DataView(header.buffer), 4, time);
  return block(INTERFACE_STATISTICS, [
    header,
    countOption(OPTION_RECEIVED, received),
    countOption(OPTION_DROPPED, missed),
    endOfOptions,
  ]);
}

/** Times are two halves, the high one first. */
function writeTime(view: DataView, at: number, time: number): void {
  const whole = Math.floor(time);
  view.setUint32(at, Math.floor(whole / 2 ** 32), true);
  view.setUint32(at + 4, whole % 2 ** 32, true);
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  const whole = new Uint8Array(BLOCK_OVERHEAD + body.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, whole.length, true);
  whole.set(body, 8);
  view.setUint32(whole.length - 4, whole.length, true);
  return whole;
}

const endOfOptions = option(OPTION_END, new Uint8Array());

function option(code: number, value: Uint8Array): Uint8Array {
  const header = new Uint8Array(4);
  const view = new DataView(header.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  return concat([header, padded(value)]);
}

function textOption(code: number, text: string): Uint8Array {
  return option(code, encoder.encode(text));
}

function countOption(code: number, count: number): Uint8Array {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, BigInt(count), true);
  return option(code, value);
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = -bytes.length & 3;
  return rest === 0 ? bytes : concat([bytes, new Uint8Array(rest)]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
