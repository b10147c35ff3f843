/**
 * Holds a watch socket open, whatever happens to it: connects, makes sure that it lives, and connects anew, ever less often while that
 * fails. While none lives the session polls, so a proxy that blocks sockets costs nothing but time.
 */
import * as v from 'valibot';
import type { NetworkTraffic } from '../../src/contract/traffic.ts';
import {
  isOfUnknownType,
  PING,
  PING_SECONDS,
  PONG,
  PONG_SECONDS,
  type Push,
  PushSchema,
  type WatcherSays,
} from '../../src/contract/watch.ts';
import { backoffMs } from './backoff.ts';
import type { Log } from './log.ts';
import { TrafficTeller } from './traffic-teller.ts';
import type { OpenWatch, WatchClosed, WatchSocket } from './watch-socket.ts';

/** While the gateway is away a socket is what finds out that it is back; a proxy that lets none through need not be asked so often. */
const LONGEST_AWAY_MS = 15_000;
const LONGEST_MS = 60_000;

/** What is told of the table. */
export type TablePush = Exclude<Push, { type: 'traffic' }>;

export interface WatchOptions {
  readonly open: OpenWatch;
  /** The cursor of the table that is held, or null. */
  readonly cursor: () => string | null;
  /** True while the gateway doesn't answer. */
  readonly isAway: () => boolean;
  /** The socket lives: it may have been deaf before, so it is time to pull. */
  readonly onLive: () => void;
  /** It still lives. */
  readonly onAlive: () => void;
  readonly onPush: (push: TablePush) => void;
  /** What the site carries, for those who look at it. */
  readonly traffic: () => readonly NetworkTraffic[];
  /** It lived, and does no more. */
  readonly onLost: (closed: WatchClosed) => void;
  readonly random: () => number;
  readonly after: (ms: number, act: () => void) => () => void;
  readonly log: Log;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #traffic: TrafficTeller;
  #socket: WatchSocket | null = null;
  #isLive = false;
  #failures = 0;
  #said = false;
  #cancel = (): void => {};

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#traffic = new TrafficTeller({ ...options, say: (said) => this.say(said) });
  }

  /** True from the first answer to a ping on: a proxy may take a socket and carry nothing over it. */
  get isLive(): boolean {
    return this.#isLive;
  }

  start(): void {
    const { open, cursor } = this.#options;
    let own: WatchSocket | null = null;
    const isCurrent = (): boolean => own !== null && own === this.#socket;
    own = open(cursor(), {
      onOpen: () => isCurrent() && this.#ping(),
      onText: (text) => isCurrent() && this.#hear(text),
      onClosed: (closed) => isCurrent() && this.#lose(closed),
    });
    this.#socket = own;
  }

  /** The gateway is back: what a socket met while it was away says nothing any more. */
  tryAgain(): void {
    this.#failures = 0;
    if (this.#socket !== null) return;
    this.#cancel();
    this.start();
  }

  /** Says it where the socket lives; else it is not worth saying. */
  say(said: WatcherSays): void {
    if (this.#isLive) this.#socket?.send(JSON.stringify(said));
  }

  stop(): void {
    this.#traffic.stop();
    this.#cancel();
    this.#isLive = false;
    const socket = this.#socket;
    this.#socket = null;
    socket?.end();
  }

  #ping(): void {
    const { after } = this.#options;
    this.#socket?.send(PING);
    this.#cancel = after(PONG_SECONDS * 1000, () => {
      const socket = this.#socket;
      this.#lose({ code: null, reason: `no answer to a ping within ${PONG_SECONDS} s` });
      socket?.end();
    });
  }

  #hear(text: string): void {
    const { after, log, onAlive, onLive, onPush } = this.#options;
    if (text === PONG) {
      this.#cancel();
      this.#cancel = after(PING_SECONDS * 1000, () => this.#ping());
      this.#failures = 0;
      if (this.#isLive) return onAlive();
      this.#isLive = true;
      this.#said = false;
      log('info', 'the gateway tells of changes as they happen');
      return onLive();
    }
    const push = parsePush(text);
    if (push?.type === 'traffic') this.#traffic.ask(push);
    else if (push !== null) onPush(push);
  }

  #lose(closed: WatchClosed): void {
    const { after, random, log, isAway, onLost } = this.#options;
    const wasLive = this.#isLive;
    this.#traffic.stop();
    this.#cancel();
    this.#socket = null;
    this.#isLive = false;
    this.#failures++;
    if (!this.#said) log('warn', `the gateway can't tell of changes, so it is asked for them: ${closed.reason}`);
    this.#said = true;
    const waitMs = backoffMs(this.#failures, random(), 0, isAway() ? LONGEST_AWAY_MS : LONGEST_MS);
    this.#cancel = after(waitMs, () => this.start());
    if (wasLive) onLost(closed);
  }
}

/** @returns null where it is to be passed over. What nobody would say is from a broken gateway: a pull finds out what is so. */
function parsePush(text: string): Push | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { type: 'changed' };
  }
  const parsed = v.safeParse(PushSchema, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  return isOfUnknownType(json) ? null : { type: 'changed' };
}
