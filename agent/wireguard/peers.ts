/** Which WireGuard peers a site's device should have, out of its tables, and what to say to a device that has others. Pure. */
import type { Vtep } from '../../src/contract/table.ts';

export interface WireguardPeer {
  /** In base64. */
  readonly publicKey: string;
  /** Within the tunnel: the only one that it may send from, and be sent to by. */
  readonly address: string;
  /** On the underlay, as the registry has it; null where only the peer can begin. */
  readonly endpoint: { readonly address: string; readonly port: number } | null;
}

/** By public key. */
export type WireguardPeers = ReadonlyMap<string, WireguardPeer>;

export interface PeerChanges {
  /** What is new or differs. Its endpoint is null where it shall stay what WireGuard has found it to be. */
  readonly set: readonly WireguardPeer[];
  /** Public keys. */
  readonly remove: readonly string[];
}

/** @returns all ends of the tunnels of these tables' peers, the two of one that changes its key as well. */
export function peersOf(networks: Iterable<{ readonly vteps: ReadonlyMap<string, Vtep> }>): WireguardPeers {
  const peers = new Map<string, WireguardPeer>();
  for (const { vteps } of networks) {
    for (const { wireguard } of vteps.values()) for (const end of wireguard ?? []) peers.set(end.publicKey, end);
  }
  return peers;
}

/**
 * Peers are changed one by one, so that the sessions of the others go on. An endpoint is said only where the registry's own word changed:
 * WireGuard follows a peer that roams by itself, and knows better.
 */
export function peerChanges(before: WireguardPeers, after: WireguardPeers): PeerChanges {
  const set: WireguardPeer[] = [];
  for (const peer of after.values()) {
    const old = before.get(peer.publicKey);
    const isSamePlace =
      old?.endpoint?.address === peer.endpoint?.address && old?.endpoint?.port === peer.endpoint?.port;
    if (old === undefined || old.address !== peer.address || !isSamePlace) set.push(peer);
  }
  return { set, remove: [...before.keys()].filter((key) => !after.has(key)) };
}
