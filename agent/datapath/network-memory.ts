/**
 * What the threads of a site share of one network, in one buffer: the stations that were heard, the limits on flooding and on answers,
 * the VTEPs that were let in unlisted. Memory that nobody has written yet takes no room, and zeros are right to begin with.
 */
import { LearnedMacs } from './learned-macs.ts';
import { Strangers } from './strangers.ts';
import { TokenBucket } from './token-bucket.ts';
import { LOCK, PlainWords, SharedWords, type Words } from './words.ts';

/** Learned MACs that a network may hold. */
const MAX_LEARNED_MACS = 100_000;

const SEED = LOCK + 1;
const MAX_MACS = LOCK + 2;
const BUCKETS = 8;
const STRANGERS = 16;
const MACS = STRANGERS + Strangers.SIZE;

/** @param seed 32 random bits, so that nobody can choose MAC addresses that collide. */
export function createNetworkMemory(seed: number, maxMacs = MAX_LEARNED_MACS): NetworkMemory {
  return new NetworkMemory(prepare(new ArrayBuffer(sizeOf(maxMacs)), seed, maxMacs));
}

/** For several threads, each of which makes a `NetworkMemory` over it. */
export function createSharedNetworkMemory(seed: number, maxMacs = MAX_LEARNED_MACS): SharedArrayBuffer {
  return prepare(new SharedArrayBuffer(sizeOf(maxMacs)), seed, maxMacs);
}

export class NetworkMemory {
  readonly words: Words;
  /** Where the MAC table is in the words, how many it holds, and its seed. */
  readonly macsAt = MACS;
  readonly maxMacs: number;
  readonly seed: number;
  readonly strangers: Strangers;
  readonly #buffer: ArrayBuffer | SharedArrayBuffer;

  /** @param buffer made by one of the functions above. */
  constructor(buffer: ArrayBuffer | SharedArrayBuffer) {
    this.#buffer = buffer;
    this.words =
      buffer instanceof SharedArrayBuffer
        ? new SharedWords(new Int32Array(buffer))
        : new PlainWords(new Int32Array(buffer));
    this.seed = this.words.read(SEED);
    this.maxMacs = this.words.read(MAX_MACS);
    this.strangers = new Strangers(this.words, STRANGERS);
  }

  /** @param which of two. */
  bucket(which: 0 | 1, perSecond: number): TokenBucket {
    const at = BUCKETS * Int32Array.BYTES_PER_ELEMENT + which * TokenBucket.BYTES;
    return new TokenBucket(perSecond, new Float64Array(this.#buffer, at, 2), this.words);
  }
}

/** In bytes. */
function sizeOf(maxMacs: number): number {
  return (MACS + LearnedMacs.size(maxMacs)) * Int32Array.BYTES_PER_ELEMENT;
}

function prepare<Buffer extends ArrayBuffer | SharedArrayBuffer>(
  buffer: Buffer,
  seed: number,
  maxMacs: number,
): Buffer {
  const words = new Int32Array(buffer);
  words[SEED] = seed;
  words[MAX_MACS] = maxMacs;
  return buffer;
}
