/** What a site published of WireGuard, as the registry keeps it, and what its peers are given of it. */
import { type Digest, EMPTY_DIGEST, hashVtep, subtractFromDigest } from '../contract/digest.ts';
import type { Vtep } from '../contract/table.ts';
import { type Transport, TUNNEL_VXLAN_PORT, type TunnelEnd } from '../contract/wireguard.ts';

export interface SiteWireguard {
  /** The first is the one to send to. */
  readonly keys: readonly { readonly publicKey: string; readonly port: number; readonly address: string }[];
  /** Where it is on the underlay: as the site gave it, or as the gateway saw it. */
  readonly address: string | null;
  readonly isGiven: boolean;
  /** The tenant's revision at which this last changed. */
  readonly revision: number;
}

export function tunnelEnds({ keys, address }: SiteWireguard): TunnelEnd[] {
  return keys.map((key) => ({
    publicKey: key.publicKey,
    address: key.address,
    endpoint: address === null ? null : { address, port: key.port },
  }));
}

/** The entry of an encrypted network's table. */
export function tunnelVtep(site: string, wireguard: SiteWireguard): Vtep {
  return { site, address: wireguard.keys[0]!.address, port: TUNNEL_VXLAN_PORT, wireguard: tunnelEnds(wireguard) };
}

export function hashTunnel(site: string, wireguard: SiteWireguard): Digest {
  return hashVtep(tunnelVtep(site, wireguard));
}

/** What a site adds to the digests of the networks that it is in: to those of encrypted ones nothing where it has no WireGuard key. */
export interface SiteHashes {
  readonly hash: number;
  readonly tunnelHash: number | null;
}

export interface NetworkSum {
  readonly transport: Transport;
  /** Over all members. */
  readonly digest: number;
}

/** What is wrong at a site that is blind to a network, where its agent doesn't say. */
export const NO_WIREGUARD =
  'the site has published no WireGuard key, so it carries nothing of this encrypted network: its agent is too old, or finds no WireGuard on its host';

/**
 * True where a site is told nothing of who else is in a network, since it could send to them only in plain: an agent that knows no
 * WireGuard would do so.
 */
export function isBlind(
  { tunnelHash }: Pick<SiteHashes, 'tunnelHash'>,
  { transport }: Pick<NetworkSum, 'transport'>,
): boolean {
  return transport !== 'plain' && tunnelHash === null;
}

/** @returns the digest of the table that a site is given, which is of the others. */
export function digestGiven(site: SiteHashes, network: NetworkSum): Digest {
  if (isBlind(site, network)) return EMPTY_DIGEST;
  const own = network.transport === 'plain' ? site.hash : site.tunnelHash;
  return subtractFromDigest(network.digest as Digest, own as Digest);
}
