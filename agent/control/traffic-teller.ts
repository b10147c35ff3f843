/** Says over the watch socket what the site carries, now and then, for as long as the gateway asked: somebody looks. */
import { type NetworkTraffic, trafficOf } from '../../src/contract/traffic.ts';
import { MAX_TRAFFIC_NETWORKS, type WatcherSays } from '../../src/contract/watch.ts';
import type { DatapathCounters } from '../datapath/datapath.ts';

export interface TrafficTellerOptions {
  readonly traffic: () => readonly NetworkTraffic[];
  readonly say: (said: WatcherSays) => void;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly after: (ms: number, act: () => void) => () => void;
}

export class TrafficTeller {
  readonly #options: TrafficTellerOptions;
  #everyMs = 0;
  /** How many times more it is said, unless asked anew. */
  #times = 0;
  #cancel: (() => void) | null = null;

  constructor(options: TrafficTellerOptions) {
    this.#options = options;
  }

  /** Every `everyMs`, for `forMs` from now on. The first time comes at a random moment, since many sites are asked at once. */
  ask({ everyMs, forMs }: { readonly everyMs: number; readonly forMs: number }): void {
    this.#everyMs = everyMs;
    this.#times = Math.ceil(forMs / everyMs);
    if (this.#times === 0) return this.stop();
    this.#cancel ??= this.#options.after((everyMs / 2) * this.#options.random(), () => this.#tell());
  }

  stop(): void {
    this.#times = 0;
    this.#cancel?.();
    this.#cancel = null;
  }

  #tell(): void {
    const { traffic, after, say } = this.#options;
    const networks = traffic();
    for (let i = 0; i === 0 || i < networks.length; i += MAX_TRAFFIC_NETWORKS) {
      say({ type: 'traffic', networks: networks.slice(i, i + MAX_TRAFFIC_NETWORKS) });
    }
    this.#times--;
    this.#cancel = this.#times > 0 ? after(this.#everyMs, () => this.#tell()) : null;
  }
}

/** @returns what each network has carried by these counters. */
export function networkTraffic(
  networks: readonly { readonly vni: number; readonly revision: number }[],
  counters: DatapathCounters['networks'],
): NetworkTraffic[] {
  return networks.map(({ vni, revision }) => ({ vni, revision, ...trafficOf({ ...counters.get(vni)?.totals }) }));
}
