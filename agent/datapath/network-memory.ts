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

/** For one thread. @param seed 32 random bits, so that nobody can choose MAC addresses that collide. */
export function createNetworkMemory(seed: number, maxMacs = MAX_LEARNED_MACS): NetworkMemory {
  return new NetworkMemory(createSharedNetworkMemory(seed, maxMacs), false);
}

/**
 * For several threads, each of which makes a `NetworkMemory` over it. (It is of this kind for one thread, too: the collector takes the
 * size of an `ArrayBuffer` for memory in use, and with some hundred networks would do nothing but look for more to free.)
 */
export function createSharedNetworkMemory(seed: number, maxMacs = MAX_LEARNED_MACS): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer((MACS + LearnedMacs.size(maxMacs)) * Int32Array.BYTES_PER_ELEMENT);
  const words = new Int32Array(buffer);
  words[SEED] = seed;
  words[MAX_MACS] = maxMacs;
  return buffer;
}

export class NetworkMemory {
  readonly words: Words;
  /** Where the MAC table is in the words, how many it holds, and its seed. */
  readonly macsAt = MACS;
  readonly maxMacs: number;
  readonly seed: number;
  readonly strangers: Strangers;
  readonly #buffer: SharedArrayBuffer;

  /** @param isShared false where no other thread has the buffer. */
  constructor(buffer: SharedArrayBuffer, isShared = true) {
    const words = new Int32Array(buffer);
    this.#buffer = buffer;
    this.words = isShared ? new SharedWords(words) : new PlainWords(words);
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
