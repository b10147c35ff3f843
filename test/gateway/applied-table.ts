/** What an agent has after applying updates: written for tests apart from the agent's own code, so that the two check each other. */
import { digestOf, formatDigest } from '../../src/contract/digest.ts';
import type { NetworkChange, TableUpdate, Vtep } from '../../src/contract/table.ts';

export type AppliedNetwork = Omit<NetworkChange, 'vteps' | 'macs' | 'gone'> & { vteps: Map<string, Vtep> };
export type AppliedTable = Map<number, AppliedNetwork>;

export function applied(table: AppliedTable, update: TableUpdate): AppliedTable {
  const next: AppliedTable = update.kind === 'snapshot' ? new Map() : new Map(table);
  if (update.kind === 'delta') for (const vni of update.goneNetworks ?? []) next.delete(vni);
  for (const change of update.networks) {
    const { vteps: set, macs: _, gone, ...header } = change as NetworkChange;
    const vteps = new Map(next.get(header.vni)?.vteps);
    for (const site of gone?.vteps ?? []) vteps.delete(site);
    for (const vtep of set) vteps.set(vtep.site, vtep);
    next.set(header.vni, { ...header, vteps });
  }
  return next;
}

/** The digest of one network as the agent computes it. */
export function digestOfApplied(network: AppliedNetwork): string {
  return formatDigest(digestOf({ vteps: network.vteps.values(), macs: [] }));
}

/** The table in an order of its own, for comparing. */
export function plain(table: AppliedTable): unknown {
  return [...table.values()]
    .sort((a, b) => a.vni - b.vni)
    .map((network) => ({ ...network, vteps: [...network.vteps.values()].sort((a, b) => (a.site < b.site ? -1 : 1)) }));
}
