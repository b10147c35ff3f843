/**
 * A site's WireGuard keys towards its gateway and its peers: publishes them, and goes over from one to another so that nothing is lost.
 *
 *     [old]  ──▶  [old, new]  ──▶  [new, old]  ──▶  [new]
 *
 * The first is the one to send to and by. A step is taken when all peers have said that they forward by the one before: first they take
 * from the new key as well, then both sides send by it, then the old one goes. A peer that does not follow is waited for only so long. The
 * list is on disk before anyone hears of it, so an agent that starts anew goes on where it was.
 */
import { Failure, reasonOf } from '../../shared/failure.ts';
import { Turns } from '../../shared/turns.ts';
import type { WireguardPublish } from '../../src/contract/wireguard.ts';
import { backoffMs } from './backoff.ts';
import type { PublishAnswer } from './client.ts';
import type { Log } from './log.ts';
import type { WireguardStatus } from './status.ts';
import { newWireguardKey, type WireguardKeyPair } from './wireguard-keys.ts';

/** What carries by the keys. */
export interface KeyedDatapath {
  /** Sends by the first and takes by each when it resolves. */
  setKeys(keys: readonly WireguardKeyPair[]): Promise<void>;
  /** True where no peer would have to wait for a handshake with the last. */
  isWarm(): Promise<boolean>;
}

export interface WireguardSiteOptions {
  readonly publish: (body: WireguardPublish) => Promise<PublishAnswer>;
  readonly datapath: KeyedDatapath;
  readonly keys: readonly WireguardKeyPair[];
  readonly save: (keys: readonly WireguardKeyPair[]) => Promise<void>;
  /** UDP: the key's, or of two the lower one. */
  readonly port: number;
  /** Where peers reach the site; undefined: as the gateway sees it. */
  readonly address: () => string | undefined;
  /** How old a key becomes; null: as old as it likes. */
  readonly rotateMs: number | null;
  readonly now: () => number;
  readonly random: () => number;
  readonly after: (ms: number, act: () => void) => () => void;
  readonly log: Log;
}

/** Said again so often: a gateway whose database was restored may have forgotten it. */
const SAY_AGAIN_MS = 600_000;
/** How often it is asked how far the peers are. */
const LOOK_MS = 500;
/** How long peers that don't follow are waited for, at each step. */
const PATIENCE_MS = 600_000;
/** How long what was sent to the old key may be on its way. */
const LINGER_MS = 2000;

export class WireguardSite {
  readonly #options: WireguardSiteOptions;
  #keys: readonly WireguardKeyPair[];
  #address: string | null = null;
  #waitingFor: number | null = null;
  #error: string | null = null;
  #failures = 0;
  #stepSince: number;
  #followedSince: number | null = null;
  #cancelNext = (): void => {};
  readonly #turns = new Turns();
  #stopped = false;

  constructor(options: WireguardSiteOptions) {
    this.#options = options;
    this.#keys = options.keys;
    this.#stepSince = options.now();
  }

  start(): void {
    this.#next(0);
  }

