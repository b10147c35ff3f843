/** Full load, until told to stop: TCP between all, UDP bursts, and broadcasts that go everywhere. */
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Activity } from '../../demo/lab/probe.ts';
import type { PingResult } from '../../demo/probes/protocol.ts';
import type { Name, World } from './world.ts';

const BLAST = fileURLToPath(new URL('../bench/datapath/blast.ts', import.meta.url));
const TRANSFER_BYTES = 50_000_000;
/** Far more than it takes; a flow that stands is stuck. */
const TRANSFER_MS = 60_000;
const UDP_RATE = 5000;
const UDP_SECONDS = 2;
const BROADCASTS = 20;
const BROADCAST_MS = 100;
/** Both ends of these are there all the time. */
const STEADY: readonly (readonly [Name, Name])[] = [
  ['a', 'b'],
  ['b', 'a'],
];
const SHAKEN: readonly (readonly [Name, Name])[] = [
  ['a', 'c'],
  ['c', 'b'],
  ['k', 'a'],
  ['b', 'k'],
];

export class Loads {
  /** Transfers that ended well, by flow. */
  readonly done = new Map<string, number>();
  /** What went wrong where nothing should have. */
  readonly faults: string[] = [];
  readonly #world: World;
  readonly #loops: Promise<void>[] = [];
  readonly #pings: { readonly flow: string; readonly activity: Activity<PingResult> }[] = [];
  #stopping = false;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const { sites, hostOf } = { sites: this.#world.sites, hostOf: (name: Name) => this.#world.hostOf(name) };
    for (const flow of STEADY) this.#loops.push(this.#transfer(flow, true));
    for (const flow of SHAKEN) this.#loops.push(this.#transfer(flow, false));
    for (const [from, to] of STEADY) {
      const activity = sites[from].startPing(hostOf(to), { intervalMs: 100, timeoutMs: 2000 });
      this.#pings.push({ flow: `${from} to ${to}`, activity });
      const blast = [process.execPath, BLAST, hostOf(to), '512', String(UDP_RATE), String(UDP_SECONDS)];
      this.#loops.push(this.#loop(async () => void (await sites[from].exec(blast))));
    }
    const broadcasts = Array.from({ length: BROADCASTS }, (_, i) => new Uint8Array(20 + i * 60).fill(i));
    for (const name of ['a', 'b'] as const) {
      const from = hostOf(name);
      this.#loops.push(
        this.#loop(async () => {
          await sites[name].send('192.168.77.255', 9, broadcasts, { from });
          // As many as hosts send, and not a storm that drowns all else.
          await wait(BROADCAST_MS);
        }),
      );
    }
  }

  /** @returns the longest time, in seconds, that no ping of a steady flow was answered. */
  async stop(): Promise<number> {
    this.#stopping = true;
    await Promise.all(this.#loops);
    let longest = 0;
    for (const { activity } of this.#pings) {
      const { rttsMs } = await activity.stop();
      let run = 0;
      for (const rtt of rttsMs) {
        run = rtt === null ? run + 1 : 0;
        longest = Math.max(longest, run / 10);
      }
    }
    return longest;
  }

  /** Begins nothing more. */
  abandon(): void {
    this.#stopping = true;
  }

  async #transfer([from, to]: readonly [Name, Name], isSteady: boolean): Promise<void> {
    const { sites } = this.#world;
    const flow = `${from} to ${to}`;
    await this.#loop(async () => {
      try {
        await sites[from].transfer(sites[to], this.#world.hostOf(to), TRANSFER_BYTES, { timeoutMs: TRANSFER_MS });
        this.done.set(flow, (this.done.get(flow) ?? 0) + 1);
      } catch (error) {
        // Its other end was taken away; one that never was has no excuse.
        if (isSteady) this.faults.push(`${flow}: ${error instanceof Error ? error.message : error}`);
        else await sites[from].ping(this.#world.hostOf(to), { count: 1, timeoutMs: 200 }).catch(() => undefined);
      }
    });
  }

  async #loop(act: () => Promise<void>): Promise<void> {
    while (!this.#stopping) {
      await act().catch((error: unknown) => {
        // One is enough to know, and to stop: what fails at once would fail for ever.
        this.faults.push(String(error));
        this.#stopping = true;
      });
    }
  }
}
