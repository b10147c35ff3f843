/**
 * One network as the forwarder sees it: its ports on this host, the VTEPs that carry it, its MAC table, its counters.
 *
 * A VTEP has a *slot*, and MAC entries point to slots, so that a site whose address changes takes all its entries along at once. The
 * slot is found by the underlay address that a datagram came from, and an address without a slot here may not speak in this VNI:
 * that lookup is the allow-list. Two sites that share one underlay address can't be told apart by a datagram's source: what is
 * learned from it goes to the one that came last, while the registry's entries stay exact.
 */
import { parseIp } from '../../src/contract/ip.ts';
import type { AntiSpoofMode, FloodMode } from '../../src/contract/table.ts';
import type { Port } from '../ports/port.ts';
import type { Underlay } from '../underlay/underlay.ts';
import { AddressTable, addressWords, formatAddressWords } from './address-table.ts';
import { MacTable } from './mac-table.ts';
import type { NetworkMemory } from './network-memory.ts';
import type { PeerCounterBlocks } from './peer-counters.ts';
import { NOWHERE } from './places.ts';
import { Strangers } from './strangers.ts';
import type { TokenBucket } from './token-bucket.ts';

const STRANGER = 'stranger ';
/**
 * Their slots begin here. Those below are given in the order of the table's changes, so that they are the same in every thread of a
 * site; strangers come at any time, and have theirs by the number that all threads share.
 */
const STRANGER_SLOTS = 0x8000;
export const MAC_AGEING_SECONDS = 300;
/**
 * Frames a second that a network may flood from this site, in the long run and at once: each goes to every other site, so a loop or a
 * broken host behind one port must not fill the underlay.
 */
export const FLOOD_FRAMES_PER_SECOND = 10_000;
/** ICMP errors are to be limited (RFC 1812 §4.3.2.8): one tells a host enough. */
export const TOO_BIG_ANSWERS_PER_SECOND = 100;

export interface NetworkSettings {
  readonly id: string;
  readonly name: string;
  readonly flood: FloodMode;
  readonly antiSpoof: AntiSpoofMode;
  /** ARP requests and neighbour solicitations are answered from the registry. */
  readonly arpSuppression: boolean;
}

interface Vtep {
  readonly site: string;
  readonly address: string;
  readonly port: number;
  readonly addressIndex: number;
  /** Of other addresses that it may send from. */
  readonly alsoIndexes: readonly number[];
  readonly also: string;
  readonly destination: number;
  /** Where its counters start. */
  readonly counterBase: number;
}

export class Network {
  readonly vni: number;
  /** Where this network's counters start. */
  readonly counterBase: number;
  readonly macs: MacTable;
  settings: NetworkSettings;
  /** The MTU in force on the ports, in bytes of IP packet. */
  mtu: number;
  ports: readonly Port[] = [];
  /** By slot: the underlay's number for the VTEP, or -1 where the slot is free. */
  destinations = new Int32Array(8).fill(-1);
  /** By slot: where the VTEP's counters start. */
  peerCounters = new Int32Array(8);
  /** By address number: the slot, or -1. */
  slotByAddress = new Int32Array(8).fill(-1);
  /** Where a flooded frame goes, for head-end replication. */
  floodDestinations = new Int32Array(0);
  /** Where the counters of each of them start. */
  floodPeerCounters = new Int32Array(0);

  readonly floodLimit: TokenBucket;
  readonly tooBigLimit: TokenBucket;
  readonly #strangers: Strangers;
  /** How often it was opened to strangers. */
  #opened = 0;
  readonly #vxlanPort: number;
  readonly #underlay: Underlay;
  readonly #addresses: AddressTable;
  readonly #peerBlocks: PeerCounterBlocks;
  readonly #vteps: (Vtep | undefined)[] = [];
  readonly #slotBySite = new Map<string, number>();
  /** The registry's MAC entries by site, kept also while the site has no VTEP here. */
  readonly #macsBySite = new Map<string, Set<number>>();
  readonly #siteByMac = new Map<number, string>();
  /** The registry's IP addresses, as numbers of this table; by such a number, the MAC that has it. */
  readonly #ips = new AddressTable();
  readonly #macByIp: number[] = [];
  readonly #ipByMac = new Map<number, number>();

