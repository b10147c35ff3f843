/**
 * The kernel's entries of one network against what the table wants: which to set and which to delete, in the order that loses no frame. A
 * station's address is known before its place, and its place before it can be flooded for. Pure.
 */
import { type Destination, destinationKey, type MacEntry, type Scope, type WantedNetwork } from './wanted-network.ts';

/** What the kernel has, as far as it is ours. */
export interface InstalledEntries {
  /** By `destinationKey`. */
  readonly flood: Map<string, Destination>;
  /** By MAC: those that stand in both the vxlan device's table and the bridge's. */
  readonly macs: Map<string, MacEntry>;
  /** The MAC by IP. */
  readonly neighbors: Map<string, string>;
}

export type EntryChange =
  | { readonly kind: 'neighbor'; readonly action: 'set' | 'delete'; readonly ip: string; readonly mac: string }
  | { readonly kind: 'mac'; readonly action: 'set' | 'delete'; readonly mac: string; readonly entry: MacEntry }
  | { readonly kind: 'flood'; readonly action: 'set' | 'delete'; readonly vtep: Destination };

export function noEntries(): InstalledEntries {
  return { flood: new Map(), macs: new Map(), neighbors: new Map() };
}

/** @returns the scope of everything that is wanted or there. */
export function wholeScope(wanted: WantedNetwork, installed: InstalledEntries): Scope {
  return {
    macs: new Set([...wanted.macs, ...installed.macs.keys()]),
    ips: new Set([...wanted.ips, ...installed.neighbors.keys()]),
  };
}

/** @returns what makes `installed` as wanted, within the scope; the head-end list is always compared. */
export function planEntries(wanted: WantedNetwork, installed: InstalledEntries, { macs, ips }: Scope): EntryChange[] {
  const set: EntryChange[] = [];
  const remove: EntryChange[] = [];
  for (const ip of ips) {
    const mac = wanted.neighbor(ip);
    const old = installed.neighbors.get(ip);
    if (mac !== undefined && mac !== old) set.push({ kind: 'neighbor', action: 'set', ip, mac });
    if (mac === undefined && old !== undefined) remove.push({ kind: 'neighbor', action: 'delete', ip, mac: old });
  }
  for (const mac of macs) {
    const entry = wanted.mac(mac);
    const old = installed.macs.get(mac);
    if (entry !== undefined && !isSameEntry(entry, old)) {
      // An entry keeps what kind it was made as.
      if (old !== undefined && old.sticky !== entry.sticky)
        set.push({ kind: 'mac', action: 'delete', mac, entry: old });
      set.push({ kind: 'mac', action: 'set', mac, entry });
    }
    if (entry === undefined && old !== undefined) remove.push({ kind: 'mac', action: 'delete', mac, entry: old });
  }
  const flood = wanted.flood();
  for (const [key, vtep] of flood) if (!installed.flood.has(key)) set.push({ kind: 'flood', action: 'set', vtep });
  for (const [key, vtep] of installed.flood)
    if (!flood.has(key)) remove.push({ kind: 'flood', action: 'delete', vtep });
  return [...set, ...remove.reverse()];
}

/** Notes that the kernel took a change. */
export function noteChange(installed: InstalledEntries, change: EntryChange): void {
  const isSet = change.action === 'set';
  switch (change.kind) {
    case 'neighbor':
      if (isSet) installed.neighbors.set(change.ip, change.mac);
      else installed.neighbors.delete(change.ip);
      break;
    case 'mac':
      if (isSet) installed.macs.set(change.mac, change.entry);
      else installed.macs.delete(change.mac);
      break;
    case 'flood':
      if (isSet) installed.flood.set(destinationKey(change.vtep), change.vtep);
      else installed.flood.delete(destinationKey(change.vtep));
      break;
  }
}

function isSameEntry(a: MacEntry, b: MacEntry | undefined): boolean {
  return a.address === b?.address && a.port === b.port && a.via === b.via && a.sticky === b.sticky;
}
