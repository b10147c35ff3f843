/**
 * Counters in shared memory: the data path adds, control reads, nobody waits. Doubles count exactly to 2^53, and one aligned double
 * is read and written whole.
 *
 * One block per network, and block 0 for what can't be put down to a network. Blocks of networks that went are given out again.
 */

export const COUNTER_NAMES = [
  // Between this host and the agent.
  'portRxFrames',
  'portRxBytes',
  'portTxFrames',
  'portTxBytes',
  // Between the agent and other VTEPs; bytes of the inner frames.
  'vtepRxFrames',
  'vtepRxBytes',
  'vtepTxFrames',
  'vtepTxBytes',
  // Frames that went to more than one place: broadcast, multicast, unknown unicast.
  'floodedFrames',
  // How many more went than came: copies of flooded frames, and parts that large segments were cut into. How many fewer: merged ones.
  // So portRx + vtepRx + copied + cut + tooBigAnswered = portTx + vtepTx + merged + what was dropped of them.
  'copiedFrames',
  'cutFrames',
  'mergedFrames',
  'vlanTagsStripped',
  'macsMoved',
  // ARP requests and neighbour solicitations answered from the registry.
  'neighborsAnswered',
  // Hosts told that their packet is too big.
  'tooBigAnswered',
  // Frames into which the underlay's congestion mark was brought.
  'ecnMarkedFrames',
  // TCP connections' ends that were told of a smaller segment size than they asked for.
  'mssClamped',
  // Datagrams and frames dropped, by reason.
  'dropTruncatedHeader',
  'dropNoVniFlag',
  // Probes (wire/probe.ts) of who is not in the table, and more of them than are looked at.
  'dropUnlistedProbe',
  'dropProbeLimit',
  // What the kernel put together and could be one frame or several.
  'dropAmbiguousTrain',
  'dropUnknownVni',
  'dropUnlistedVtep',
  'dropInnerRunt',
  'dropInnerVlan',
  'dropBadSource',
  'dropSpoofedSource',
  // Marked by the underlay, and not ECN-capable inside.
  'dropCongested',
  'dropSplitHorizon',
  'dropSamePort',
  'dropNoDestination',
  'dropFloodLimit',
  'dropNoPort',
  'dropBadChecksum',
  'dropTooBig',
  'dropPortBusy',
  'dropUnderlayBusy',
  'dropUnreachable',
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];

/** The place of each counter within a block. */
export const COUNTER = Object.fromEntries(COUNTER_NAMES.map((name, i) => [name, i])) as Readonly<
  Record<CounterName, number>
>;

export const COUNTER_BLOCK = COUNTER_NAMES.length;

/** One agent's counters: at most `networks` networks at a time. */
export function createCounterMemory(networks: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer((networks + 1) * COUNTER_BLOCK * Float64Array.BYTES_PER_ELEMENT));
}

/** Which blocks are whose. */
export class CounterBlocks {
  readonly #memory: Float64Array;
  /** Where free blocks start; the next to be given is the last. */
  readonly #free: number[] = [];

  /** @param memory from `createCounterMemory`. */
  constructor(memory: Float64Array) {
    this.#memory = memory;
    for (let base = memory.length - COUNTER_BLOCK; base >= COUNTER_BLOCK; base -= COUNTER_BLOCK) this.#free.push(base);
  }

  /** @returns where a block of zeros starts, or null where all are given. */
  take(): number | null {
    return this.#free.pop() ?? null;
  }

  giveBack(base: number): void {
    this.#memory.fill(0, base, base + COUNTER_BLOCK);
    this.#free.push(base);
  }
}

/** @returns the counters of the block that starts at `base`, by name. */
export function readCounters(memory: Float64Array, base: number): Record<CounterName, number> {
  return Object.fromEntries(COUNTER_NAMES.map((name, i) => [name, memory[base + i] ?? 0])) as Record<
    CounterName,
    number
  >;
}
