/** What the registry of one tenant should hold, in the plainest form, and what of it each site has not pulled yet. */
import type { MacEntry } from '../../../src/domain/mobility.ts';
import type { AppliedTable } from '../applied-table.ts';

export const NETWORKS = 3;
export const SITES = 4;
export const MACS = 6;
/** A network may have fewer than there are. */
export const MAC_LIMIT = 5;
/** How long lies between two changes: five moves of a MAC happen within a freeze's window. */
export const TICK_MS = 10_000;
export const macOf = (n: number) => `02:00:00:00:00:0${n}`;
export const ipOf = (n: number) => (n === 0 ? null : `10.9.0.${n}`);

export interface ModelNetwork {
  id: string;
  vni: number;
  mtu: number;
  ports: Map<number, string>;
  macs: Map<string, MacEntry>;
}
export interface ModelSite {
  id: string;
  address: string;
  disabled: boolean;
  /** What its agent holds, and what changed since it pulled, as `network id/site id`, `network id/MAC` or `network id/header`. */
  cursor: string;
  table: AppliedTable;
  changed: Set<string>;
}

export class Model {
  readonly networks: (ModelNetwork | null)[] = Array(NETWORKS).fill(null);
  readonly sites: (ModelSite | null)[] = Array(SITES).fill(null);
  #made = 0;

  next(): number {
    this.#made += 1;
    return this.#made;
  }

  /** The time of a change, in milliseconds. */
  tick(): number {
    return this.next() * TICK_MS;
  }

  pass(ticks: number): void {
    this.#made += ticks;
  }

  isLive(network: ModelNetwork, index: number): boolean {
    return network.ports.has(index) && this.sites[index]?.disabled === false;
  }

  isSeen(network: ModelNetwork, mac: string): boolean {
    const entry = network.macs.get(mac);
    return (
      entry !== undefined &&
      this.isLive(
        network,
        this.sites.findIndex((site) => site?.id === entry.site),
      )
    );
  }

  /** A site's MACs come or go with it, as it comes or goes: before, if it goes. */
  touchMacsOf(network: ModelNetwork, site: ModelSite): void {
    for (const [mac, { site: at }] of network.macs) if (at === site.id) this.touch(`${network.id}/${mac}`);
  }

  /** The site isn't live in the network any more. */
  leave(network: ModelNetwork, site: ModelSite): void {
    this.touchMacsOf(network, site);
    for (const [mac, { site: at, sticky }] of network.macs) if (at === site.id && !sticky) network.macs.delete(mac);
  }

  touch(key: string): void {
    for (const site of this.sites) site?.changed.add(key);
  }

  /** What a disabled site is or isn't attached to is nothing that anyone sees. */
  touchMember(network: ModelNetwork, site: ModelSite): void {
    if (!site.disabled) this.touch(`${network.id}/${site.id}`);
  }

  touchSite(index: number): void {
    const site = this.sites[index]!;
    for (const network of this.networks) if (network?.ports.has(index)) this.touch(`${network.id}/${site.id}`);
  }
}
