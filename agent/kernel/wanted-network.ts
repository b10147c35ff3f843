/**
 * What the table says of one network, and what follows from it for the kernel: the head-end list, the forwarding entries and the
 * neighbours. Pure.
 *
 * It is merged at the cost of a change: what an update may have altered is told as a scope, and only that is compared.
 */
import type { MacRow, NetworkChange, NetworkTable } from '../../src/contract/table.ts';
import type { VtepAddress } from '../datapath/datapath.ts';

export type NetworkSettings = Pick<
  NetworkTable,
  'vni' | 'network' | 'name' | 'mtu' | 'port' | 'flood' | 'antiSpoof' | 'arpSuppression'
>;

/** Where VXLAN is sent to. */
export interface Destination extends VtepAddress {
  /** The index of the interface that it must leave by; undefined: by route. */
  readonly via?: number | undefined;
}

/** Where a station is: behind a VTEP. */
export interface MacEntry extends Destination {
  /** A person has put it there: nothing that is heard moves it. */
  readonly sticky: boolean;
}

/** What an update may have changed. */
export interface Scope {
  readonly macs: Set<string>;
  readonly ips: Set<string>;
}

export class WantedNetwork {
  settings: NetworkSettings;
  /** See `Destination`. */
  via: number | undefined;
  /** By site: those that can be reached from here. */
  readonly vteps = new Map<string, VtepAddress>();
  /** VTEPs of the other IP family. */
  readonly unreachable = new Map<string, string>();
  readonly #macs = new Map<string, MacRow>();
  readonly #macsByIp = new Map<string, Set<string>>();

  constructor(settings: NetworkSettings, via?: number) {
    this.settings = settingsOf(settings);
    this.via = via;
  }

  /**
   * Takes an update.
   * @param whole it is all there is: what it does not name goes.
   * @param canReach whether the underlay carries such an address.
   */
  merge(update: NetworkTable | NetworkChange, whole: boolean, canReach: (address: string) => boolean): Scope {
    const scope: Scope = { macs: new Set(), ips: new Set() };
    const gone = 'gone' in update ? update.gone : undefined;
    const moved = new Set(whole ? [...this.vteps.keys(), ...this.unreachable.keys()] : gone?.vteps);
    const before = new Map(this.vteps);
    for (const site of moved) {
      this.vteps.delete(site);
      this.unreachable.delete(site);
    }
    for (const { site, address, port } of update.vteps) {
      moved.add(site);
      this.vteps.delete(site);
      this.unreachable.delete(site);
      if (canReach(address)) this.vteps.set(site, { address, port });
      else this.unreachable.set(site, address);
    }
    const named = new Set(update.macs.map(({ mac }) => mac));
    for (const mac of whole ? [...this.#macs.keys()].filter((each) => !named.has(each)) : (gone?.macs ?? [])) {
      this.#setRow(mac, undefined, scope);
    }
    for (const row of update.macs) this.#setRow(row.mac, row, scope);
    const relocated = [...moved].filter((site) => !isSameVtep(before.get(site), this.vteps.get(site)));
    if (relocated.length > 0) this.#touchSites(new Set(relocated), scope);
    const suppressionChanged = this.settings.arpSuppression !== update.arpSuppression;
    this.settings = settingsOf(update);
    if (suppressionChanged) for (const ip of this.#macsByIp.keys()) scope.ips.add(ip);
    return scope;
  }

  /** Where a broadcast goes; each VTEP once, though several sites be behind it. */
  flood(): Map<string, Destination> {
    if (this.settings.flood === 'none') return new Map();
    return new Map(
      [...this.vteps.values()].map((vtep) => {
        const to = { ...vtep, via: this.via };
        return [destinationKey(to), to];
      }),
    );
  }

  /** Where the registry has the station, or undefined where it is at none of the others. */
  mac(mac: string): MacEntry | undefined {
    const row = this.#macs.get(mac);
    const vtep = row === undefined ? undefined : this.vteps.get(row.site);
    return vtep === undefined ? undefined : { ...vtep, via: this.via, sticky: row!.sticky };
  }

  /** Whose the address is, where questions for it are answered here: of several stations the one heard of last. */
  neighbor(ip: string): string | undefined {
    if (!this.settings.arpSuppression) return undefined;
    const rows = [...(this.#macsByIp.get(ip) ?? [])].map((mac) => this.#macs.get(mac)!);
    const there = rows.filter(({ site }) => this.vteps.has(site));
    return there.reduce<MacRow | undefined>(
      (best, row) => (best === undefined || row.seq >= best.seq ? row : best),
      undefined,
    )?.mac;
  }

  get macs(): Iterable<string> {
    return this.#macs.keys();
  }

  get ips(): Iterable<string> {
    return this.#macsByIp.keys();
  }

  #setRow(mac: string, row: MacRow | undefined, scope: Scope): void {
    const old = this.#macs.get(mac);
    scope.macs.add(mac);
    if (old?.ip !== undefined) {
      scope.ips.add(old.ip);
      const macs = this.#macsByIp.get(old.ip);
      macs?.delete(mac);
      if (macs?.size === 0) this.#macsByIp.delete(old.ip);
    }
    if (row === undefined) {
      this.#macs.delete(mac);
      return;
    }
    this.#macs.set(mac, row);
    if (row.ip === undefined) return;
    scope.ips.add(row.ip);
    this.#macsByIp.set(row.ip, (this.#macsByIp.get(row.ip) ?? new Set()).add(mac));
  }

  #touchSites(sites: ReadonlySet<string>, scope: Scope): void {
    for (const { mac, ip, site } of this.#macs.values()) {
      if (!sites.has(site)) continue;
      scope.macs.add(mac);
      if (ip !== undefined) scope.ips.add(ip);
    }
  }
}

/** Without the rows, which would be kept for nothing. */
function settingsOf(table: NetworkSettings): NetworkSettings {
  const { vni, network, name, mtu, port, flood, antiSpoof, arpSuppression } = table;
  return { vni, network, name, mtu, port, flood, antiSpoof, arpSuppression };
}

export function destinationKey({ address, port, via }: Destination): string {
  return `${address} ${port} ${via}`;
}

function isSameVtep(a: VtepAddress | undefined, b: VtepAddress | undefined): boolean {
  return a?.address === b?.address && a?.port === b?.port;
}
