/** The WireGuard devices of a site, one for each of its keys, kept in step with its keys and its tables. */
import type { VtepSource } from '../datapath/datapath.ts';
import { type DeviceKey, removeLeftDevices, WireguardDevice } from './device.linux.ts';
import type { WireguardPeers } from './peers.ts';

export interface TunnelOptions {
  readonly identity: string;
  /** In bytes, of packets within the tunnel; asked each time, since links change. */
  readonly mtu: () => number;
  readonly log: (line: string) => void;
  /** A device went though nobody asked for it. */
  readonly onLost: () => void;
}

export class Tunnel {
  readonly #options: TunnelOptions;
  /** By public key. */
  readonly #devices = new Map<string, WireguardDevice>();
  #leftRemoved = false;

  constructor(options: TunnelOptions) {
    this.#options = options;
  }

  /**
   * Opens the devices of these keys that are not there, and brings the peers of all in step. Those of other keys stay, until `keep`.
   * @returns one for each key, in order. @throws WireguardError
   */
  async open(keys: readonly DeviceKey[], peers: WireguardPeers): Promise<VtepSource[]> {
    const { identity, log, mtu } = this.#options;
    if (!this.#leftRemoved) removeLeftDevices(identity);
    this.#leftRemoved = true;
    for (const [publicKey, device] of this.#devices) {
      if (device.isThere) continue;
      this.#devices.delete(publicKey);
      await device.close();
    }
    for (const key of keys) {
      if (this.#devices.has(key.publicKey)) continue;
      const device = await WireguardDevice.open({ identity, key, mtu: mtu(), log });
      this.#devices.set(key.publicKey, device);
      void device.ended.then(() => this.#lost(device));
    }
    for (const device of this.#devices.values()) {
      device.setMtu(mtu());
      await device.setPeers(peers);
    }
    return keys.map(({ publicKey }) => {
      const { address, name, index } = this.#devices.get(publicKey)!;
      return { address, device: name, index };
    });
  }

  /** Closes all devices but those of these keys. */
  async keep(keys: readonly DeviceKey[]): Promise<void> {
    for (const [publicKey, device] of this.#devices) {
      if (keys.some((key) => key.publicKey === publicKey)) continue;
      this.#devices.delete(publicKey);
      await device.close();
    }
  }

  /** True where every peer that one key has a session with has one with the other too: nothing has to wait for a handshake then. */
  async isWarm(key: DeviceKey, than: DeviceKey): Promise<boolean> {
    const [next, current] = [this.#devices.get(key.publicKey), this.#devices.get(than.publicKey)];
    if (next === undefined || current === undefined) return true;
    const warm = await next.handshakes();
    const wanted = [...(await current.handshakes())].filter(([, at]) => at > 0);
    return wanted.every(([publicKey]) => (warm.get(publicKey) ?? 0) > 0);
  }

  /** Of each device: see `WireguardBackend`. @throws WireguardError */
  handshakes(): Promise<ReadonlyMap<string, number>[]> {
    return Promise.all([...this.#devices.values()].map((device) => device.handshakes()));
  }

  #lost(device: WireguardDevice): void {
    if (this.#devices.get(device.key.publicKey) !== device) return;
    this.#devices.delete(device.key.publicKey);
    this.#options.onLost();
  }
}
