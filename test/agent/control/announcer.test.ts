/** When stations are announced, against a gateway that a test answers for. */
import { expect, test } from 'vitest';
import { Announcer } from '../../../agent/control/announcer.ts';
import type { MacsAnswer } from '../../../agent/control/client.ts';
import { type LastGood, mergeUpdate } from '../../../agent/control/merge.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import { MAX_MACS_PER_CALL, type MacReport } from '../../../src/contract/macs.ts';
import type { Snapshot } from '../../../src/contract/table.ts';
import { macRow, network, snapshot, vtep } from './tables.ts';

const AWAY: MacsAnswer = { kind: 'unavailable', reason: 'connect ECONNREFUSED' };
const TAKEN: MacsAnswer = { kind: 'reported', cursor: 'c', rejected: [] };
const TABLE = snapshot('c1', [network(9, { vteps: [vtep(2)] })]);
const at = (n: number) => ({ vni: 9, mac: macRow(n, '').mac });

class World {
  readonly datapath = new InMemoryDatapath();
  readonly announcer: Announcer;
  readonly reports: MacReport[] = [];
  readonly lines: string[] = [];
  /** The answers to come; then all is taken. */
  readonly answers: MacsAnswer[] = [];
  held: LastGood | null = null;
  nowMs = 0;
  #timer: { readonly ms: number; readonly act: () => void } | null = null;
  /** Called as each report arrives. */
  onReport = (): void => {};

  constructor() {
    this.announcer = new Announcer({
      client: {
        reportMacs: async (report) => {
          this.reports.push(report);
          this.onReport();
          return this.answers.shift() ?? TAKEN;
        },
      },
      datapath: this.datapath,
      site: 'site-1',
      held: () => this.held,
      now: () => this.nowMs,
      random: () => 0.5,
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

  static async started(table: Snapshot = TABLE): Promise<World> {
    const world = new World();
    await world.take(table);
    await world.announcer.start();
    return world;
  }

  /** The gateway's table comes, as a session takes it. */
  async take(table: Snapshot): Promise<void> {
    const merged = mergeUpdate(null, structuredClone(table));
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    this.held = merged.table;
    this.announcer.tableChanged(table);
    await this.datapath.apply(table);
  }

  get waitMs(): number | null {
    return this.#timer?.ms ?? null;
  }

  async passWait(): Promise<void> {
    const timer = this.#timer!;
    this.#timer = null;
    this.nowMs += timer.ms;
    timer.act();
    await this.idle();
  }

  async idle(): Promise<void> {
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a station is announced when it is heard, and what is heard during a call goes with the next one', async () => {
  const world = await World.started();
  world.onReport = () => {
    world.onReport = () => {};
    world.datapath.hear(at(2), at(3));
  };
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.reports.map(({ announce }) => announce)).toEqual([[at(1)], [at(2), at(3)]]);
  expect(world.waitMs).toBeNull();
});

test('while the gateway is away it is tried again ever later, not for every station; then it hears of all at once', async () => {
  const world = await World.started();
  world.answers.push(AWAY, AWAY, AWAY);
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.waitMs).toBe(500);
  world.datapath.hear(at(2));
  await world.idle();
  expect(world.reports).toHaveLength(1);
  await world.passWait();
  expect(world.waitMs).toBe(1000);
  await world.passWait();
  expect(world.waitMs).toBe(2000);
  world.datapath.forget(at(2));
  await world.passWait();
  expect(world.reports.at(-1)!.announce).toEqual([at(1)]);
  expect(world.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  world.datapath.hear(at(3));
  await world.idle();
  expect(world.reports.at(-1)).toEqual({ announce: [at(3)], withdraw: [] });
});

test('a pull that the gateway answers is an occasion to try at once', async () => {
  const world = await World.started();
  world.answers.push(AWAY);
  world.datapath.hear(at(1));
  await world.idle();
  await world.announcer.kick();
  expect(world.reports).toHaveLength(2);
  expect(world.waitMs).toBeNull();
});

test('a gateway that refuses the call is not asked for the same again for a minute', async () => {
  const world = await World.started();
  world.answers.push({ kind: 'refused', code: 'invalid_body', detail: 'announce.0.mac: no' });
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.waitMs).toBe(60_000);
  await world.announcer.kick();
  expect(world.reports).toHaveLength(1);
  await world.passWait();
  expect(world.reports).toHaveLength(2);
});

test('what was rejected is said in one line, and tried again after a minute', async () => {
  const world = await World.started();
  const rejected = [1, 2, 3].map((n) => ({
    ...at(n),
    code: n === 3 ? ('mac_frozen' as const) : ('mac_sticky' as const),
  }));
  world.answers.push({ kind: 'reported', cursor: 'c', rejected });
  world.datapath.hear(at(1), at(2), at(3), at(4));
  await world.idle();
  expect(world.lines).toEqual(['warn the gateway did not take all MACs: mac_sticky (2), mac_frozen (1)']);
  await world.passWait();
  expect(world.nowMs).toBe(60_000);
  expect(world.reports.at(-1)!.announce).toEqual([at(1), at(2), at(3)]);
});

test('ten thousand stations go in as many calls as they need', async () => {
  const world = await World.started();
  const stations = Array.from({ length: 10_001 }, (_, i) => ({
    vni: 9,
    mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
  }));
  world.datapath.hear(...stations);
  await world.idle();
  expect(world.reports.map(({ announce }) => announce.length)).toEqual([MAX_MACS_PER_CALL, MAX_MACS_PER_CALL, 1]);
});

test('what is on the ports already when control starts is announced too', async () => {
  const world = new World();
  await world.datapath.apply(TABLE);
  world.datapath.hear(at(1));
  await world.announcer.start();
  await world.take(TABLE);
  await world.idle();
  expect(world.reports).toEqual([{ announce: [at(1)], withdraw: [] }]);
});

test('once it is stopped nothing is sent any more', async () => {
  const world = await World.started();
  await world.announcer.stop();
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.reports).toEqual([]);
  expect(world.waitMs).toBeNull();
});

test('a table that makes a station news is occasion enough: nobody has to speak, nor pull', async () => {
  const sticky = { ...macRow(1, 'site-2'), sticky: true };
  const world = await World.started(snapshot('c1', [network(9, { vteps: [vtep(2)], macs: [sticky] })]));
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.reports).toEqual([]);
  await world.take(snapshot('c2', [network(9, { vteps: [vtep(2)], revision: 2 })]));
  await world.idle();
  expect(world.reports).toEqual([{ announce: [at(1)], withdraw: [] }]);
});

test('a station from before a restart that stays silent is withdrawn when its time is over, by a timer of its own', async () => {
  const world = await World.started(snapshot('c1', [network(9, { macs: [macRow(1, 'site-1'), macRow(2, 'site-1')] })]));
  world.datapath.hear(at(1));
  await world.idle();
  expect(world.reports).toEqual([]);
  expect(world.waitMs).toBe(300_000);
  await world.passWait();
  expect(world.reports).toEqual([{ announce: [], withdraw: [at(2)] }]);
});
