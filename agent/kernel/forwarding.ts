/**
 * A network's entries as the kernel keeps them: a station at a VTEP stands in the vxlan device's table (behind which VTEP) and in the
 * bridge's (behind the vxlan device), both set by one message. Pure.
 */
import type { VtepAddress } from '../datapath/datapath.ts';
import {
  AF_BRIDGE,
  encodeNeighbor,
  familyOf,
  type NeighborMessage,
  NTF_EXT_LEARNED,
  NTF_MASTER,
  NTF_SELF,
  NTF_STICKY,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_REACHABLE,
  RTM_DELNEIGH,
  RTM_NEWNEIGH,
} from '../sys/neighbor-message.ts';
import type { NetlinkChange } from '../sys/netlink-socket.linux.ts';
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE } from '../sys/rtnetlink.ts';
import { type EntryChange, type InstalledEntries, noEntries } from './entries.ts';
import { type Destination, destinationKey } from './wanted-network.ts';

/** The vxlan device's entry for what it does not know: where it floods to. */
export const DEFAULT_MAC = '00:00:00:00:00:00';
/** Who made a neighbour entry (linux/rtnetlink.h, RTPROT_…): a number of our own, for ours to be told from others'. */
export const PROTOCOL = 79;

/** The devices that a network consists of, by index, and the port that VXLAN is sent to unless an entry says another. */
export interface Place {
  readonly vxlan: number;
  readonly bridge: number;
  readonly vxlanPort: number;
}

export function encodeChange(change: EntryChange, place: Place): NetlinkChange {
  const isSet = change.action === 'set';
  const type = isSet ? RTM_NEWNEIGH : RTM_DELNEIGH;
  switch (change.kind) {
    case 'neighbor': {
      const entry: NeighborMessage = {
        family: familyOf(change.ip),
        index: place.bridge,
        state: NUD_NOARP,
        flags: NTF_EXT_LEARNED,
        mac: change.mac,
        address: change.ip,
        protocol: PROTOCOL,
      };
      return { type, flags: isSet ? NLM_F_CREATE | NLM_F_REPLACE : 0, parts: encodeNeighbor(entry) };
    }
    case 'mac': {
      // What was learned by a control plane does not age, and gives way to a station that is heard here; sticky does not.
      const kind = change.entry.sticky
        ? { state: NUD_NOARP | NUD_REACHABLE, flags: NTF_SELF | NTF_MASTER | NTF_STICKY }
        : { state: NUD_REACHABLE, flags: NTF_SELF | NTF_MASTER | NTF_EXT_LEARNED };
      const entry = { ...kind, ...destination(change.entry, place), mac: change.mac };
      return { type, flags: isSet ? NLM_F_CREATE | NLM_F_REPLACE : 0, parts: encodeNeighbor(entry) };
    }
    case 'flood': {
      const entry = {
        state: NUD_NOARP | NUD_PERMANENT,
        flags: NTF_SELF,
        ...destination(change.vtep, place),
        mac: DEFAULT_MAC,
      };
      return { type, flags: isSet ? NLM_F_CREATE | NLM_F_APPEND : 0, parts: encodeNeighbor(entry) };
    }
  }
}

/** Deletes a station's entry in the vxlan device's table alone: the bridge has given its own to a port of this host. */
export function encodeForget(mac: string, place: Place): NetlinkChange {
  const entry = { family: AF_BRIDGE, index: place.vxlan, state: NUD_REACHABLE, flags: NTF_SELF, mac };
  return { type: RTM_DELNEIGH, flags: 0, parts: encodeNeighbor(entry) };
}

/** What the kernel has of one network. */
export interface Forwarding {
  readonly installed: InstalledEntries;
  /** Stations on this host's own ports, by MAC: the port's index, and how long ago it was heard. */
  readonly local: Map<string, { readonly index: number; readonly ageSeconds: number }>;
  /** What the vxlan device learned from frames, by MAC. */
  readonly learned: Map<string, VtepAddress & { readonly ageSeconds: number }>;
}

