/**
 * What the kernel told of one network's entries: noted, and, where they are not as they should be, what is to be looked at again. The kernel
 * tells of our own changes too, which are then as wanted.
 */
import { type NeighborMessage, NTF_STICKY, NUD_PERMANENT, RTM_DELNEIGH } from '../sys/neighbor-message.ts';
import type { CarriedNetwork } from './carried-network.ts';
import { DEFAULT_MAC, isLearned, NOWHERE, PROTOCOL } from './forwarding.ts';
import { destinationKey, type WantedNetwork } from './wanted-network.ts';

/** The kind of an entry, and its MAC, its IP, or its VTEP as `destinationKey`. */
export type EntryName = readonly [kind: 'macs' | 'ips' | 'flood', key: string];

/** Behind the tunnel: the vxlan device's table, or the bridge's. @returns the entry that is not right, or null. */
export function noteRemote(
  network: CarriedNetwork,
  wanted: WantedNetwork,
  type: number,
  entry: NeighborMessage,
): EntryName | null {
  const { mac, address, via, state, flags } = entry;
  const isInBridge = entry.master !== undefined;
  const port = entry.port ?? network.place.vxlanPort;
  const isGone = type === RTM_DELNEIGH;
  if (mac === DEFAULT_MAC) {
    if (address === undefined) return null;
    const vtep = { address, port, via };
    const key = destinationKey(vtep);
    if (wanted.flood().has(key) !== isGone) return null;
    if (isGone) network.installed.flood.delete(key);
    else network.installed.flood.set(key, vtep);
    return ['flood', key];
  }
  const should = wanted.mac(mac);
  if (isGone) {
    if (should === undefined) return null;
    network.installed.macs.delete(mac);
    return ['macs', mac];
  }
  // The bridge's own entry, of its port's address.
  if (isInBridge && (state & NUD_PERMANENT) !== 0) return null;
  // The bridge has it behind the tunnel now.
  if (isInBridge) network.left(mac);
  if (should === undefined && isLearned(entry) && wanted.settings.antiSpoof === 'off') return null;
  const sticky = (flags & NTF_STICKY) !== 0;
  const isThere = isInBridge || (should?.address === address && should?.port === port && should?.via === via);
  if (should?.sticky === sticky && isThere) return null;
  network.installed.macs.set(mac, { ...NOWHERE, sticky });
  return ['macs', mac];
}

/** On a port of this host. */
export function noteLocal(
  network: CarriedNetwork,
  wanted: WantedNetwork,
  type: number,
  { mac }: NeighborMessage,
): EntryName | null {
  if (type !== RTM_DELNEIGH) {
    network.heard(mac);
    return null;
  }
  network.left(mac);
  return wanted.mac(mac) === undefined ? null : ['macs', mac];
}

/** An address of a neighbour of the host's, on the bridge. */
export function noteAddress(
  network: CarriedNetwork,
  wanted: WantedNetwork,
  type: number,
  { mac, address, protocol }: NeighborMessage,
): EntryName | null {
  if (address === undefined) return null;
  const isOurs = protocol === PROTOCOL;
  if (!isOurs && type !== RTM_DELNEIGH) network.gaveAddress(mac, address);
  // Somebody put another in the place of ours, or deleted it.
  const isRight = isOurs === (type !== RTM_DELNEIGH);
  if (isRight || wanted.neighbor(address) === undefined) return null;
  network.installed.neighbors.delete(address);
  return ['ips', address];
}
