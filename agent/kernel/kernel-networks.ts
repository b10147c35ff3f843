/**
 * The networks of the table in the kernel: puts an update in force, looks after what stands, and hears what the kernel tells.
 *
 * In this order, so that nothing is let in or sent astray on the way: devices that go, the filter, devices that come, entries.
 */
import type { NetworkChange, NetworkTable, TableUpdate } from '../../src/contract/table.ts';
import type { ApplyReport, NetworkFdb } from '../datapath/datapath.ts';
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import type { LocalStations } from '../datapath/local-stations.ts';
import { PortError, vniOfAlias } from '../ports/ownership.ts';
import { SysError } from '../sys/errno.linux.ts';
import {
  AF_BRIDGE,
  decodeNeighbor,
  encodeNeighborQuestion,
  type NeighborMessage,
  RTM_GETNEIGH,
} from '../sys/neighbor-message.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { CarriedNetwork, makeChanges, nameOf, type PendingChange, placeOf } from './carried-network.ts';
import { CarriedNetworks } from './carried-networks.ts';
import { type DeviceRequest, isSameDevice, requestOf } from './device-request.ts';
import {
  deleteDevices,
  type Found,
  findDevices,
  isOfOurKind,
  isWanted,
  Links,
  mendDevices,
  removeVxlan,
  vxlanName,
} from './devices.ts';
import { fdbOf } from './fdb.ts';
import type { Filter } from './filter.ts';
import { encodeChange, isLocalStation, readForwarding } from './forwarding.ts';
import { readHostAddresses } from './host-addresses.ts';
import { noteAddress, noteLocal, noteRemote } from './notifications.ts';
import { Repairs } from './repairs.ts';
import { type Scope, WantedNetwork } from './wanted-network.ts';

export interface KernelOptions {
  readonly identity: string;
  readonly vxlanPort: number;
  readonly route: NetlinkSocket;
  readonly filter: Filter;
  readonly stations: LocalStations;
  /** The VTEP's address in canonical text; null where it is every address of the host, or a NAT's. Asked each time: it may come later. */
  readonly localAddress: () => string | null;
  readonly isIpv6: boolean;
  readonly dscp: DscpMode;
  /** Where VXLAN comes and goes by certain interfaces alone: their indexes, the one to send by first. */
  readonly devices?: readonly number[] | undefined;
  /** What the underlay leaves for frames, in bytes of IP packet. */
  readonly mtuLimit: () => number;
}

