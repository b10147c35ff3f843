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
import { AddressTable, addressWords } from './address-table.ts';
import { MacTable, NOWHERE } from './mac-table.ts';
import type { PeerCounterBlocks } from './peer-counters.ts';
import { TokenBucket } from './token-bucket.ts';

/** Learned MACs a network may hold. */
const MAX_LEARNED_MACS = 100_000;
/** With anti-spoofing off, how many unlisted VTEPs are remembered. */
const MAX_STRANGERS = 256;
const STRANGER = 'stranger ';
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

  readonly floodLimit = new TokenBucket(FLOOD_FRAMES_PER_SECOND);
  readonly tooBigLimit = new TokenBucket(TOO_BIG_ANSWERS_PER_SECOND);
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
  #strangers = 0;

  constructor(options: {
    readonly vni: number;
    readonly settings: NetworkSettings;
    readonly mtu: number;
    readonly counterBase: number;
    readonly seed: number;
    readonly underlay: Underlay;
    readonly addresses: AddressTable;
    readonly peerCounterBlocks: PeerCounterBlocks;
  }) {
    this.vni = options.vni;
    this.settings = options.settings;
    this.mtu = options.mtu;
    this.counterBase = options.counterBase;
    this.#underlay = options.underlay;
    this.#addresses = options.addresses;
    this.#peerBlocks = options.peerCounterBlocks;
    this.macs = new MacTable({
      maxLearned: MAX_LEARNED_MACS,
      ageingSeconds: MAC_AGEING_SECONDS,
      seed: options.seed,
    });
  }

  get sites(): readonly string[] {
    return [...this.#slotBySite.keys()].filter((site) => !site.startsWith(STRANGER));
  }

  vtepAt(slot: number): { readonly address: string; readonly port: number } | undefined {
    return this.#vteps[slot];
  }

  get floodVteps(): { readonly address: string; readonly port: number }[] {
    if (this.settings.flood === 'none') return [];
    return this.sites.map((site) => this.#vteps[this.#slotBySite.get(site)!]!);
  }

  /**
   * Lets a site's VTEP speak in this network and be spoken to, or changes where it is. In force after `settle`.
   * @returns false, with nothing changed, where the underlay can't carry such an address.
   */
  setVtep(site: string, address: string, port: number): boolean {
    const known = this.#slotBySite.get(site);
    const old = known === undefined ? undefined : this.#vteps[known];
    if (old?.address === address && old.port === port) return true;
    const destination = this.#underlay.addDestination(address, port);
    if (destination < 0) return false;
    // Who was let in unlisted is listed now, and must not be found in the site's stead.
    if (!site.startsWith(STRANGER)) this.removeVtep(STRANGER + address);
    const words = addressWords(parseIp(address)!);
    const addressIndex = this.#addresses.acquire(words);
    const slot = known ?? this.#freeSlot();
    const counterBase = this.#counterBaseFor(site, words, port);
    this.#vteps[slot] = { site, address, port, addressIndex, destination, counterBase };
    this.#slotBySite.set(site, slot);
    this.destinations[slot] = destination;
    this.peerCounters[slot] = counterBase;
    if (old !== undefined) this.#giveUp(old);
    if (known === undefined) {
      for (const mac of this.#macsBySite.get(site) ?? []) this.#installMac(mac, slot);
    }
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
    this.macs.deletePlace(slot);
    this.#giveUp(vtep);
    if (site.startsWith(STRANGER)) this.#strangers--;
  }

  /** Puts changed VTEPs in force: to be called after the last change and before the next frame. */
  settle(): void {
    const vteps = [...this.#slotBySite.values()].map((slot) => ({ slot, ...this.#vteps[slot]! }));
    const highest = vteps.reduce((max, { addressIndex }) => Math.max(max, addressIndex), -1);
    this.slotByAddress = new Int32Array(highest + 1).fill(-1);
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

  /** True where a VTEP that the registry does not know may be let in. */
  get hasRoomForStranger(): boolean {
    return this.settings.antiSpoof === 'off' && this.#strangers < MAX_STRANGERS;
  }

  /**
   * With anti-spoofing off: remembers a VTEP that the registry does not know, so that it can be answered.
   * @returns its slot, or -1 where it can't be answered.
   */
  adoptStranger(address: string, port: number): number {
    if (!this.setVtep(STRANGER + address, address, port)) return -1;
    this.#strangers++;
    this.settle();
    return this.#slotBySite.get(STRANGER + address)!;
  }

  /** What the settings say now: strangers go where they are no longer let in. In force after `settle`. */
  configure(settings: NetworkSettings): void {
    this.settings = settings;
    if (settings.antiSpoof === 'off') return;
    for (const site of [...this.#slotBySite.keys()]) if (site.startsWith(STRANGER)) this.removeVtep(site);
  }

  /** Gives back what it holds of the underlay. */
  release(): void {
    for (const site of [...this.#slotBySite.keys()]) this.removeVtep(site);
  }

  #installMac(mac: number, slot: number): void {
    this.macs.setRegistry(Math.floor(mac / 2 ** 32), mac % 2 ** 32, slot);
  }

  #giveUp(vtep: Vtep): void {
    this.#addresses.release(vtep.addressIndex);
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
    const grown = new Int32Array(this.destinations.length * 2).fill(-1);
    grown.set(this.destinations);
    const slot = this.destinations.length;
    this.destinations = grown;
    const peers = new Int32Array(grown.length);
    peers.set(this.peerCounters);
    this.peerCounters = peers;
    return slot;
  }
}
