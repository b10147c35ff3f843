/** What an agent has after applying updates: written for tests apart from the agent's own code, so that the two check each other. */
import { digestOf, formatDigest } from '../../src/contract/digest.ts';
import type { MacRow, NetworkChange, TableUpdate, Vtep } from '../../src/contract/table.ts';

export type AppliedNetwork = Omit<NetworkChange, 'vteps' | 'macs' | 'gone' | 'intended'> & {
  vteps: Map<string, Vtep>;
  macs: Map<string, MacRow>;
};
export type AppliedTable = Map<number, AppliedNetwork>;

export function applied(table: AppliedTable, update: TableUpdate): AppliedTable {
  const next: AppliedTable = update.kind === 'snapshot' ? new Map() : new Map(table);
  if (update.kind === 'delta') for (const vni of update.goneNetworks ?? []) next.delete(vni);
  for (const change of update.networks) {
    const { vteps: setVteps, macs: setMacs, gone, intended: _, ...header } = change as NetworkChange;
    const vteps = new Map(next.get(header.vni)?.vteps);
    const macs = new Map(next.get(header.vni)?.macs);
    for (const site of gone?.vteps ?? []) vteps.delete(site);
    for (const mac of gone?.macs ?? []) macs.delete(mac);
    for (const vtep of setVteps) vteps.set(vtep.site, vtep);
    for (const row of setMacs) macs.set(row.mac, row);
    next.set(header.vni, { ...header, vteps, macs });
  }
  return next;
}

/** The digest of one network as the agent computes it. */
export function digestOfApplied(network: AppliedNetwork): string {
  return formatDigest(digestOf({ vteps: network.vteps.values(), macs: network.macs.values() }));
}

/** The table in an order of its own, for comparing. */
export function plain(table: AppliedTable): unknown {
  return [...table.values()]
    .sort((a, b) => a.vni - b.vni)
    .map((network) => ({
      ...network,
      vteps: [...network.vteps.values()].sort((a, b) => (a.site < b.site ? -1 : 1)),
      macs: [...network.macs.values()].sort((a, b) => (a.mac < b.mac ? -1 : 1)),
    }));
}