export class KernelNetworks {
  readonly #options: KernelOptions;
  readonly #wanted = new Map<number, WantedNetwork>();
  readonly #carried = new CarriedNetworks();
  readonly #errors = new Map<number, string>();
  readonly #repairs = new Repairs();
  /** VNIs that came to another network: nothing of the old one may stay. */
  readonly #reused = new Set<number>();
  /** See `KernelOptions.devices`. */
  #devices: readonly number[] | undefined;
  /** Entries that name an interface which is gone can't be deleted: with the vxlan devices they go. */
  #entriesAreStale: boolean;

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#devices = options.devices;
    this.#entriesAreStale = options.devices !== undefined;
  }

  /** Takes VXLAN by each of these interfaces from now on, and sends by the first. */
  setDevices(devices: readonly number[]): ApplyReport {
    this.#options.filter.setDevices(devices);
    const [before] = this.#devices ?? [];
    this.#entriesAreStale ||= before === undefined || !devices.includes(before);
    this.#devices = devices;
    for (const wanted of this.#wanted.values()) wanted.via = devices[0];
    return this.#reconcile('entries');
  }

  /** Puts a table in force. */
  apply(update: TableUpdate): ApplyReport {
    const scopes = this.#merge(update);
    const isWhole = update.kind === 'snapshot' || scopes === null;
    if (isWhole) return this.#reconcile('entries');
    // Where only entries differ, the devices need not be looked at.
    this.#filter(scopes.keys(), this.#carried.vnis);
    const pending: PendingChange[] = [];
    for (const [vni, scope] of scopes) {
      const carried = this.#carried.get(vni);
      if (carried !== undefined) pending.push(...carried.plan(this.#wanted.get(vni)!, scope));
    }
    this.#make(pending);
    // What could not be carried is tried again with every call.
    return this.#errors.size > 0 ? this.retry() : this.report();
  }

  /** Looks after the devices, and the entries of those that were made anew. */
  retry(): ApplyReport {
    return this.#reconcile('devices');
  }

  /** Reads all that the kernel has and makes it as wanted: notifications were lost. */
  resync(): ApplyReport {
    return this.#reconcile('entries');
  }

  report(): ApplyReport {
    const errors = new Map<number, string>();
    for (const [vni, wanted] of this.#wanted) {
      const problem =
        this.#errors.get(vni) ??
        (this.#needsFilter(wanted) ? this.#options.filter.problem : null) ??
        this.#unreachable(vni) ??
        this.#carried.get(vni)?.problem;
      if (problem != null) errors.set(vni, problem);
    }
    return { errors, mtus: new Map([...this.#carried].map(({ vni, mtu }) => [vni, mtu])) };
  }

  fdb(): NetworkFdb[] {
    const links = Links.read(this.#options.route);
    const found = readForwarding(this.#readEntries(), this.#carried.places());
    return [...found].map(([vni, forwarding]) => fdbOf(this.#wanted.get(vni)!, forwarding, links));
  }

  /** Removes all that this agent made. */
  remove(): void {
    this.#wanted.clear();
    this.#reconcile('devices');
    try {
      this.#options.filter.remove();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  /** An entry came or went. */
  neighborChanged(type: number, entry: NeighborMessage): void {
    const behind = this.#carried.behind(entry.index);
    if (entry.family !== AF_BRIDGE) this.#note(noteAddress, this.#carried.in(entry.index), type, entry);
    else if (behind !== undefined) this.#note(noteRemote, [behind], type, entry);
    else if (isLocalStation(entry)) this.#note(noteLocal, this.#carried.in(entry.master), type, entry);
  }

  /** The host has an address on a device. */
  hostAddressCame(index: number, address: string): void {
    for (const network of this.#carried.in(index)) network.hostHasAddress(address);
  }

  /** A station gave its address in ARP. */
  addressHeard(bridge: number, mac: string, address: string): void {
    for (const network of this.#carried.in(bridge)) network.gaveAddress(mac, address);
  }

  /** Whether a link is one that we have, or wait for. */
  concerns(index: number, name: string): boolean {
    if (this.#carried.have(index)) return true;
    return [...this.#wanted.values()].some(
      ({ settings: { vni, port } }) => 'name' in port && port.name === name && this.#errors.has(vni),
    );
  }

  /** When entries are to be put right, in seconds, or null. */
  get repairAt(): number | null {
    return this.#repairs.nextAt;
  }

  /** Puts right what somebody changed, and tries again what the kernel did not take, as far as it is due. */
  repair(): ApplyReport {
    const pending: PendingChange[] = [];
    for (const [vni, scope] of this.#repairs.take(now())) {
      const wanted = this.#wanted.get(vni);
      const carried = this.#carried.get(vni);
      if (wanted !== undefined && carried !== undefined) pending.push(...carried.plan(wanted, scope));
    }
    this.#make(pending);
    return this.report();
  }

  /** Makes the filter anew after somebody changed it. */
  mendFilter(): ApplyReport {
    this.#options.filter.distrust();
    return this.retry();
  }

  /** @returns what the update may have changed, by network, or null where devices differ too. */
  #merge(update: TableUpdate): Map<number, Scope> | null {
    const scopes = new Map<number, Scope>();
    let isEntriesOnly = true;
    const whole = update.kind === 'snapshot';
    const named = new Set(update.networks.map(({ vni }) => vni));
    for (const vni of whole
      ? [...this.#wanted.keys()].filter((each) => !named.has(each))
      : (update.goneNetworks ?? [])) {
      isEntriesOnly = false;
      this.#wanted.delete(vni);
      this.#errors.delete(vni);
    }
    for (const change of update.networks as readonly (NetworkTable | NetworkChange)[]) {
      const { vni, network, macs } = change;
      const known = this.#wanted.get(vni);
      const isSame = known?.settings.network === network;
      if (!isSame || !isSameDevice(known.settings, change) || this.#carried.get(vni) === undefined)
        isEntriesOnly = false;
      if (known !== undefined && !isSame) this.#reused.add(vni);
      const wanted = isSame ? known : new WantedNetwork(change, this.#devices?.[0]);
      this.#wanted.set(vni, wanted);
      scopes.set(
        vni,
        wanted.merge(change, whole || !isSame, (address) => this.#canReach(address)),
      );
      // What the bridge has heard here gives way, and counts only when it is heard anew.
      for (const { mac } of macs) if (wanted.mac(mac) !== undefined) this.#carried.get(vni)?.left(mac);
    }
    return isEntriesOnly ? scopes : null;
  }

  #canReach(address: string): boolean {
    return address.includes(':') === this.#options.isIpv6;
  }

  #reconcile(what: 'devices' | 'entries'): ApplyReport {
    const { route, identity, filter } = this.#options;
    const links = Links.read(route);
    const requests = this.#requests();
    this.#removeUnwanted(links, requests);
    const ours = [...links].flatMap(({ kind, alias }) => (kind === 'vxlan' ? (vniOfAlias(identity, alias) ?? []) : []));
    this.#filter(this.#wanted.keys(), ours);
    const found = new Map<number, Found>();
    for (const [vni, request] of requests) {
      const devices = this.#isUnfiltered(vni)
        ? null
        : this.#try(vni, links, () => findDevices(route, links, identity, request));
      if (devices !== null) found.set(vni, devices);
    }
    const made = [...found].filter(([, { isNew }]) => isNew);
    filter.guard(new Map(made.map(([vni, { vxlan }]) => [vxlan.name, this.#wanted.get(vni)!])));
    const fresh: CarriedNetwork[] = [];
    for (const [vni, devices] of found) {
      const network = this.#isUnfiltered(vni) ? null : this.#ensure(vni, requests.get(vni)!, links, devices);
      if (network !== null) fresh.push(network);
    }
    if (what === 'entries' || fresh.length > 0) this.#reconcileEntries();
    for (const network of this.#carried) network.remind();
    for (const { index, address } of readHostAddresses(route)) this.hostAddressCame(index, address);
    return this.report();
  }

  #reconcileEntries(): void {
    const found = readForwarding(this.#readEntries(), this.#carried.places());
    const pending: PendingChange[] = [];
    for (const [vni, forwarding] of found) {
      const carried = this.#carried.get(vni)!;
      carried.refused.clear();
      carried.read(forwarding);
      pending.push(...carried.plan(this.#wanted.get(vni)!));
    }
    this.#make(pending);
  }

  /** @returns what each network needs of devices; of one that can't be carried, the error is noted. */
  #requests(): Map<number, DeviceRequest> {
    const { vxlanPort, isIpv6, localAddress, dscp, mtuLimit } = this.#options;
    const host = { vxlanPort, local: localAddress() ?? (isIpv6 ? '::' : null), dscp, mtuLimit: mtuLimit() };
    const requests = new Map<number, DeviceRequest>();
    for (const [vni, { settings }] of this.#wanted) {
      const request = requestOf(settings, host);
      if (request === null)
        this.#errors.set(vni, `this version of the agent has no ports of type ${settings.port.type}`);
      else requests.set(vni, request);
    }
    return requests;
  }

  #removeUnwanted(links: Links, requests: ReadonlyMap<number, DeviceRequest>): void {
    const doomed = [...links].filter((link) => {
      const vni = vniOfAlias(this.#options.identity, link.alias);
      if (vni === null || !isOfOurKind(link)) return false;
      const request = requests.get(vni);
      const isStale = this.#reused.has(vni) || (this.#entriesAreStale && link.kind === 'vxlan');
      if (request !== undefined && !isStale && isWanted(link, request)) return false;
      this.#dismiss(vni);
      return true;
    });
    deleteDevices(this.#options.route, links, doomed);
    for (const vni of [...this.#carried.vnis]) if (!requests.has(vni)) this.#dismiss(vni);
    this.#reused.clear();
    this.#entriesAreStale = false;
  }

  /** Whether the network must not be carried, since nobody would be kept out of it, which is noted. */
  #isUnfiltered(vni: number): boolean {
    const { problem } = this.#options.filter;
    if (problem === null || !this.#needsFilter(this.#wanted.get(vni)!)) return false;
    this.#errors.set(vni, problem);
    return true;
  }

  /** @returns null where the network's devices can't be had, which is noted. */
  #try<T>(vni: number, links: Links, act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof PortError) && !(error instanceof SysError)) throw error;
      this.#errors.set(vni, error.message);
      this.#dismiss(vni);
      // What is looked after no longer must not forward on, least of all in a bridge that the network has left.
      removeVxlan(this.#options.route, links, this.#options.identity, vni);
      return null;
    }
  }

  /** @returns the network where its entries are to be looked at, else null. */
  #ensure(vni: number, request: DeviceRequest, links: Links, found: Found): CarriedNetwork | null {
    const { route, stations } = this.#options;
    const devices = this.#try(vni, links, () => mendDevices(route, links, request, found));
    if (devices === null) return null;
    this.#errors.delete(vni);
    const place = placeOf(devices);
    const known = this.#carried.get(vni);
    const isNew = known === undefined || known.place.vxlan !== place.vxlan || known.place.bridge !== place.bridge;
    if (isNew) this.#dismiss(vni);
    const network = isNew ? new CarriedNetwork(vni, stations, place, request.mtu) : known;
    network.mtu = request.mtu;
    if (isNew) this.#carried.add(network);
    network.setHost(devices.bridge);
    return isNew || devices.isFresh ? network : null;
  }

  /** Forgets what it knew of a network in the kernel, and takes back what it put on a bridge that stays. */
  #dismiss(vni: number): void {
    const network = this.#carried.get(vni);
    if (network === undefined) return;
    const { route } = this.#options;
    const { neighbors } = network.installed;
    route.change(
      [...neighbors].map(([ip, mac]) => encodeChange({ kind: 'neighbor', action: 'delete', ip, mac }, network.place)),
    );
    network.leftAll();
    this.#carried.delete(network);
  }

  /** What must come and go by certain interfaces is kept to them by the filter, whoever may speak there. */
  #needsFilter({ settings }: WantedNetwork): boolean {
    return this.#devices !== undefined || settings.antiSpoof !== 'off';
  }

  /** @param standing the networks whose vxlan device is there. */
  #filter(changed: Iterable<number>, standing: Iterable<number>): void {
    const devices = new Map([...standing].map((vni) => [vni, vxlanName(vni)]));
    this.#options.filter.apply(this.#wanted, [...changed], devices);
  }

  #readEntries(): NeighborMessage[] {
    const { route } = this.#options;
    const messages = [AF_BRIDGE, 0].flatMap((family) => route.dump(RTM_GETNEIGH, encodeNeighborQuestion(family)));
    return messages.flatMap(({ body }) => decodeNeighbor(body) ?? []);
  }

  #unreachable(vni: number): string | undefined {
    const [address] = this.#wanted.get(vni)!.unreachable.values();
    if (address === undefined) return undefined;
    return `the VTEP ${address} can't be reached from here: this site's underlay is of the other IP family`;
  }

  #note(note: typeof noteRemote, networks: Iterable<CarriedNetwork>, type: number, entry: NeighborMessage): void {
    for (const network of networks) {
      const wrong = note(network, this.#wanted.get(network.vni)!, type, entry);
      if (wrong !== null) this.#repairs.add(network.vni, wrong, now());
    }
  }

  #make(pending: readonly PendingChange[]): void {
    const refused = makeChanges(this.#options.route, pending);
    for (const { network, change } of refused) this.#repairs.add(network.vni, nameOf(change), now());
  }
}

function now(): number {
  return performance.now() / 1000;
}