/** @param entries all of the kernel's: of every device, and its neighbours. */
export function readForwarding(
  entries: readonly NeighborMessage[],
  places: ReadonlyMap<number, Place>,
): Map<number, Forwarding> {
  const found = new Map<number, Forwarding>();
  const byVxlan = new Map<number, number>();
  const byBridge = new Map<number, number[]>();
  for (const [vni, { vxlan, bridge }] of places) {
    found.set(vni, { installed: noEntries(), local: new Map(), learned: new Map() });
    byVxlan.set(vxlan, vni);
    byBridge.set(bridge, [...(byBridge.get(bridge) ?? []), vni]);
  }
  /** By network and MAC: the bridge's entry on the vxlan device, but one that it learned, and whether it is sticky. */
  const inBridge = new Map<string, boolean>();
  for (const entry of entries) {
    if (!isBehind(entry, byVxlan) || isLearned(entry)) continue;
    inBridge.set(`${byVxlan.get(entry.index)} ${entry.mac}`, (entry.flags & NTF_STICKY) !== 0);
  }
  for (const entry of entries) {
    const { family, index, mac, address, flags } = entry;
    if (family !== AF_BRIDGE) {
      if (entry.protocol !== PROTOCOL || address === undefined) continue;
      // On a bridge that two networks share it can't be said whose a neighbour is.
      const [vni, ...others] = byBridge.get(index) ?? [];
      if (vni !== undefined && others.length === 0) found.get(vni)!.installed.neighbors.set(address, mac);
      continue;
    }
    const vni = byVxlan.get(index);
    if (vni === undefined) {
      if (!isLocalStation(entry)) continue;
      for (const each of byBridge.get(entry.master!) ?? []) {
        found.get(each)!.local.set(mac, { index, ageSeconds: entry.ageSeconds ?? 0 });
      }
      continue;
    }
    if (address === undefined || isBehind(entry, byVxlan)) continue;
    const { installed, learned } = found.get(vni)!;
    const vtep = { address, port: entry.port ?? places.get(vni)!.vxlanPort, via: entry.via };
    if (mac === DEFAULT_MAC) installed.flood.set(destinationKey(vtep), vtep);
    else if (isLearned(entry)) learned.set(mac, { ...vtep, ageSeconds: entry.ageSeconds ?? 0 });
    else {
      const sticky = (flags & NTF_STICKY) !== 0;
      // One that stands in one table only, or is of two minds, is no entry: it is set again.
      const isWhole = inBridge.get(`${vni} ${mac}`) === sticky;
      installed.macs.set(mac, isWhole ? { ...vtep, sticky } : { ...NOWHERE, sticky });
    }
  }
  for (const [name, sticky] of inBridge) {
    const [vni, mac] = name.split(' ') as [string, string];
    const { installed, learned } = found.get(Number(vni))!;
    if (!installed.macs.has(mac) && !learned.has(mac)) installed.macs.set(mac, { ...NOWHERE, sticky });
  }
  return found;
}

/** Heard from a frame, and not set by anybody. */
export function isLearned({ state, flags }: NeighborMessage): boolean {
  return (flags & (NTF_EXT_LEARNED | NTF_STICKY)) === 0 && (state & (NUD_NOARP | NUD_PERMANENT)) === 0;
}

/** Differs from every entry that can be wanted, so that it is set again, or deleted. */
export const NOWHERE: Destination = { address: '', port: 0 };

/** A bridge's entry for a station that is heard on one of its ports. */
export function isLocalStation({ family, state, master, flags }: NeighborMessage): boolean {
  return family === AF_BRIDGE && master !== undefined && (state & NUD_PERMANENT) === 0 && (flags & NTF_SELF) === 0;
}

function isBehind(entry: NeighborMessage, byVxlan: ReadonlyMap<number, number>): boolean {
  return isLocalStation(entry) && byVxlan.has(entry.index);
}

/** Of an entry whose VTEP is not known, which is to be deleted, only the device. */
function destination({ address, port, via }: Destination, place: Place) {
  const device = { family: AF_BRIDGE, index: place.vxlan };
  if (address === NOWHERE.address) return device;
  return { ...device, address, via, ...(port === place.vxlanPort ? {} : { port }) };
}
