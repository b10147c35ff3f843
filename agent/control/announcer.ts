/**
 * Tells the gateway which stations are on this site's ports: at once, in few calls, again for as long as it takes. What there is to tell is
 * the ledger's business, this is when.
 */
import { MAX_MACS_PER_CALL } from '../../src/contract/macs.ts';
import type { TableUpdate } from '../../src/contract/table.ts';
import type { Datapath } from '../datapath/datapath.ts';
import { backoffMs } from './backoff.ts';
import type { GatewayClient } from './client.ts';
import type { Log } from './log.ts';
import { MacLedger, REJECTED_RETRY_SECONDS } from './mac-ledger.ts';
import type { LastGood } from './merge.ts';

export interface AnnouncerOptions {
  readonly client: Pick<GatewayClient, 'reportMacs'>;
  readonly datapath: Pick<Datapath, 'onLearned' | 'localMacs'>;
  /** The site's own id. */
  readonly site: string;
  /** The table that the gateway gave last. */
  readonly held: () => LastGood | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Calls `act` once after `ms` milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly log: Log;
}

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #ledger: MacLedger;
  #failures = 0;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #cancelNext = (): void => {};

  constructor(options: AnnouncerOptions) {
    this.#options = options;
    this.#ledger = new MacLedger(options.site, options.now());
  }

  /** Begins to listen to the data path. */
  async start(): Promise<void> {
    const { datapath, held, now } = this.#options;
    datapath.onLearned((changes) => {
      this.#ledger.learned(changes, held(), now());
      // While the gateway doesn't answer, the next try is when it is due, not with every station that is heard.
      if (this.#failures === 0) void this.kick();
    });
    this.#ledger.learned({ announce: await datapath.localMacs(), withdraw: [] }, held(), now());
  }

  /** Must be called with every table that was merged, and with the one that was there at the start. */
  tableChanged(update: TableUpdate): void {
    const now = this.#options.now();
    const held = this.#options.held();
    if (held === null) return;
    this.#ledger.tableChanged(update, held, now);
    const { dueAt } = this.#ledger;
    if (dueAt !== null && dueAt <= now && this.#failures === 0) void this.kick();
  }

  /** Tells what there is to tell, at once. Resolves when the gateway has it, or did not answer. */
  kick(): Promise<void> {
    this.#again = true;
    this.#cancelNext();
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Ends it. Resolves when no request is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelNext();
    await this.#running;
  }

  async #run(): Promise<void> {
    let waitMs: number | null = null;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      waitMs = await this.#tellAll();
    }
    this.#running = null;
    if (waitMs !== null && !this.#stopped) this.#cancelNext = this.#options.after(waitMs, () => void this.kick());
  }

  /** @returns how long to wait until there is more to do, or null where only a change will make it so. */
  async #tellAll(): Promise<number | null> {
    const { client, held, now, random, log } = this.#options;
    while (!this.#stopped) {
      const report = this.#ledger.take(held(), now(), MAX_MACS_PER_CALL);
      if (report.announce.length + report.withdraw.length === 0) break;
      const answer = await client.reportMacs(report);
      if (answer.kind === 'reported') {
        this.#failures = 0;
        this.#ledger.taken(report, answer.rejected, now());
        if (answer.rejected.length > 0) log('warn', `the gateway did not take all MACs: ${summaryOf(answer.rejected)}`);
        continue;
      }
      this.#failures++;
      // A refusal is an answer: the same again would get the same.
      const isRefused = answer.kind === 'refused';
      const waitMs = isRefused
        ? REJECTED_RETRY_SECONDS * 1000
        : backoffMs(this.#failures, random(), answer.retryAfterSeconds);
      this.#ledger.failed(report, isRefused ? now() + waitMs : now());
      if (this.#failures === 1) {
        const reason = isRefused ? `${answer.code}: ${answer.detail}` : answer.reason;
        log('warn', `the gateway did not hear of ${report.announce.length} MACs, which will be told again: ${reason}`);
      }
      return waitMs;
    }
    const { dueAt } = this.#ledger;
    return dueAt === null ? null : Math.max(0, dueAt - now());
  }
}

/** `mac_sticky (2), quota_exceeded (1)` */
function summaryOf(rejected: readonly { readonly code: string }[]): string {
  const byCode = Map.groupBy(rejected, ({ code }) => code);
  return [...byCode].map(([code, group]) => `${code} (${group.length})`).join(', ');
}
