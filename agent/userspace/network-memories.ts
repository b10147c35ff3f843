/** What several threads share of each network: made when a network comes, as each thread makes its own part then (`apply-table.ts`). */
import { randomInt } from 'node:crypto';
import type { TableUpdate } from '../../src/contract/table.ts';
import { createSharedNetworkMemory } from '../datapath/network-memory.ts';

export class NetworkMemories {
  readonly #byVni = new Map<number, { readonly network: string; readonly memory: SharedArrayBuffer }>();

  /** @returns the memory of each network that the update names; another one where its VNI came to another network. */
  follow(update: TableUpdate): ReadonlyMap<number, SharedArrayBuffer> {
    if (update.kind === 'snapshot') {
      const named = new Set(update.networks.map(({ vni }) => vni));
      for (const vni of this.#byVni.keys()) if (!named.has(vni)) this.#byVni.delete(vni);
    } else {
      for (const vni of update.goneNetworks ?? []) this.#byVni.delete(vni);
    }
    return new Map(update.networks.map(({ vni, network }) => [vni, this.#memoryOf(vni, network)]));
  }

  #memoryOf(vni: number, network: string): SharedArrayBuffer {
    const known = this.#byVni.get(vni);
    if (known?.network === network) return known.memory;
    const memory = createSharedNetworkMemory(randomInt(2 ** 32));
    this.#byVni.set(vni, { network, memory });
    return memory;
  }
}
