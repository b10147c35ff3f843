/** Reads a pcapng stream as `pcapng.ts` writes it, block by block as its bytes arrive. */
import {
  BLOCK_OVERHEAD,
  concat,
  ENHANCED_PACKET,
  INBOUND,
  INTERFACE_STATISTICS,
  OPTION_COMMENT,
  OPTION_DROPPED,
  OPTION_END,
  OPTION_PACKET_DROPS,
  OPTION_PACKET_FLAGS,
  OUTBOUND,
  type PacketBlock,
} from './pcapng.ts';

/** A block, with its own bytes; those of kinds that nobody here asks about are `other`. */
export type Block = { readonly raw: Uint8Array } & (
  | { readonly kind: 'packet'; readonly packet: PacketBlock }
  | { readonly kind: 'end'; readonly missed: number }
  | { readonly kind: 'other' }
);

/** Far more than a block of ours can have. */
const MAX_BLOCK = 1024 * 1024;
/** Without data and options. */
const PACKET_MIN_LENGTH = 32;
const STATISTICS_MIN_LENGTH = 24;
const decoder = new TextDecoder();

export class PcapngReader {
  #rest: Uint8Array = new Uint8Array();

  /** @returns the blocks that are whole with these bytes. @throws Error where the bytes are no such stream. */
  feed(bytes: Uint8Array): Block[] {
    this.#rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    const blocks: Block[] = [];
    let at = 0;
    for (;;) {
      const view = viewOf(this.#rest.subarray(at));
      if (view.byteLength < 8) break;
      const length = view.getUint32(4, true);
      if (length < BLOCK_OVERHEAD || length % 4 !== 0 || length > MAX_BLOCK) {
        throw new Error(`this is no pcapng: a block of ${length} bytes`);
      }
      if (view.byteLength < length) break;
      blocks.push(decode(this.#rest.slice(at, at + length)));
      at += length;
    }
    this.#rest = this.#rest.slice(at);
    return blocks;
  }
}

function decode(raw: Uint8Array): Block {
  const view = viewOf(raw);
  switch (view.getUint32(0, true)) {
    case ENHANCED_PACKET:
      return { raw, kind: 'packet', packet: decodePacket(raw, view) };
    case INTERFACE_STATISTICS: {
      if (raw.length < STATISTICS_MIN_LENGTH) throw new Error('this is no pcapng: a damaged block');
      const dropped = options(raw, 20).get(OPTION_DROPPED);
      return { raw, kind: 'end', missed: dropped === undefined ? 0 : count(dropped) };
    }
    default:
      return { raw, kind: 'other' };
  }
}

function decodePacket(raw: Uint8Array, view: DataView): PacketBlock {
  const captured = raw.length < PACKET_MIN_LENGTH ? Number.POSITIVE_INFINITY : view.getUint32(20, true);
  if (captured > raw.length - PACKET_MIN_LENGTH) throw new Error('this is no pcapng: a damaged block');
  const said = options(raw, 28 + ((captured + 3) & ~3));
  const flags = said.get(OPTION_PACKET_FLAGS);
  const isOutbound = flags?.length === 4 && (viewOf(flags).getUint32(0, true) & 3) === OUTBOUND;
  const missed = said.get(OPTION_PACKET_DROPS);
  return {
    time: view.getUint32(12, true) * 2 ** 32 + view.getUint32(16, true),
    bytes: raw.slice(28, 28 + captured),
    length: view.getUint32(24, true),
    comment: decoder.decode(said.get(OPTION_COMMENT)),
    direction: isOutbound ? OUTBOUND : INBOUND,
    missed: missed === undefined ? 0 : count(missed),
  };
}

/** @param at where the options of the block start. */
function options(raw: Uint8Array, at: number): Map<number, Uint8Array> {
  const view = viewOf(raw);
  const found = new Map<number, Uint8Array>();
  const end = raw.length - 4;
  for (let option = at; option + 4 <= end; ) {
    const code = view.getUint16(option, true);
    const length = view.getUint16(option + 2, true);
    if (code === OPTION_END) break;
    found.set(code, raw.subarray(option + 4, Math.min(end, option + 4 + length)));
    option += 4 + ((length + 3) & ~3);
  }
  return found;
}

function count(value: Uint8Array): number {
  return value.length === 8 ? Number(viewOf(value).getBigUint64(0, true)) : 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