  /**
   * @param options `memory` is what it shares with the same network in other threads; `vxlanPort` is where a VTEP is answered that the
   *   registry does not know; `localGone` is called with each MAC that was heard on one of the ports and no longer is.
   */
  constructor(options: {
    readonly vni: number;
    readonly settings: NetworkSettings;
    readonly mtu: number;
    readonly counterBase: number;
    readonly memory: NetworkMemory;
    readonly underlay: Underlay;
    readonly addresses: AddressTable;
    readonly peerCounterBlocks: PeerCounterBlocks;
    readonly vxlanPort: number;
    readonly localGone: (mac: number) => void;
  }) {
    this.vni = options.vni;
    this.settings = options.settings;
    this.mtu = options.mtu;
    this.counterBase = options.counterBase;
    this.#underlay = options.underlay;
    this.#addresses = options.addresses;
    this.#peerBlocks = options.peerCounterBlocks;
    this.#vxlanPort = options.vxlanPort;
    const { memory, localGone } = options;
    this.macs = new MacTable({ memory, ageingSeconds: MAC_AGEING_SECONDS, localGone });
    this.floodLimit = memory.bucket(0, FLOOD_FRAMES_PER_SECOND);
    this.tooBigLimit = memory.bucket(1, TOO_BIG_ANSWERS_PER_SECOND);
    this.#strangers = memory.strangers;
    if (this.settings.antiSpoof === 'off') this.#strangers.open(++this.#opened);
  }

