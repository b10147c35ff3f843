/** Who is to be asked, out of the tables: each VTEP once, with what the networks that it shares with this site need. Pure. */
import type { NetworkChange, TableUpdate, Vtep } from '../../src/contract/table.ts';
import type { VtepAddress } from '../datapath/datapath.ts';

export interface PathPeer extends VtepAddress {
  readonly site: string;
  /** Other addresses that it may send from. */
  readonly also: readonly string[];
  /** The largest packet of the networks that both carry, in bytes. */
  readonly innerMtu: number;
}

interface PathNetwork {
  readonly network: string;
  readonly mtu: number;
  /** By site. */
  readonly vteps: Map<string, Vtep>;
}

export class PathPeers {
  /** By VNI. */
  readonly #networks = new Map<number, PathNetwork>();

  /** Takes note of what a table says. @returns false where it is nothing new of peers: it is of stations mostly. */
  follow(update: TableUpdate): boolean {
    let isNew = update.kind === 'snapshot' || (update.goneNetworks ?? []).length > 0;
    if (update.kind === 'snapshot') this.#networks.clear();
    else for (const vni of update.goneNetworks ?? []) this.#networks.delete(vni);
    for (const change of update.networks) isNew = this.#change(change) || isNew;
    return isNew;
  }

  /** @param mtus of the ports that stand, by VNI. @returns by address and port. */
  peers(mtus: ReadonlyMap<number, number>): Map<string, PathPeer> {
    const peers = new Map<string, PathPeer>();
    for (const [vni, { mtu, vteps }] of this.#networks) {
      const inForce = mtus.get(vni) ?? mtu;
      for (const { site, address, port, wireguard = [] } of vteps.values()) {
        const key = peerKey(address, port);
        const innerMtu = Math.max(inForce, peers.get(key)?.innerMtu ?? 0);
        const also = wireguard.map((end) => end.address).filter((other) => other !== address);
        peers.set(key, { site, address, port, also, innerMtu });
      }
    }
    return peers;
  }

  #change({ vni, network, mtu, vteps, gone }: NetworkChange): boolean {
    const known = this.#networks.get(vni);
    const hasPeers = vteps.length + (gone?.vteps.length ?? 0) > 0;
    if (known?.network === network && known.mtu === mtu && !hasPeers) return false;
    const next = { network, mtu, vteps: known?.network === network ? known.vteps : new Map<string, Vtep>() };
    for (const site of gone?.vteps ?? []) next.vteps.delete(site);
    for (const vtep of vteps) next.vteps.set(vtep.site, vtep);
    this.#networks.set(vni, next);
    return true;
  }
}

export function peerKey(address: string, port: number): string {
  return `${address} ${port}`;
}
