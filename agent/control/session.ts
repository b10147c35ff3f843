/**
 * A site's life with its gateway: forward by the last good table, pull, apply, keep, report; and go on whatever the gateway does.
 *
 * What each kind of trouble does to forwarding is the heart of it:
 * - Away, failing, or talking nonsense (a 5xx, a timeout, half a table, a proxy's page): nothing changes. The registry decides, but
 *   the data plane never waits for it.
 * - 401: nothing changes either. It is what a deleted site hears, but also what every site hears after the gateway's database was
 *   restored from before they joined, or while a clock is wrong; to go dark then would turn a slip of the gateway into an outage of
 *   all sites. A site that was deleted does no harm: its peers no longer list its VTEP, so they drop what it sends. It is logged as
 *   an error and shown in the status, for a person to decide.
 * - 403 `site_disabled`: a person said so, and the gateway knew who was asking. The site forwards for nobody, and keeps its table and
 *   keeps asking, so that enabling it brings it back within one wait.
 * - No socket to be told by, or one that is lost: the gateway is asked every few seconds instead (watch.ts).
 * - A table that would take most peers away, and nobody asked for that: held until a snapshot says it again (hold.ts).
 */
import { PULL_SECONDS, WATCHING_PULL_SECONDS } from '../../src/contract/agent.ts';
import type { Delta, TableUpdate } from '../../src/contract/table.ts';
import { CLOSE_DISABLED, CLOSE_UNAUTHENTICATED } from '../../src/contract/watch.ts';
import type { Datapath } from '../datapath/datapath.ts';
import { Announcer } from './announcer.ts';
import { backoffMs } from './backoff.ts';
import type { GatewayClient, Refused, Unavailable } from './client.ts';
import { ContactRecord } from './contact.ts';
import { heartbeatOf } from './heartbeat.ts';
import { type Held, removalsToHold } from './hold.ts';
import { InForce } from './in-force.ts';
import type { TableStore } from './last-good.ts';
import type { Log } from './log.ts';
import { changesNothing, type LastGood, mergeNext, startsFrom, toSnapshot } from './merge.ts';
import { REPORT_SPREAD_MS, reportSeconds, reportSpreadMs } from './report-times.ts';
import { type Contact, type NetworkStatus, networkStatuses } from './status.ts';
import { networkTraffic } from './traffic-teller.ts';
import { type TablePush, Watch } from './watch.ts';
import type { OpenWatch, WatchClosed } from './watch-socket.ts';

export interface SessionOptions {
  readonly client: GatewayClient;
  readonly datapath: Datapath;
  /** The site's own id. */
  readonly site: string;
  readonly store: TableStore;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Calls `act` once after `ms` milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly log: Log;
  /** Without it the gateway is asked for changes, and never tells of them. */
  readonly watch?: OpenWatch;
}

/**
 * What a pull came to: `resynced` is a change that came as a snapshot because a delta did not fit, `held` one that is not put in force
 * until it is said again.
 */
export type PullOutcome = 'changed' | 'resynced' | 'unchanged' | 'held' | 'failed' | 'stopped';

export interface SessionStatus {
  readonly contact: Contact;
  readonly inStep: boolean;
  /** True where the gateway tells of changes as they happen. */
  readonly watching: boolean;
  readonly table: { readonly cursor: string; readonly changedAt: string } | null;
  readonly networks: readonly NetworkStatus[];
}

/** A pull may come 10 % earlier or later, so that agents that started together don't stay together. */
const PULL_JITTER = 0.1;
/** For so long a change may be on its way that was told before the gateway heard where the site is. */
const CROSSING_MS = 10_000;

