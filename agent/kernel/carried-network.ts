/** One network as it stands in the kernel: its devices, its entries, and the stations on this host's side of it. */
import { parseIp } from '../../src/contract/ip.ts';
import { parseMac } from '../../src/contract/mac.ts';
import type { LocalStations } from '../datapath/local-stations.ts';
import type { SysError } from '../sys/errno.linux.ts';
import type { Link } from '../sys/link-message.ts';
import { macText } from '../sys/neighbor-message.ts';
import type { NetlinkChange, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import type { Devices } from './devices.ts';
import { type EntryChange, type InstalledEntries, noEntries, noteChange, planEntries, wholeScope } from './entries.ts';
import { encodeChange, encodeForget, type Forwarding, type Place } from './forwarding.ts';
import type { EntryName } from './notifications.ts';
import { destinationKey, type Scope, type WantedNetwork } from './wanted-network.ts';

/** A change that waits for the system call that it shares with others'. */
export interface PendingChange {
  readonly network: CarriedNetwork;
  readonly change: EntryChange;
}

export class CarriedNetwork {
  readonly vni: number;
  place: Place;
  /** The MTU in force. */
  mtu: number;
  installed: InstalledEntries = noEntries();
  /** Entries that the kernel did not take, and why. */
  readonly refused = new Map<string, string>();
  readonly #stations: LocalStations;
  /** MACs on this host's side; the host's own is among them. */
  readonly #local = new Set<string>();
  #hostMac = '';

  constructor(vni: number, stations: LocalStations, place: Place, mtu: number) {
    this.vni = vni;
    this.#stations = stations;
    this.place = place;
    this.mtu = mtu;
  }

  /** The host itself is a station of the network, by the bridge's own address. */
  setHost(bridge: Link): void {
    const mac = bridge.up ? macText(bridge.mac) : '';
    if (mac === this.#hostMac) return;
    if (this.#hostMac !== '') this.left(this.#hostMac);
    this.#hostMac = mac;
    if (mac !== '') this.#came(mac);
  }

  /** @param address of the host in this network, in canonical text. */
  hostHasAddress(address: string): void {
    this.gaveAddress(this.#hostMac, address);
  }

  /** The kernel was read: what it has is what there is. */
  read({ installed, local }: Forwarding): void {
    this.installed = installed;
    for (const mac of [...this.#local]) if (mac !== this.#hostMac && !local.has(mac)) this.left(mac);
    for (const mac of local.keys()) this.#came(mac);
  }

  /** The bridge learned the station on a port of this host: what it had of it elsewhere gave way. */
  heard(mac: string): void {
    this.installed.macs.delete(mac);
    this.#came(mac);
  }

  /** The station is here no more. */
  left(mac: string): void {
    if (this.#local.delete(mac)) this.#stations.left(this.vni, parseMac(mac)!);
  }

  leftAll(): void {
    this.#local.clear();
    this.#stations.allLeft(this.vni);
    this.#hostMac = '';
  }

  /** @param address in canonical text. One of a station that is not here is not ours to tell. */
  gaveAddress(mac: string, address: string): void {
    if (!this.#local.has(mac)) return;
    this.#stations.gaveAddress(this.vni, parseMac(mac)!, parseIp(address)!, performance.now() / 1000);
  }

  /** Why an entry is not as wanted, in one line, or null. */
  get problem(): string | null {
    const [reason] = this.refused.values();
    return reason === undefined ? null : `an entry could not be set: ${reason}`;
  }

  /** @returns the changes that make the kernel's entries as wanted. @param scope all, unless said. */
  plan(wanted: WantedNetwork, scope: Scope = wholeScope(wanted, this.installed)): PendingChange[] {
    for (const key of [...scope.macs, ...scope.ips]) this.refused.delete(key);
    return planEntries(wanted, this.installed, scope).map((change) => ({ network: this, change }));
  }

  /** Tells again of all that are here: of many at a time not all were taken note of, and the kernel tells of each once. */
  remind(): void {
    for (const mac of this.#local) this.#tell(mac);
  }

  #tell(mac: string): void {
    this.#stations.heard(this.vni, parseMac(mac)!, performance.now() / 1000);
  }

  #came(mac: string): void {
    if (this.#local.has(mac)) return;
    this.#local.add(mac);
    this.#tell(mac);
  }
}

/** @returns the place of a network's devices. */
export function placeOf({ vxlan, bridge }: Devices): Place {
  return { vxlan: vxlan.index, bridge: bridge.index, vxlanPort: vxlan.vxlan!.port };
}

/**
 * Makes all changes, in their order, in as few calls as can be.
 * @returns those that the kernel refused; their networks have that for a problem until they are made.
 */
export function makeChanges(socket: NetlinkSocket, pending: readonly PendingChange[]): PendingChange[] {
  const errors = socket.change(pending.map(({ network, change }) => encodeChange(change, network.place)));
  const again: NetlinkChange[] = [];
  const refused: PendingChange[] = [];
  for (const [i, { network, change }] of pending.entries()) {
    const error = errors.get(i);
    const [, key] = nameOf(change);
    if (error === undefined || isGone(change, error)) {
      noteChange(network.installed, change);
      network.refused.delete(key);
    } else {
      network.refused.set(key, error.message);
      refused.push(pending[i]!);
    }
    // The bridge had given its entry to a local port, and then the vxlan device's was not looked at.
    if (error !== undefined && isGone(change, error) && change.kind === 'mac')
      again.push(encodeForget(change.mac, network.place));
  }
  if (again.length > 0) socket.change(again);
  return refused;
}

/** Which entry a change is of. */
export function nameOf(change: EntryChange): EntryName {
  switch (change.kind) {
    case 'mac':
      return ['macs', change.mac];
    case 'neighbor':
      return ['ips', change.ip];
    case 'flood':
      return ['flood', destinationKey(change.vtep)];
  }
}

function isGone(change: EntryChange, error: SysError): boolean {
  return change.action === 'delete' && (error.code === 'ENOENT' || error.code === 'ENODEV');
}
