/** One WireGuard device of this host: a key, an address within the tunnel, peers. */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseIp } from '../../src/contract/ip.ts';
import { TUNNEL_PREFIX_BITS, tunnelAddressOf } from '../../src/contract/wireguard.ts';
import { SysError } from '../sys/errno.linux.ts';
import { addAddress, deleteLink, findLink, listLinks, setLink } from '../sys/link.linux.ts';
import type { WireguardBackend } from './backend.ts';
import { KernelWireguard, kernelHasWireguard } from './kernel-wireguard.linux.ts';
import { peerChanges, type WireguardPeers } from './peers.ts';
import { WireguardError } from './wireguard-error.ts';
import { hasWireguardGo, WireguardGo } from './wireguard-go.linux.ts';

export interface DeviceKey {
  /** Both in base64. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** UDP. */
  readonly port: number;
}

export interface DeviceOptions {
  /** Who we are: the same across restarts, another for each agent of a host. */
  readonly identity: string;
  readonly key: DeviceKey;
  /** In bytes. */
  readonly mtu: number;
  readonly log: (line: string) => void;
}

export class WireguardDevice {
  readonly key: DeviceKey;
  readonly name: string;
  /** Within the tunnel. */
  readonly address: string;
  /** Of the interface. */
  readonly index: number;
  readonly ended: Promise<void>;
  readonly #backend: WireguardBackend;
  #peers: WireguardPeers = new Map();

  private constructor(key: DeviceKey, address: string, index: number, backend: WireguardBackend) {
    this.key = key;
    this.name = backend.name;
    this.address = address;
    this.index = index;
    this.#backend = backend;
    this.ended = backend.ended;
  }

  /** @throws WireguardError */
  static async open({ identity, key, mtu, log }: DeviceOptions): Promise<WireguardDevice> {
    await assertFree(key.port);
    const name = nameOf(identity, key.publicKey);
    const address = await tunnelAddressOf(key.publicKey);
    const backend = await openBackend(name, log);
    try {
      const link = findLink(name);
      if (link === undefined) throw new WireguardError(`the interface ${name} is gone again`);
      setLink(link.index, { alias: aliasOf(identity), mtu, up: true });
      addAddress(link.index, parseIp(address)!, TUNNEL_PREFIX_BITS);
      await backend.setIdentity(key.privateKey, key.port);
      return new WireguardDevice(key, address, link.index, backend);
    } catch (error) {
      await backend.stop();
      throw error instanceof SysError
        ? new WireguardError(`can't set up the interface ${name}: ${error.message}`)
        : error;
    }
  }

  /** Brings its peers in step. @throws WireguardError; then it is not known which it has, and all are said again. */
  async setPeers(peers: WireguardPeers): Promise<void> {
    const changes = peerChanges(this.#peers, peers);
    if (changes.set.length + changes.remove.length === 0) return;
    try {
      await this.#backend.setPeers(changes);
      this.#peers = new Map(peers);
    } catch (error) {
      // What it may have of those is said anew, and gone on with.
      this.#peers = new Map(
        [...this.#peers].filter(([key]) => peers.has(key) && !changes.set.some((it) => it.publicKey === key)),
      );
      throw error;
    }
  }

  /** See `WireguardBackend`. @throws WireguardError */
  handshakes(): Promise<ReadonlyMap<string, number>> {
    return this.#backend.handshakes();
  }

  /** False where somebody deleted it. */
  get isThere(): boolean {
    return findLink(this.name)?.index === this.index;
  }

  setMtu(mtu: number): void {
    const link = findLink(this.name);
    if (link !== undefined && link.mtu !== mtu) setLink(link.index, { mtu });
  }

  close(): Promise<void> {
    return this.#backend.stop();
  }
}

/** @returns why there is no WireGuard on this host, in one line, or null where there is. */
export function missingWireguard(): string | null {
  if (kernelHasWireguard() || hasWireguardGo()) return null;
  return "neither the kernel's WireGuard nor the program wireguard-go is on this host: install the package wireguard-go";
}

/** The kernel's where there is one, since it is the faster. */
async function openBackend(name: string, log: (line: string) => void): Promise<WireguardBackend> {
  if (!kernelHasWireguard()) return WireguardGo.start(name, log);
  try {
    return new KernelWireguard(name);
  } catch (error) {
    const link = findLink(name);
    if (link !== undefined) deleteLink(link.index);
    if (!hasWireguardGo()) throw error;
    log(`${(error as Error).message}: using wireguard-go instead`);
    return WireguardGo.start(name, log);
  }
}

/** Removes the devices that an agent of this identity left when it was killed; their processes end with them. */
export function removeLeftDevices(identity: string): void {
  for (const { index, alias } of listLinks()) if (alias === aliasOf(identity)) deleteLink(index);
}

function aliasOf(identity: string): string {
  return `overlane ${identity} wireguard`;
}

/** Of its own for each key, and on all of the machine, since the sockets of wireguard-go lie in one folder for all namespaces. */
function nameOf(identity: string, publicKey: string): string {
  return `ovlwg${createHash('sha256').update(`${identity} ${publicKey}`).digest('hex').slice(0, 8)}`;
}

/** wireguard-go says nothing of a port that it can't have. @throws WireguardError */
async function assertFree(port: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, exclusive: true });
    await once(socket, 'listening');
  } catch {
    throw new WireguardError(`UDP port ${port} is in use: run with another --wireguard-port`);
  } finally {
    socket.close();
  }
}