export class Session {
  readonly #options: SessionOptions;
  readonly #contact: ContactRecord;
  readonly #inForce: InForce;
  readonly #announcer: Announcer;
  readonly #watch: Watch | null;
  #doubted: Held = new Map();
  #held: LastGood | null = null;
  #changedAt = '';
  /** The table on disk lacks at least the newest cursor; where it is that alone, it is not worth a write until the end. */
  #unsaved = false;
  #pulledAt = Number.NEGATIVE_INFINITY;
  #heartbeatAt = Number.NEGATIVE_INFINITY;
  #heartbeatTriedAt = Number.NEGATIVE_INFINITY;
  #reportDue = true;
  /** Since the last report. */
  #pathsChanged = false;
  #stopped = false;
  /** Where the gateway was last told that the site is, and when. */
  #said = { cursor: '', at: 0 };
  #retryAfterSeconds = 0;
  #cancelNext = (): void => {};
  /** Turns are taken one after the other. */
  #turns: Promise<unknown> = Promise.resolve();

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#contact = new ContactRecord(options.now, options.log);
    this.#inForce = new InForce(options.datapath, options.log, () => this.#tellNews());
    this.#announcer = new Announcer({ ...options, held: () => this.#held });
    options.datapath.onPathChange(() => this.#pathChanged());
    this.#watch =
      options.watch === undefined
        ? null
        : new Watch({
            ...options,
            open: options.watch,
            cursor: () => this.#held?.cursor ?? null,
            isAway: () => this.#contact.failures > 0,
            onLive: () => void this.pullNow(),
            onAlive: () => {
              if (this.#contact.failures === 0) this.#contact.reached();
            },
            traffic: () => networkTraffic(this.status().networks, options.datapath.counters().networks),
            onPush: (push) => this.#pushed(push),
            onLost: (closed) => this.#lost(closed),
          });
  }

  /** Puts the last good table in force, then begins to pull. Resolves after the former: no gateway is needed for it. */
  async start(): Promise<void> {
    this.#held = await this.#options.store.load();
    if (this.#held !== null) {
      const table = toSnapshot(this.#held);
      await this.#putInForce(table);
      this.#announcer.tableChanged(table);
      this.#options.log('info', `forwarding by the last good table, ${this.#held.networks.size} networks`);
    }
    await this.#announcer.start();
    void this.pullNow();
    this.#watch?.start();
  }

  /** Pulls once at once. Resolves when what came is in force and reported. */
  pullNow(): Promise<PullOutcome> {
    return this.#turn(async () => {
      const outcome = await this.#pullOn();
      if (outcome === 'failed') await this.#inForce.settle(() => toSnapshot(this.#held!));
      else if (!this.#stopped) await Promise.all([this.#report(), this.#announcer.kick()]);
      return outcome;
    });
  }

  status(): SessionStatus {
    const outage = this.#inForce.withdrawn ? 'the site is disabled' : this.#inForce.outage;
    const networks = networkStatuses(this.#held, this.#inForce.report, outage, this.#doubted);
    const contact = this.#contact.current;
    const table = this.#held === null ? null : { cursor: this.#held.cursor, changedAt: this.#changedAt };
    const inStep = contact.state === 'reachable' && table !== null && networks.every((network) => network.inStep);
    return { contact, inStep, watching: this.#watch?.isLive ?? false, table, networks };
  }

  /** Ends the loop; the data path is the caller's to stop. Resolves when the table is on disk and no request is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watch?.stop();
    this.#cancelNext();
    await this.#turns;
    await this.#announcer.stop();
    if (this.#unsaved) this.#save();
    await this.#options.store.flush();
  }

  #turn(act: () => Promise<PullOutcome>): Promise<PullOutcome> {
    this.#cancelNext();
    const turn = this.#turns.then(async () => {
      if (this.#stopped) return 'stopped';
      const outcome = await act();
      this.#cancelNext();
      if (!this.#stopped) this.#waitForNext();
      return outcome;
    });
    this.#turns = turn;
    return turn;
  }

  #waitForNext(): void {
    const { now, random } = this.#options;
    // What was done lies in the past, though the clock was set back since.
    this.#pulledAt = Math.min(this.#pulledAt, now());
    this.#heartbeatAt = Math.min(this.#heartbeatAt, now());
    this.#heartbeatTriedAt = Math.min(this.#heartbeatTriedAt, now());
    const jitter = 1 + PULL_JITTER * (2 * random() - 1);
    if (this.#contact.failures > 0) {
      return this.#pullIn(backoffMs(this.#contact.failures, random(), this.#retryAfterSeconds));
    }
    if (!this.#mayRest()) return this.#pullIn(PULL_SECONDS * 1000 * jitter);
    const pullMs = this.#pulledAt + WATCHING_PULL_SECONDS * 1000 * jitter - now();
    const reportMs = this.#reportDue
      ? Math.max(reportSpreadMs(this.#held) * random(), this.#heartbeatTriedAt + 2 * reportSpreadMs(this.#held) - now())
      : this.#heartbeatAt + this.#reportSeconds() * 1000 * jitter - now();
    if (pullMs <= reportMs) return this.#pullIn(Math.max(0, pullMs));
    this.#cancelNext = this.#options.after(Math.max(0, reportMs), () => {
      void this.#turn(async () => {
        await this.#report();
        return 'unchanged';
      });
    });
  }

  #reportSeconds(): number {
    return reportSeconds(this.#watch?.isLive === true, this.#pathsChanged);
  }

  /** While a turn is under way, it is its end that sees to the rest. */
  #pathChanged(): void {
    if (this.#pathsChanged) return;
    this.#pathsChanged = true;
    if (this.#stopped || this.#watch?.isLive !== true) return;
    this.#cancelNext();
    this.#waitForNext();
  }

  #pullIn(ms: number): void {
    this.#cancelNext = this.#options.after(ms, () => void this.pullNow());
  }

  /** True where nothing needs to be asked for or tried again for now. */
  #mayRest(): boolean {
    const { outage, report } = this.#inForce;
    return this.#watch?.isLive === true && this.#doubted.size === 0 && outage === null && report.errors.size === 0;
  }

  #pushed(push: TablePush): void {
    if (push.type === 'delta') {
      const { type: _, ...update } = push;
      void this.#turn(() => this.#takePushed(update));
    } else if (push.withinMs === undefined) void this.pullNow();
    else {
      this.#cancelNext();
      this.#pullIn(push.withinMs * this.#options.random());
    }
  }

  async #takePushed(update: Delta): Promise<PullOutcome> {
    const cursor = this.#held?.cursor;
    // What is in doubt is for a snapshot to say, which is pulled soon.
    if (update.cursor === cursor || this.#doubted.size > 0) return 'unchanged';
    if (update.from !== cursor || this.#inForce.withdrawn) {
      // It was on its way when the gateway was told where the site is: what follows on from there comes next.
      const crossed = this.#said.cursor === cursor && this.#options.now() < this.#said.at + CROSSING_MS;
      return crossed ? 'unchanged' : this.#pullOn();
    }
    const outcome = await this.#take(update, cursor);
    if (outcome === 'resynced') this.#sayAt();
    return outcome;
  }

  #lost({ code }: WatchClosed): void {
    if (this.#stopped) return;
    // It stays online by its reports from now on.
    this.#reportDue = true;
    if (code === CLOSE_DISABLED || code === CLOSE_UNAUTHENTICATED) return void this.pullNow();
    if (this.#contact.failures > 0) return;
    this.#cancelNext();
    this.#pullIn(PULL_SECONDS * 1000 * this.#options.random());
  }

  /** The gateway hears of it at once, but no more than once a second; by a pull, so that it takes no pull's place. */
  #tellNews(): void {
    this.#reportDue = true;
    if (this.#held === null || this.#contact.failures > 0) return;
    const waitMs = this.#heartbeatTriedAt + REPORT_SPREAD_MS - this.#options.now();
    if (waitMs <= 0) return void this.pullNow();
    this.#cancelNext();
    this.#pullIn(waitMs);
  }

  /** Pulls from where the site is, and tells the watch socket where it then is. */
  async #pullOn(): Promise<PullOutcome> {
    this.#retryAfterSeconds = 0;
    const wasAway = this.#contact.failures > 0;
    const outcome = await this.#pull(this.#doubted.size > 0 ? null : (this.#held?.cursor ?? null));
    if (outcome === 'failed' || outcome === 'stopped') return outcome;
    this.#pulledAt = this.#options.now();
    if (wasAway) this.#watch?.tryAgain();
    if (outcome !== 'held') this.#sayAt();
    return outcome;
  }

  #sayAt(): void {
    const { cursor } = this.#held!;
    this.#watch?.say({ type: 'at', cursor });
    this.#said = { cursor, at: this.#options.now() };
  }

