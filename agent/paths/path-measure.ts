/**
 * What one peer is asked, and when, and what its answers come to. Pure: clock and randomness are arguments; times are milliseconds on a
 * clock that never goes back.
 *
 * A *beat* is a small ask: whether it is answered, and how soon. It comes every ten seconds, and every second while things are not as they
 * were: the path is new, or something was lost. A *size* is asked for only where beats are answered, and that one was lost counts when the
 * beat after it came back: what loses all has no size.
 */
import type { PeerPath, VtepAddress } from '../datapath/datapath.ts';
import { type MtuBounds, MtuSearch } from './mtu-search.ts';
import { RoundTrip } from './round-trip.ts';

const CALM_MS = 10_000;
const BRISK_MS = 1000;
/** So that many who began together don't stay together. */
const JITTER = 0.1;
/** So many in a row make the path what it is: calm, or gone. */
const IN_A_ROW = 10;
/** Loss is that of so many asks. */
const WINDOW = 32;
const BEAT_TIMEOUT = { least: 1000, most: 3000 };
const SIZE_TIMEOUT = { least: 250, most: 3000 };
const CHECK_MS = 60_000;
const SEARCH_MS = 600_000;
/** A peer asks every ten seconds: three times in vain is not heard. */
const HEARD_MS = 35_000;

export type PathFigures = Omit<PeerPath, 'site' | 'transport' | 'overhead' | keyof VtepAddress>;

/** To be sent now. */
export interface Ask {
  readonly purpose: 'beat' | 'size';
  /** In bytes of IP packet. */
  readonly size: number;
}

interface Pending extends Ask {
  readonly nonce: bigint;
  readonly sentAt: number;
  readonly until: number;
}

export class PathMeasure {
  readonly #roundTrip = new RoundTrip();
  #search: MtuSearch;
  readonly #pending: Record<Ask['purpose'], Pending | null> = { beat: null, size: null };
  /** A size that was lost, since which no beat came back. */
  #lostSize: Pending | null = null;
  /** Of the last beats, the oldest first: whether each was lost. */
  readonly #beats: boolean[] = [];
  #answeredInARow = 0;
  #lostInARow = 0;
  #everAnswered = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  #beatAt: number;
  #searchedAt: number;
  #checkedAt: number;

  /** @param delay until the first ask. */
  constructor(bounds: MtuBounds, now: number, delay: number) {
    this.#search = new MtuSearch(bounds);
    this.#beatAt = now + delay;
    this.#searchedAt = now;
    this.#checkedAt = now;
  }

  /** Other bounds: another question. */
  setBounds(bounds: MtuBounds): void {
    const { needed, ceiling, smallest } = this.#search.bounds;
    if (needed === bounds.needed && ceiling === bounds.ceiling && smallest === bounds.smallest) return;
    this.#search = new MtuSearch(bounds);
    this.#pending.size = null;
    this.#lostSize = null;
  }

