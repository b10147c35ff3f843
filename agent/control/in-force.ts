/**
 * Keeps a data path in step with a table, whatever fails on the way: knows what should be in force and whether it certainly is, and
 * puts the whole table in force again where a delta would fall on uncertain ground.
 */

import { reasonOf } from '../../shared/failure.ts';
import type { Snapshot, TableUpdate } from '../../src/contract/table.ts';
import type { ApplyReport, Datapath } from '../datapath/datapath.ts';
import type { Log } from './log.ts';

export class InForce {
  /** What the data path said last. */
  report: ApplyReport = { errors: new Map(), mtus: new Map() };
  /** Why the table as a whole is not in force, or null where it is. */
  outage: string | null = null;
  /** Goes up when a network begins or ceases to be carried, or the reason changes. */
  changes = 0;
  readonly #datapath: Datapath;
  readonly #log: Log;
  #wanted: 'table' | 'nothing' = 'table';
  #certain = true;

  /** @param onNews is called when the data path found by itself that a network is carried no more, or again. */
  constructor(datapath: Datapath, log: Log, onNews: () => void = () => {}) {
    this.#datapath = datapath;
    this.#log = log;
    datapath.onReport((report) => {
      if (!this.#certain) return;
      const before = this.changes;
      this.#take(report);
      if (this.changes !== before) onNews();
    });
  }

  /** Puts `update` in force, or all of `whole` where the data path does not stand where the update starts. */
  async apply(update: TableUpdate, whole: () => Snapshot): Promise<void> {
    const next = this.#wanted === 'table' && this.#certain ? update : whole();
    this.#wanted = 'table';
    await this.#put(next);
  }

  /** Brings the table back after `withdraw`; else as `settle`. */
  async restore(whole: () => Snapshot): Promise<void> {
    if (this.#wanted === 'nothing') return this.apply(whole(), whole);
    await this.settle(whole);
  }

  /** Tries again what failed: what should be in force as a whole, or the networks that could not be carried. */
  async settle(whole: () => Snapshot): Promise<void> {
    if (this.#wanted === 'nothing') return this.#certain ? undefined : this.#put(NOTHING);
    if (!this.#certain) return this.#put(whole());
    if (this.report.errors.size > 0) await this.#call(() => this.#datapath.retry());
  }

  /** Forwards for nobody, until `apply` or `restore`. */
  async withdraw(): Promise<void> {
    if (this.#wanted === 'nothing') return this.settle(() => NOTHING);
    this.#wanted = 'nothing';
    await this.#put(NOTHING);
  }

  get withdrawn(): boolean {
    return this.#wanted === 'nothing';
  }

  async #put(update: TableUpdate): Promise<void> {
    await this.#call(() => this.#datapath.apply(update));
  }

  async #call(act: () => Promise<ApplyReport>): Promise<void> {
    const hadOutage = this.outage !== null;
    let report: ApplyReport;
    try {
      report = await act();
      this.#certain = true;
      this.outage = null;
    } catch (error) {
      this.#certain = false;
      this.outage = `the data path did not take the table: ${reasonOf(error)}`;
      if (!hadOutage) this.changes++;
      this.#log('error', this.outage);
      return;
    }
    if (hadOutage) this.changes++;
    this.#take(report);
  }

  #take(report: ApplyReport): void {
    const before = this.report.errors;
    this.report = report;
    for (const [vni, error] of this.report.errors) {
      if (before.get(vni) === error) continue;
      this.changes++;
      this.#log('error', `VNI ${vni} is not carried: ${error}`);
    }
    for (const vni of this.report.mtus.keys()) {
      if (!before.has(vni)) continue;
      this.changes++;
      this.#log('info', `VNI ${vni} is carried now`);
    }
  }
}

/** Never sent anywhere, so its cursor means nothing. */
const NOTHING: Snapshot = { kind: 'snapshot', cursor: 'none', networks: [] };