  async #pull(cursor: string | null): Promise<PullOutcome> {
    const answer = await this.#options.client.pull(cursor);
    if (this.#stopped) return 'stopped';
    switch (answer.kind) {
      case 'not-modified':
        return this.#unchanged();
      case 'updated':
        return this.#take(answer.update, cursor);
      case 'refused':
        if (cursor !== null && (answer.code === 'invalid_cursor' || answer.code === 'invalid_query')) {
          return this.#resync(answer.detail);
        }
        if (answer.code === 'site_disabled') await this.#inForce.withdraw();
        return this.#failed(answer);
      case 'unavailable':
        return this.#failed(answer);
    }
  }

  async #take(update: TableUpdate, cursor: string | null): Promise<PullOutcome> {
    const nothingNew = changesNothing(update);
    const isNext = startsFrom(this.#held, update);
    if (this.#held !== null && isNext) {
      const doubted = removalsToHold(this.#held, update, this.#doubted);
      if (doubted.size > 0) return this.#hold(doubted);
    }
    const merged = mergeNext(this.#held, update);
    if (merged.kind === 'resync') {
      if (cursor !== null) return this.#resync(merged.reason);
      return this.#failed({ kind: 'unavailable', reason: `sent a table that contradicts itself: ${merged.reason}` });
    }
    this.#held = merged.table;
    this.#doubted = new Map();
    this.#unsaved = true;
    this.#announcer.tableChanged(update);
    if (nothingNew) return this.#unchanged();
    this.#contact.reached();
    await this.#putInForce(update);
    this.#save();
    this.#reportDue = true;
    return 'changed';
  }

  #hold(doubted: Held): PullOutcome {
    this.#contact.reached();
    for (const [vni, sites] of doubted) {
      const peers = this.#held?.networks.get(vni)?.vteps.size;
      this.#options.log(
        'error',
        `VNI ${vni}: ${sites.size} of ${peers} peers would go: held until the gateway says it again`,
      );
    }
    this.#doubted = doubted;
    this.#reportDue = true;
    return 'held';
  }

