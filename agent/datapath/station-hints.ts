/**
 * What a thread that does not keep the site's stations has to say to the one that does: not what happened to which station, but of which
 * stations something may have happened. The keeper looks into the MAC table that both share and notes what is so by then. So it does
 * not matter in which order the hints of several threads arrive: after every change comes a hint, and the last one finds the last
 * state.
 */
import type { Network } from './network.ts';
import type { Stations } from './stations.ts';

export interface StationHint {
  readonly vni: number;
  readonly mac: number;
  /** IP addresses that it gave, of 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
}

/** More than a station has, of those worth telling; whoever makes up more is cut short. */
const MAX_ADDRESSES = 8;

export class StationHints implements Stations {
  readonly #hints = new Map<number, Map<number, Uint8Array[]>>();

  get hasChanges(): boolean {
    return this.#hints.size > 0;
  }

  heard(vni: number, mac: number): void {
    this.#addressesOf(vni, mac);
  }

  gaveAddress(vni: number, mac: number, address: Uint8Array): void {
    const addresses = this.#addressesOf(vni, mac);
    if (addresses.length === MAX_ADDRESSES || addresses.some((known) => isSame(known, address))) return;
    addresses.push(address);
  }

  left(vni: number, mac: number): void {
    this.#addressesOf(vni, mac);
  }

  /** The keeper's thread has the port too, and sees it go. */
  allLeft(): void {}

  /** What is to be said since it was last asked. */
  take(): StationHint[] {
    const hints = [...this.#hints].flatMap(([vni, macs]) =>
      [...macs].map(([mac, addresses]) => ({ vni, mac, addresses })),
    );
    this.#hints.clear();
    return hints;
  }

  #addressesOf(vni: number, mac: number): Uint8Array[] {
    const macs = this.#hints.get(vni) ?? new Map<number, Uint8Array[]>();
    const addresses = macs.get(mac) ?? [];
    this.#hints.set(vni, macs);
    macs.set(mac, addresses);
    return addresses;
  }
}

/** Notes what is so now. @param networks the keeper's, by VNI. */
export function takeHints(
  stations: Stations,
  networks: ReadonlyMap<number, Network>,
  hints: readonly StationHint[],
  now: number,
): void {
  for (const { vni, mac, addresses } of hints) {
    const isHere = networks.get(vni)?.macs.isHere(Math.floor(mac / 2 ** 32), mac % 2 ** 32, now) === true;
    if (!isHere) stations.left(vni, mac);
    else stations.heard(vni, mac, now);
    if (isHere) for (const address of addresses) stations.gaveAddress(vni, mac, address, now);
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
