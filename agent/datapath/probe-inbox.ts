/**
 * Probes that came where frames come: kept for control, and no more of them a second than it should have to look at. Each source has a share
 * of its own, or whoever sends the most would make all others' paths look dead.
 */
import { type Probe, readProbe } from '../wire/probe.ts';
import { formatAddressWords, hashWords } from './address-table.ts';

/** Of one source in a second: a peer asks once, and answers as often. */
const SHARE = 20;
/** Sources share shares by a hash that nobody outside can know. */
const SHARES = 2 ** 8;

export interface HeardProbe {
  readonly probe: Probe;
  /** The IP address that it came from, in canonical text. */
  readonly source: string;
  /** When, in milliseconds on the machine's clock that never goes back. */
  readonly at: number;
}

export class ProbeInbox {
  readonly #seed: number;
  readonly #taken = new Uint8Array(SHARES);
  #second = 0;
  #heard: HeardProbe[] = [];

  /** @param seed 32 bits that nobody can guess. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get hasHeard(): boolean {
    return this.#heard.length > 0;
  }

  /**
   * @param source its address's four words are at `at`. @param now seconds on that clock.
   * @returns false where it is one too many.
   */
  take(view: DataView, offset: number, length: number, source: Uint32Array, at: number, now: number): boolean {
    const second = Math.floor(now);
    if (second !== this.#second) this.#taken.fill(0);
    this.#second = second;
    const share = this.#shareOf(source, at);
    if (this.#taken[share] === SHARE) return false;
    this.#taken[share]! += 1;
    const probe = readProbe(view, offset, length);
    if (probe !== null) this.#heard.push({ probe, source: formatAddressWords(source, at), at: now * 1000 });
    return true;
  }

  #shareOf(words: Uint32Array, at: number): number {
    return hashWords(words[at]! ^ this.#seed, words[at + 1]!, words[at + 2]!, words[at + 3]!) >>> 24;
  }

  drain(): readonly HeardProbe[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }
}