  /** When there is next something to do. */
  get dueAt(): number {
    const { beat, size } = this.#pending;
    return Math.min(beat?.until ?? this.#beatAt, size?.until ?? this.#sizeAt());
  }

  /** Gives up on what was not answered in time, and says what to ask now; null: nothing. */
  next(now: number): Ask | null {
    for (const pending of [this.#pending.beat, this.#pending.size]) {
      if (pending !== null && pending.until <= now) this.#expire(pending);
    }
    const { smallest } = this.#search.bounds;
    if (this.#pending.beat === null && this.#beatAt <= now) return { purpose: 'beat', size: smallest };
    if (this.#pending.size !== null || this.#sizeAt() > now) return null;
    if (this.#search.next === null) this.#look(now);
    const size = this.#search.next;
    return size === null ? null : { purpose: 'size', size };
  }

  /** @param sentAt when it left. @param random from 0 to 1. */
  sent(ask: Ask, nonce: bigint, sentAt: number, random: number): void {
    const timeoutMs = this.#roundTrip.timeoutMs(ask.purpose === 'beat' ? BEAT_TIMEOUT : SIZE_TIMEOUT);
    this.#pending[ask.purpose] = { ...ask, nonce, sentAt, until: sentAt + timeoutMs };
    if (ask.purpose !== 'beat') return;
    const isBrisk = this.#answeredInARow < IN_A_ROW && this.#lostInARow < IN_A_ROW;
    this.#beatAt = sentAt + (isBrisk ? BRISK_MS : CALM_MS) * (1 + JITTER * (2 * random - 1));
  }

  /** It is larger than what can leave this host. */
  tooBig({ nonce }: { readonly nonce: bigint }): void {
    const { size } = this.#pending;
    if (size?.nonce !== nonce) return;
    this.#pending.size = null;
    this.#search.lost(size.size, true);
  }

  /** Something came from there. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** @param heldMs for how long it was there. @returns false where nothing of that nonce is waited for. */
  answered(nonce: bigint, now: number, heldMs: number): boolean {
    const { beat, size } = this.#pending;
    if (size?.nonce === nonce) {
      this.#pending.size = null;
      this.#search.answered(size.size);
      return true;
    }
    if (beat?.nonce !== nonce) return false;
    this.#pending.beat = null;
    // What was lost before it came, or came back, says nothing of how it is.
    if (!this.#everAnswered || this.#lostInARow >= IN_A_ROW) {
      this.#beats.length = 0;
      this.#roundTrip.forget();
      this.#search.search();
    }
    this.#everAnswered = true;
    this.#roundTrip.take(Math.max(0, now - beat.sentAt - heldMs));
    // Calm was a promise of the time when it was well.
    if (this.#lostInARow > 0) this.#beatAt = Math.min(this.#beatAt, beat.sentAt + BRISK_MS);
    this.#lostInARow = 0;
    this.#answeredInARow++;
    this.#note(false);
    const lostSize = this.#lostSize;
    if (lostSize !== null && beat.sentAt >= lostSize.until) {
      this.#lostSize = null;
      this.#search.lost(lostSize.size);
    }
    return true;
  }

  /** What it is but for figures that are never the same twice. */
  get standing(): string {
    const { mtu, carriesNeeded } = this.#search;
    return `${this.#state()} ${mtu} ${carriesNeeded}`;
  }

  figures(now: number): PathFigures {
    const rtt = this.#roundTrip.ms;
    const { mtu, carriesNeeded, bounds } = this.#search;
    const hears = now - this.#heardAt < HEARD_MS;
    return {
      state: this.#state(),
      ...(rtt === null ? {} : { rttMs: rtt }),
      asked: this.#beats.length,
      lost: this.#beats.filter((isLost) => isLost).length,
      ...(mtu === null ? {} : { mtu }),
      neededMtu: bounds.needed,
      ...(carriesNeeded === null ? {} : { carriesNeeded }),
      hears,
    };
  }

  #state(): PathFigures['state'] {
    const isKnown = this.#everAnswered || this.#heardAt > Number.NEGATIVE_INFINITY;
    if (this.#lostInARow >= IN_A_ROW) return isKnown ? 'unreachable' : 'silent';
    return this.#everAnswered ? 'reachable' : 'new';
  }

  /** When a size may be asked for: not while beats are lost, and not again before its time. */
  #sizeAt(): number {
    if (!this.#everAnswered || this.#lostInARow > 0 || this.#lostSize !== null) return Number.POSITIVE_INFINITY;
    if (this.#search.next !== null) return Number.NEGATIVE_INFINITY;
    return Math.min(this.#checkedAt + CHECK_MS, this.#searchedAt + SEARCH_MS);
  }

  #look(now: number): void {
    this.#checkedAt = now;
    if (now < this.#searchedAt + SEARCH_MS) return this.#search.check();
    this.#searchedAt = now;
    this.#search.search();
  }

  #expire(pending: Pending): void {
    this.#pending[pending.purpose] = null;
    if (pending.purpose === 'size') {
      this.#lostSize = pending;
      this.#beatAt = Math.min(this.#beatAt, pending.until);
      return;
    }
    this.#lostSize = null;
    this.#answeredInARow = 0;
    this.#lostInARow++;
    this.#note(true);
    this.#beatAt = Math.min(this.#beatAt, this.#lostInARow < IN_A_ROW ? pending.until : Number.POSITIVE_INFINITY);
  }

  #note(isLost: boolean): void {
    this.#beats.push(isLost);
    if (this.#beats.length > WINDOW) this.#beats.shift();
  }
}