  status(): Omit<WireguardStatus, 'datapath' | 'withoutSession'> {
    const [first, second] = this.#keys;
    return {
      publicKey: first!.publicKey,
      port: first!.port,
      address: this.#address,
      ...(second === undefined ? {} : { moving: { publicKey: second.publicKey, waitingFor: this.#waitingFor } }),
      ...(this.#error === null ? {} : { error: this.#error }),
    };
  }

  /** Begins to go over to another key. @returns it, or the one that it goes over to already. @throws Failure */
  rotate(): Promise<string> {
    return this.#turns.take(async () => {
      if (this.#keys.length === 1) await this.#begin();
      this.#next(0);
      return newest(this.#keys).publicKey;
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelNext();
    await this.#turns.done();
  }

  async #begin(): Promise<void> {
    const { port, now } = this.#options;
    const [current] = this.#keys;
    // The later one is the new one, wherever the clock was set meanwhile.
    const madeAt = Math.max(now(), current!.madeAt + 1);
    const next = newWireguardKey(current!.port === port ? port + 1 : port, madeAt);
    try {
      await this.#goTo([current!, next]);
    } catch (error) {
      await this.#options.save([current!]);
      this.#keys = [current!];
      throw new Failure('failed', `the site keeps its key: ${reasonOf(error)}`, error);
    }
    this.#options.log('info', `going over to the WireGuard key ${next.publicKey}`);
  }

  async #turn(): Promise<void> {
    const { rotateMs, now, random } = this.#options;
    try {
      if (rotateMs !== null && this.#keys.length === 1 && now() - this.#keys[0]!.madeAt > rotateMs) await this.#begin();
      const outcome = await this.#publish();
      if (outcome === 'unavailable') return this.#next(backoffMs(this.#failures, random(), 0));
      // An older gateway, say: what it has refused it goes on refusing for a while.
      if (outcome === 'refused') return this.#next(SAY_AGAIN_MS / 10);
      if (this.#keys.length === 1) return this.#next(SAY_AGAIN_MS * (0.9 + 0.2 * random()));
      this.#next((await this.#step()) ? 0 : LOOK_MS);
    } catch (error) {
      this.#options.log('error', `the WireGuard key can't be changed now: ${reasonOf(error)}`);
      this.#next(SAY_AGAIN_MS / 10);
    }
  }

  async #publish(): Promise<PublishAnswer['kind']> {
    const address = this.#options.address();
    const keys = this.#keys.map(({ publicKey, port }) => ({ publicKey, port }));
    const answer = await this.#options.publish({ keys, ...(address === undefined ? {} : { address }) });
    if (answer.kind === 'published') {
      this.#address = answer.address;
      this.#waitingFor = answer.waitingFor;
      this.#error = null;
      this.#failures = 0;
      return answer.kind;
    }
    const error = answer.kind === 'refused' ? `${answer.code}: ${answer.detail}` : answer.reason;
    if (error !== this.#error)
      this.#options.log('warn', `the gateway has not taken the site's WireGuard key: ${error}`);
    this.#error = error;
    this.#failures++;
    return answer.kind;
  }

  /** Goes one step on where the peers are that far. @returns whether it did. */
  async #step(): Promise<boolean> {
    const { datapath, now, log } = this.#options;
    const [first, second] = this.#keys as [WireguardKeyPair, WireguardKeyPair];
    const isLate = now() - this.#stepSince > PATIENCE_MS;
    if (isLate && this.#waitingFor !== 0)
      log('warn', `${this.#waitingFor} peers don't follow to the new WireGuard key`);
    if (first.madeAt < second.madeAt) {
      if (!isLate && !(this.#waitingFor === 0 && (await datapath.isWarm()))) return false;
      await this.#goTo([second, first]);
      return true;
    }
    if (!isLate && this.#waitingFor !== 0) return false;
    this.#followedSince ??= now();
    if (now() - this.#followedSince < LINGER_MS) return false;
    await this.#goTo([first]);
    log('info', `the site's WireGuard key is now ${first.publicKey}`);
    return true;
  }

  async #goTo(keys: readonly WireguardKeyPair[]): Promise<void> {
    await this.#options.save(keys);
    await this.#options.datapath.setKeys(keys);
    this.#keys = keys;
    this.#stepSince = this.#options.now();
    this.#followedSince = null;
    this.#waitingFor = null;
  }

  #next(ms: number): void {
    this.#cancelNext();
    if (this.#stopped) return;
    this.#cancelNext = this.#options.after(ms, () => void this.#turns.take(() => this.#turn()).catch(() => undefined));
  }
}

function newest(keys: readonly WireguardKeyPair[]): WireguardKeyPair {
  return keys.reduce((a, b) => (a.madeAt > b.madeAt ? a : b));
}