  get sites(): readonly string[] {
    return [...this.#slotBySite.keys()].filter((site) => !site.startsWith(STRANGER));
  }

  vtepAt(slot: number): { readonly address: string; readonly port: number } | undefined {
    if (slot < STRANGER_SLOTS) return this.#vteps[slot];
    return { address: formatAddressWords(this.#strangers.addressOf(slot - STRANGER_SLOTS), 0), port: this.#vxlanPort };
  }

  /** @returns the slot by which to send to a slot that was found in `macs`; -1 where the underlay has no room for that VTEP. */
  slotToSendTo(slot: number): number {
    return slot < this.destinations.length && this.destinations[slot]! >= 0 ? slot : this.#meetStranger(slot);
  }

  get floodVteps(): { readonly address: string; readonly port: number }[] {
    if (this.settings.flood === 'none') return [];
    return this.sites.map((site) => this.#vteps[this.#slotBySite.get(site)!]!);
  }

  /**
   * Lets a site's VTEP speak in this network and be spoken to, or changes where it is. In force after `settle`.
   * @param also addresses that it may send from besides.
   * @returns false, with nothing changed, where the underlay can't carry such an address.
   */
  setVtep(site: string, address: string, port: number, also: readonly string[] = []): boolean {
    const known = this.#slotBySite.get(site);
    const old = known === undefined ? undefined : this.#vteps[known];
    if (old?.address === address && old.port === port && old.also === also.join()) return true;
    const slot = known ?? this.#freeSlot();
    if (slot >= STRANGER_SLOTS) return false;
    if (!this.#setVtep(slot, site, address, port, also)) return false;
    // Who was let in unlisted is listed now, and must not be found in the site's stead.
    for (const one of [address, ...also]) this.removeVtep(STRANGER + one);
    if (old !== undefined) this.#giveUp(old);
    if (known === undefined) {
      for (const mac of this.#macsBySite.get(site) ?? []) this.#installMac(mac, slot);
    }
    return true;
  }

  #setVtep(slot: number, site: string, address: string, port: number, also: readonly string[] = []): boolean {
    const destination = this.#underlay.addDestination(address, port);
    if (destination < 0) return false;
    const words = addressWords(parseIp(address)!);
    const addressIndex = this.#addresses.acquire(words);
    const counterBase = this.#counterBaseFor(site, words, port);
    const alsoIndexes = also.map((one) => this.#addresses.acquire(addressWords(parseIp(one)!)));
    this.#vteps[slot] = { site, address, port, addressIndex, alsoIndexes, also: also.join(), destination, counterBase };
    this.#slotBySite.set(site, slot);
    this.#growDestinations(slot + 1);
    this.destinations[slot] = destination;
    this.peerCounters[slot] = counterBase;
    return true;
  }

  /** The site may no longer speak here, and all that pointed to it goes. In force after `settle`. */
  removeVtep(site: string): void {
    const slot = this.#slotBySite.get(site);
    if (slot === undefined) return;
    const vtep = this.#vteps[slot]!;
    this.#slotBySite.delete(site);
    this.#vteps[slot] = undefined;
    this.destinations[slot] = -1;
    // What was learned of a stranger stays: all threads let it in, or none.
    if (slot < STRANGER_SLOTS) this.macs.deletePlace(slot);
    this.#giveUp(vtep);
  }

  /** Puts changed VTEPs in force: to be called after the last change and before the next frame. */
  settle(): void {
    const vteps = [...this.#slotBySite.values()].map((slot) => ({ slot, ...this.#vteps[slot]! }));
    const highest = vteps.reduce(
      (max, { addressIndex, alsoIndexes }) => Math.max(max, addressIndex, ...alsoIndexes),
      -1,
    );
    this.slotByAddress = new Int32Array(highest + 1).fill(-1);
    for (const { slot, alsoIndexes } of vteps) for (const index of alsoIndexes) this.slotByAddress[index] = slot;
    for (const { slot, addressIndex } of vteps) this.slotByAddress[addressIndex] = slot;
    const flooded = this.settings.flood === 'none' ? [] : vteps.filter(({ site }) => !site.startsWith(STRANGER));
    // A Map, since two sites behind one VTEP shall not get a frame twice.
    const once = new Map(flooded.map(({ destination, counterBase }) => [destination, counterBase]));
    this.floodDestinations = Int32Array.from(once.keys());
    this.floodPeerCounters = Int32Array.from(once.values());
  }

  /** True where the registry has the station behind the underlay address of this slot's VTEP. */
  isRegisteredAt(high: number, low: number, slot: number): boolean {
    const registered = this.macs.lookupRegistry(high, low);
    if (registered === slot) return true;
    return registered !== NOWHERE && this.#vteps[registered]!.addressIndex === this.#vteps[slot]!.addressIndex;
  }

  /**
   * Sets the registry's entry of a station.
   * @param ip 4 or 16 bytes, or null where none is known.
   * @returns true where that places it at another site: one that still speaks here is then heard anew.
   */
  setMac(mac: number, site: string, ip: Uint8Array | null): boolean {
    this.removeMac(mac);
    this.#siteByMac.set(mac, site);
    if (ip !== null) {
      const index = this.#ips.acquire(addressWords(ip));
      this.#macByIp[index] = mac;
      this.#ipByMac.set(mac, index);
    }
    const macs = this.#macsBySite.get(site);
    if (macs === undefined) this.#macsBySite.set(site, new Set([mac]));
    else macs.add(mac);
    const slot = this.#slotBySite.get(site);
    if (slot !== undefined) this.#installMac(mac, slot);
    return slot !== undefined;
  }

  removeMac(mac: number): void {
    const site = this.#siteByMac.get(mac);
    if (site === undefined) return;
    this.#siteByMac.delete(mac);
    const macs = this.#macsBySite.get(site)!;
    macs.delete(mac);
    if (macs.size === 0) this.#macsBySite.delete(site);
    const ip = this.#ipByMac.get(mac);
    if (ip !== undefined) {
      this.#ipByMac.delete(mac);
      this.#ips.release(ip);
    }
    this.macs.deleteRegistry(Math.floor(mac / 2 ** 32), mac % 2 ** 32);
  }

  /**
   * The station at another site that the registry gives this IP address, as a 48-bit number; 0 where there is none.
   * @param words four 32-bit words, IPv4 as IPv4-mapped
   */
  remoteMacOf(words: Uint32Array): number {
    const index = this.#ips.lookup(words, 0);
    if (index < 0) return 0;
    const mac = this.#macByIp[index]!;
    // Of two stations with one address the later was noted; it may have gone since.
    if (this.#ipByMac.get(mac) !== index) return 0;
    return this.#slotBySite.has(this.#siteByMac.get(mac)!) ? mac : 0;
  }

  /** True where the registry says that the station is at this very site: at none of the others. */
  isOwn(mac: number): boolean {
    const site = this.#siteByMac.get(mac);
    return site !== undefined && !this.#slotBySite.has(site);
  }

  get registryMacs(): Iterable<number> {
    return this.#siteByMac.keys();
  }

  /**
   * With anti-spoofing off: remembers a VTEP that the registry does not know, so that it can be answered.
   * @param source its address's four words are at `at`.
   * @returns its slot, or -1 where it is not let in.
   */
  adoptStranger(source: Uint32Array, at: number): number {
    if (this.settings.antiSpoof !== 'off') return -1;
    const number = this.#strangers.numberOf(source, at);
    if (number < 0) return -1;
    return this.#adopt(STRANGER_SLOTS + number, formatAddressWords(source, at));
  }

  /** What the settings say now: strangers go where they are no longer let in. In force after `settle`. */
  configure(settings: NetworkSettings): void {
    const wasOpen = this.settings.antiSpoof === 'off';
    const isOpen = settings.antiSpoof === 'off';
    this.settings = settings;
    if (isOpen === wasOpen) return;
    if (isOpen) return this.#strangers.open(++this.#opened);
    for (const site of [...this.#slotBySite.keys()]) if (site.startsWith(STRANGER)) this.removeVtep(site);
    for (let number = 0; number < Strangers.MAX; number++) this.macs.deletePlace(STRANGER_SLOTS + number);
  }

  /** Gives back what it holds of the underlay. */
  release(): void {
    for (const site of [...this.#slotBySite.keys()]) this.removeVtep(site);
  }

  #installMac(mac: number, slot: number): void {
    this.macs.setRegistry(Math.floor(mac / 2 ** 32), mac % 2 ** 32, slot);
  }

  #adopt(slot: number, address: string): number {
    if (!this.#setVtep(slot, STRANGER + address, address, this.#vxlanPort)) return -1;
    this.settle();
    return slot;
  }

  /** Another thread learned what is behind a stranger: the stranger is let in here too, unless it has been listed since. */
  #meetStranger(slot: number): number {
    if (slot < STRANGER_SLOTS) return -1;
    const words = this.#strangers.addressOf(slot - STRANGER_SLOTS);
    const address = this.#addresses.lookup(words, 0);
    const listed = address >= 0 && address < this.slotByAddress.length ? this.slotByAddress[address]! : -1;
    return listed >= 0 ? listed : this.#adopt(slot, formatAddressWords(words, 0));
  }

  #giveUp(vtep: Vtep): void {
    this.#addresses.release(vtep.addressIndex);
    for (const index of vtep.alsoIndexes) this.#addresses.release(index);
    this.#underlay.removeDestination(vtep.destination);
    this.#peerBlocks.giveBack(vtep.counterBase);
  }

  /** VTEPs that are in no table have no counters of their own; those of two sites behind one VTEP are summed when they are read. */
  #counterBaseFor(site: string, words: Uint32Array, port: number): number {
    if (site.startsWith(STRANGER)) return this.#peerBlocks.rest(this.counterBase);
    return this.#peerBlocks.take(this.counterBase, this.vni, words, port);
  }

  #freeSlot(): number {
    const free = this.destinations.indexOf(-1);
    if (free >= 0) return free;
    return this.destinations.length;
  }

  #growDestinations(length: number): void {
    if (length <= this.destinations.length) return;
    const grown = new Int32Array(Math.max(length, this.destinations.length * 2)).fill(-1);
    grown.set(this.destinations);
    this.destinations = grown;
    const peers = new Int32Array(grown.length);
    peers.set(this.peerCounters);
    this.peerCounters = peers;
  }
}
