/** A site's life by a table in a file: put it in force, try again what could not be carried, and take a new table when told. */
import { PULL_SECONDS } from '../../src/contract/agent.ts';
import type { Snapshot } from '../../src/contract/table.ts';
import type { Datapath } from '../datapath/datapath.ts';
import { InForce } from './in-force.ts';
import type { Log } from './log.ts';
import { type LastGood, mergeUpdate, toSnapshot } from './merge.ts';
import type { SessionStatus } from './session.ts';
import { networkStatuses } from './status.ts';

export interface FileSessionOptions {
  readonly datapath: Datapath;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls `act` once after `ms` milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
  readonly log: Log;
}

export class FileSession {
  readonly #options: FileSessionOptions;
  readonly #inForce: InForce;
  #held: LastGood | null = null;
  #changedAt = '';
  #stopped = false;
  #cancelNext = (): void => {};
  #turns: Promise<void> = Promise.resolve();

  constructor(options: FileSessionOptions) {
    this.#options = options;
    this.#inForce = new InForce(options.datapath, options.log);
  }

  /** Puts the table in force. Resolves when it is. */
  apply(table: Snapshot): Promise<void> {
    return this.#turn(async () => {
      const merged = mergeUpdate(null, table);
      if (merged.kind === 'resync') throw new Error(`a table that contradicts itself: ${merged.reason}`);
      this.#held = merged.table;
      await this.#inForce.apply(table, () => table);
      this.#changedAt = new Date(this.#options.now()).toISOString();
    });
  }

  status(): Omit<SessionStatus, 'contact' | 'watching'> {
    const networks = networkStatuses(this.#held, this.#inForce.report, this.#inForce.outage);
    const table = this.#held === null ? null : { cursor: this.#held.cursor, changedAt: this.#changedAt };
    return { inStep: table !== null && networks.every(({ inStep }) => inStep), table, networks };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelNext();
    await this.#turns;
  }

  #turn(act: () => Promise<void>): Promise<void> {
    this.#turns = this.#turns.then(async () => {
      if (this.#stopped) return;
      await act();
      this.#cancelNext();
      if (this.#inForce.outage === null && this.#inForce.report.errors.size === 0) return;
      this.#cancelNext = this.#options.after(PULL_SECONDS * 1000, () => void this.#settle());
    });
    return this.#turns;
  }

  #settle(): Promise<void> {
    return this.#turn(() => this.#inForce.settle(() => toSnapshot(this.#held!)));
  }
}