  async #resync(reason: string): Promise<PullOutcome> {
    this.#options.log('warn', `pulling the whole table: ${reason}`);
    const outcome = await this.#pull(null);
    return outcome === 'changed' ? 'resynced' : outcome;
  }

  async #unchanged(): Promise<PullOutcome> {
    this.#contact.reached();
    const changesBefore = this.#inForce.changes;
    await this.#inForce.restore(() => toSnapshot(this.#held!));
    // What could not be carried and now can is news for the gateway.
    if (this.#inForce.changes !== changesBefore) this.#reportDue = true;
    return 'unchanged';
  }

  #failed(failure: Refused | Unavailable): PullOutcome {
    this.#contact.failed(failure);
    if (failure.kind === 'unavailable') this.#retryAfterSeconds = failure.retryAfterSeconds ?? 0;
    return 'failed';
  }

  async #putInForce(update: TableUpdate): Promise<void> {
    await this.#inForce.apply(update, () => toSnapshot(this.#held!));
    this.#changedAt = new Date(this.#options.now()).toISOString();
  }

  #save(): void {
    this.#unsaved = false;
    this.#options.store.save(() => toSnapshot(this.#held!));
  }

  /** At once after a change, and otherwise so that no more than `HEARTBEAT_SECONDS` lie between two, `WATCHING_HEARTBEAT_SECONDS` with a live socket. */
  async #report(): Promise<void> {
    const { client, datapath, version, now, log } = this.#options;
    const watching = this.#watch?.isLive ?? false;
    const seconds = this.#reportSeconds() * (watching ? 1 - PULL_JITTER : 1);
    if (!this.#reportDue && now() < this.#heartbeatAt + seconds * 1000) return;
    this.#heartbeatTriedAt = now();
    this.#pathsChanged = false;
    const { cursor } = this.#held!;
    const { networks } = this.status();
    const answer = await client.heartbeat(heartbeatOf(datapath, { cursor, version, watching, networks }));
    // One that was not taken is tried again, a while later.
    this.#reportDue = answer.kind !== 'accepted';
    if (answer.kind === 'accepted') this.#heartbeatAt = now();
    else if (answer.kind === 'refused') log('warn', `the gateway refuses the report: ${answer.code}: ${answer.detail}`);
    else log('warn', `the report did not reach the gateway: ${answer.reason}`);
  }
}
