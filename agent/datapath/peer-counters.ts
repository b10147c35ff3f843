/**
 * Counters by network and peer, in shared memory as those of the networks are (`counters.ts`). A block says itself whose it is, so
 * whoever reads needs nobody to tell of peers that come and go.
 *
 *      0                                                  7         8     9      10 … 13           14
 *     +--------------------------------------------------+---------+-----+------+-----------------+---------+--+
 *     | counters                                         | network | VNI | port | address, 4 words| version |  |
 *     +--------------------------------------------------+---------+-----+------+-----------------+---------+--+
 *
 * in doubles: the first cache line is all that a frame touches. The first blocks are one for each block of network counters: there is
 * counted what goes to and comes from VTEPs that have no block of their own, which nobody reads.
 */
import { formatAddressWords } from './address-table.ts';
import { COUNTER_BLOCK } from './counters.ts';
import type { PeerCounters } from './datapath.ts';

export const PEER_COUNTER_NAMES = [
  'rxFrames',
  'rxBytes',
  'txFrames',
  'txBytes',
  'dropTooBig',
  'dropUnderlayBusy',
  'dropUnreachable',
] as const;
export type PeerCounterName = (typeof PEER_COUNTER_NAMES)[number];

/** The place of each counter within a block. */
export const PEER_COUNTER = Object.fromEntries(PEER_COUNTER_NAMES.map((name, i) => [name, i])) as Readonly<
  Record<PeerCounterName, number>
>;

/** Where the counters of the block's network start. */
export const PEER_NETWORK = 7;
const VNI = 8;
const PORT = 9;
const ADDRESS = 10;
/** A 32-bit integer: 0 while the block is nobody's, and another number for each who has it. */
const VERSION = 14;
export const PEER_COUNTER_BLOCK = 16;
/** In the first of all blocks: where the blocks end that were ever given. */
const HIGH_WATER = 0;

/** Peers that one agent counts apart, over all its networks; what passes to and from more is in the networks' totals. */
export const MAX_COUNTED_PEERS = 65_536;

/** One thread's counters of peers. @param networks as given to `createCounterMemory`. */
export function createPeerCounterMemory(networks: number, peers: number): Float64Array<SharedArrayBuffer> {
  const blocks = networks + 1 + peers;
  return new Float64Array(new SharedArrayBuffer(blocks * PEER_COUNTER_BLOCK * Float64Array.BYTES_PER_ELEMENT));
}

/** Which blocks are whose. */
export class PeerCounterBlocks {
  readonly #memory: Float64Array;
  readonly #versions: Int32Array;
  readonly #free: number[] = [];
  #version = 0;

  /**
   * @param memory from `createPeerCounterMemory`.
   * @param networkCounters the memory of the network counters that go with it.
   */
  constructor(memory: Float64Array, networkCounters: Float64Array) {
    this.#memory = memory;
    this.#versions = new Int32Array(memory.buffer, memory.byteOffset, memory.length * 2);
    memory[HIGH_WATER] = (networkCounters.length / COUNTER_BLOCK) * PEER_COUNTER_BLOCK;
  }

  /** @returns the block for all of a network's VTEPs that have none of their own. */
  rest(networkBase: number): number {
    const block = (networkBase / COUNTER_BLOCK) * PEER_COUNTER_BLOCK;
    this.#memory[block + PEER_NETWORK] = networkBase;
    return block;
  }

  /**
   * @param address four 32-bit words, IPv4 as IPv4-mapped.
   * @returns where a block of zeros starts; the network's `rest` where all are given.
   */
  take(networkBase: number, vni: number, address: Uint32Array, port: number): number {
    const memory = this.#memory;
    const block = this.#free.pop() ?? memory[HIGH_WATER]!;
    if (block + PEER_COUNTER_BLOCK > memory.length) return this.rest(networkBase);
    if (block === memory[HIGH_WATER]) memory[HIGH_WATER] = block + PEER_COUNTER_BLOCK;
    memory.fill(0, block, block + PEER_NETWORK);
    memory[block + PEER_NETWORK] = networkBase;
    memory[block + VNI] = vni;
    memory[block + PORT] = port;
    for (let i = 0; i < 4; i++) memory[block + ADDRESS + i] = address[i]!;
    this.#version = (this.#version % 0x7fff_ffff) + 1;
    Atomics.store(this.#versions, (block + VERSION) * 2, this.#version);
    return block;
  }

  giveBack(block: number): void {
    // The rest of a network stays its own.
    if (Atomics.load(this.#versions, (block + VERSION) * 2) === 0) return;
    Atomics.store(this.#versions, (block + VERSION) * 2, 0);
    this.#free.push(block);
  }
}

/**
 * Reads the counters of all peers while the threads go on counting.
 * @param memories each thread's: a peer's counters are summed.
 * @returns by VNI.
 */
export function readPeerCounters(memories: readonly Float64Array[]): Map<number, PeerCounters[]> {
  const networks = new Map<number, Map<string, PeerCounters>>();
  for (const block of memories.flatMap(readBlocks)) {
    const peers = networks.get(block[VNI]!) ?? new Map<string, PeerCounters>();
    networks.set(block[VNI]!, peers);
    const address = formatAddressWords(Uint32Array.from(block.subarray(ADDRESS, ADDRESS + 4)));
    const port = block[PORT]!;
    const key = `${address} ${port}`;
    const before = peers.get(key)?.counters;
    const counters = PEER_COUNTER_NAMES.map((name, i) => [name, (before?.[name] ?? 0) + block[i]!] as const);
    peers.set(key, { address, port, counters: Object.fromEntries(counters) });
  }
  return new Map([...networks].map(([vni, peers]) => [vni, [...peers.values()]]));
}

/** Copies of the blocks that are somebody's. */
function readBlocks(memory: Float64Array): Float64Array[] {
  const versions = new Int32Array(memory.buffer, memory.byteOffset, memory.length * 2);
  const blocks: Float64Array[] = [];
  for (let at = PEER_COUNTER_BLOCK; at < memory[HIGH_WATER]!; at += PEER_COUNTER_BLOCK) {
    const version = Atomics.load(versions, (at + VERSION) * 2);
    if (version === 0) continue;
    const block = memory.slice(at, at + VERSION);
    // Given to another while it was read: whose it is now has hardly counted yet.
    if (Atomics.load(versions, (at + VERSION) * 2) === version) blocks.push(block);
  }
  return blocks;
}
