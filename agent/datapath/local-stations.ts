/**
 * The stations on this host's own ports, as other sites should know them: who came, who went, under which IP address.
 *
 * The forwarder calls in here only when something is new: a MAC that it did not know, one that moved here, ARP or neighbour discovery.
 * What is to be told is gathered, each MAC in one list only, until somebody takes it.
 */
import { canonicalIp, formatIp, isUnicastIp, parseIp } from '../../src/contract/ip.ts';
import { formatMac, type Mac } from '../../src/contract/mac.ts';
import type { LearnedChanges, LocalMac } from './datapath.ts';
import type { Stations } from './stations.ts';
import { TokenBucket } from './token-bucket.ts';

/** An address that was not heard for so long gives way to another of the same rank. */
const IP_AGEING_SECONDS = 300;
/** How many stations are told of, over all networks: beyond that new ones are not announced, and found by flooding. */
const MAX_STATIONS = 100_000;
/**
 * How many stations that were not known a network may have in a second: whoever makes up addresses shall not have all sites hear of them.
 * A real one that is past the limit is heard of when it speaks again.
 */
export const NEW_STATIONS_PER_SECOND = 1000;

interface Station {
  readonly vni: number;
  readonly mac: number;
  ip: string | null;
  ipHeardAt: number;
}

export class LocalStations implements Stations {
  readonly #byVni = new Map<number, Map<number, Station>>();
  /** By VNI and MAC: true where the station is to be announced, false where it is to be withdrawn. */
  readonly #changed = new Map<number, Map<number, boolean>>();
  readonly #newLimits = new Map<number, TokenBucket>();
  #count = 0;

  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  heard(vni: number, mac: number, now: number): void {
    this.#station(vni, mac, now);
  }

  gaveAddress(vni: number, mac: number, address: Uint8Array, now: number): void {
    const station = this.#station(vni, mac, now);
    if (station === null) return;
    const ip = formatIp(address);
    if (station.ip === ip) {
      station.ipHeardAt = now;
      return;
    }
    // Whatever a station says goes to the gateway, which refuses a report with an address that no host can have.
    if (!isUnicastIp(address) || canonicalIp(ip) === null) return;
    const isBetter = station.ip === null || rankOf(address) > rankOf(parseIp(station.ip)!);
    const isWorse = !isBetter && rankOf(address) < rankOf(parseIp(station.ip!)!);
    if (isWorse || (!isBetter && now - station.ipHeardAt <= IP_AGEING_SECONDS)) return;
    station.ip = ip;
    station.ipHeardAt = now;
    this.#note(vni, mac, true);
  }

  left(vni: number, mac: number): void {
    const stations = this.#byVni.get(vni);
    const station = stations?.get(mac);
    if (stations === undefined || station === undefined) return;
    stations.delete(mac);
    this.#count--;
    if (stations.size === 0) this.#byVni.delete(vni);
    this.#note(vni, mac, false);
  }

  allLeft(vni: number): void {
    this.#newLimits.delete(vni);
    for (const mac of [...(this.#byVni.get(vni)?.keys() ?? [])]) this.left(vni, mac);
  }

  /** What changed since it was last asked. */
  takeChanges(): LearnedChanges {
    const announce: LocalMac[] = [];
    const withdraw: { vni: number; mac: string }[] = [];
    for (const [vni, macs] of this.#changed) {
      for (const [mac, isHere] of macs) {
        const station = this.#byVni.get(vni)?.get(mac);
        if (isHere && station !== undefined) announce.push(toLocalMac(station));
        else withdraw.push({ vni, mac: formatMac(mac as Mac) });
      }
    }
    this.#changed.clear();
    return { announce, withdraw };
  }

  all(): LocalMac[] {
    return [...this.#byVni.values()].flatMap((stations) => [...stations.values()].map(toLocalMac));
  }

  #station(vni: number, mac: number, now: number): Station | null {
    let stations = this.#byVni.get(vni);
    const known = stations?.get(mac);
    if (known !== undefined) return known;
    if (this.#count >= MAX_STATIONS || !this.#mayBeNew(vni, now)) return null;
    if (stations === undefined) {
      stations = new Map();
      this.#byVni.set(vni, stations);
    }
    const station = { vni, mac, ip: null, ipHeardAt: 0 };
    stations.set(mac, station);
    this.#count++;
    this.#note(vni, mac, true);
    return station;
  }

  #mayBeNew(vni: number, now: number): boolean {
    const limit = this.#newLimits.get(vni) ?? new TokenBucket(NEW_STATIONS_PER_SECOND);
    this.#newLimits.set(vni, limit);
    return limit.take(now);
  }

  #note(vni: number, mac: number, isHere: boolean): void {
    const macs = this.#changed.get(vni);
    if (macs === undefined) this.#changed.set(vni, new Map([[mac, isHere]]));
    else macs.set(mac, isHere);
  }
}

/** IPv4 goes first, then IPv6 that is known beyond its link. */
function rankOf(address: Uint8Array): number {
  if (address.length === 4) return 2;
  const isLinkLocal = address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
  return isLinkLocal ? 0 : 1;
}

function toLocalMac({ vni, mac, ip }: Station): LocalMac {
  return { vni, mac: formatMac(mac as Mac), ...(ip === null ? {} : { ip }) };
}
