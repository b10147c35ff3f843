/** A session with everything around it under a test's control: gateway, clock, timer, disk and data path. */

import type { GatewayClient, HeartbeatAnswer, MacsAnswer, PullAnswer } from '../../../agent/control/client.ts';
import type { TableStore } from '../../../agent/control/last-good.ts';
import { type LastGood, mergeUpdate } from '../../../agent/control/merge.ts';
import { Session } from '../../../agent/control/session.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import type { Heartbeat } from '../../../src/contract/agent.ts';
import type { MacReport } from '../../../src/contract/macs.ts';
import type { Snapshot } from '../../../src/contract/table.ts';

export const OWN_SITE = 'site-1';

export class FakeSite {
  readonly session: Session;
  readonly datapath = new InMemoryDatapath();
  /** The answers to come; when they run out, `otherwise`. */
  readonly answers: PullAnswer[] = [];
  otherwise: PullAnswer = { kind: 'not-modified' };
  heartbeatAnswer: HeartbeatAnswer = { kind: 'accepted' };
  macsAnswer: MacsAnswer = { kind: 'reported', cursor: 'c', rejected: [] };
  readonly macReports: MacReport[] = [];
  readonly cursors: (string | null)[] = [];
  /** What was forwarded to at each pull. */
  readonly peersAtPull: Record<number, string[]>[] = [];
  readonly heartbeats: Heartbeat[] = [];
  readonly lines: string[] = [];
  /** What is on disk. */
  disk: Snapshot | null;
  saves = 0;
  nowMs = Date.UTC(2026, 0, 1);
  random = 0.5;
  #timer: { readonly ms: number; readonly act: () => void } | null = null;

  constructor(disk: Snapshot | null = null) {
    this.disk = disk;
    const client: GatewayClient = {
      pull: async (cursor) => {
        this.cursors.push(cursor);
        this.peersAtPull.push(this.peers);
        return this.answers.shift() ?? this.otherwise;
      },
      heartbeat: async (heartbeat) => {
        this.heartbeats.push(heartbeat);
        return this.heartbeatAnswer;
      },
      reportMacs: async (report) => {
        this.macReports.push(report);
        return this.macsAnswer;
      },
    };
    this.session = new Session({
      client,
      datapath: this.datapath,
      site: OWN_SITE,
      store: this.#store(),
      version: '1.0.0',
      now: () => this.nowMs,
      random: () => this.random,
      after: (ms, act) => {
        const timer = { ms, act };
        this.#timer = timer;
        return () => {
          if (this.#timer === timer) this.#timer = null;
        };
      },
      log: (level, message) => void this.lines.push(`${level} ${message}`),
    });
  }

  /** How long the session waits before it pulls again, in milliseconds; null where it does not. */
  get waitMs(): number | null {
    return this.#timer?.ms ?? null;
  }

  /** Lets the time pass that the session waits for, and the pull that follows. */
  async passWait(): Promise<void> {
    const timer = this.#timer;
    if (timer === null) throw new Error('the session waits for nothing');
    this.nowMs += timer.ms;
    this.#timer = null;
    timer.act();
    await this.settled();
  }

  /** Waits for the pull that is under way, without starting another. */
  async settled(): Promise<void> {
    while (this.#timer === null) await new Promise((resolve) => setImmediate(resolve));
  }

  get peers(): Record<number, string[]> {
    const networks = [...this.datapath.networks.values()];
    return Object.fromEntries(networks.map(({ vni, vteps }) => [vni, [...vteps.keys()].sort()]));
  }

  #store(): TableStore {
    return {
      load: async (): Promise<LastGood | null> => {
        if (this.disk === null) return null;
        const merged = mergeUpdate(null, structuredClone(this.disk));
        return merged.kind === 'merged' ? merged.table : null;
      },
      save: (current) => {
        this.saves++;
        this.disk = structuredClone(current());
      },
      flush: async () => {},
    };
  }
}
