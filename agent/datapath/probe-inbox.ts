/** Probes that came where frames come: kept for control, and no more of them a second than it should have to look at. */
import { type Probe, readProbe } from '../wire/probe.ts';
import { formatAddressWords } from './address-table.ts';
import { TokenBucket } from './token-bucket.ts';

const PROBES_PER_SECOND = 200;

export interface HeardProbe {
  readonly probe: Probe;
  /** The IP address that it came from, in canonical text. */
  readonly source: string;
  /** When, in milliseconds on the machine's clock that never goes back. */
  readonly at: number;
}

export class ProbeInbox {
  readonly #limit = new TokenBucket(PROBES_PER_SECOND);
  #heard: HeardProbe[] = [];

  get hasHeard(): boolean {
    return this.#heard.length > 0;
  }

  /**
   * @param source its address's four words are at `at`. @param now seconds on that clock.
   * @returns false where it is one too many.
   */
  take(view: DataView, offset: number, length: number, source: Uint32Array, at: number, now: number): boolean {
    if (!this.#limit.take(now)) return false;
    const probe = readProbe(view, offset, length);
    if (probe !== null) this.#heard.push({ probe, source: formatAddressWords(source, at), at: now * 1000 });
    return true;
  }

  drain(): readonly HeardProbe[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }
}
