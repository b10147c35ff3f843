/** What the forwarder counts, for a network and for a peer: per frame, so it is a few additions. */
import type { SendFailure } from '../underlay/underlay.ts';
import { COUNTER } from './counters.ts';
import { PEER_COUNTER, PEER_NETWORK } from './peer-counters.ts';

/** By what failed: the counter of the network and the peer's. */
const SEND_FAILURE_COUNTERS: Readonly<Record<SendFailure, readonly [network: number, peer: number]>> = {
  tooBig: [COUNTER.dropTooBig, PEER_COUNTER.dropTooBig],
  busy: [COUNTER.dropUnderlayBusy, PEER_COUNTER.dropUnderlayBusy],
  unreachable: [COUNTER.dropUnreachable, PEER_COUNTER.dropUnreachable],
};

export class Tally {
  /** Counts a datagram that could not be sent: its tag is where the counters of the peer start. */
  readonly onSendFailure: (peer: number, failure: SendFailure) => void;
  readonly #counters: Float64Array;
  readonly #peerCounters: Float64Array;

  /** @param counters from `createCounterMemory`. @param peerCounters from `createPeerCounterMemory`. */
  constructor(counters: Float64Array, peerCounters: Float64Array) {
    this.#counters = counters;
    this.#peerCounters = peerCounters;
    this.onSendFailure = (peer, failure) => {
      const [counter, peerCounter] = SEND_FAILURE_COUNTERS[failure];
      this.#peerCounters[peer + peerCounter]! += 1;
      this.count(this.#peerCounters[peer + PEER_NETWORK]!, counter);
    };
  }

  /** @param base where the counters of the network start, or 0 for what is no network's. */
  count(base: number, counter: number): void {
    this.#counters[base + counter]! += 1;
  }

  add(base: number, counter: number, value: number): void {
    this.#counters[base + counter]! += value;
  }

  /** Counts frames and, in the counter that follows, their bytes. */
  countFrames(base: number, counter: number, frames: number, bytes: number): void {
    this.#counters[base + counter]! += frames;
    this.#counters[base + counter + 1]! += bytes;
  }

  /** The same for a peer. */
  countPeerFrames(peer: number, counter: number, frames: number, bytes: number): void {
    this.#peerCounters[peer + counter]! += frames;
    this.#peerCounters[peer + counter + 1]! += bytes;
  }
}
