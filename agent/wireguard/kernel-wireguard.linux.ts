/** The kernel's own WireGuard. */
import { randomBytes } from 'node:crypto';
import { parseIp } from '../../src/contract/ip.ts';
import { SysError } from '../sys/errno.linux.ts';
import { createLink, deleteLink, findLink } from '../sys/link.linux.ts';
import { NETLINK_GENERIC, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import {
  decodeFamilyId,
  decodePeers,
  encodeGetDevice,
  encodeGetFamily,
  encodeSetIdentity,
  encodeSetPeers,
  GENL_ID_CTRL,
  WIREGUARD_FAMILY,
} from '../sys/wireguard-message.ts';
import type { WireguardBackend } from './backend.ts';
import type { PeerChanges } from './peers.ts';
import { KEEPALIVE_SECONDS } from './uapi.ts';
import { WireguardError } from './wireguard-error.ts';

/** True where the kernel makes such devices, for us: tried by making one, which also loads the module. */
export function kernelHasWireguard(): boolean {
  // Of a name of its own: two agents may try at once.
  const name = `ovlwgp${randomBytes(4).toString('hex')}`;
  try {
    createLink(name, WIREGUARD_FAMILY);
    const link = findLink(name);
    if (link !== undefined) deleteLink(link.index);
    return true;
  } catch {
    return false;
  }
}

export class KernelWireguard implements WireguardBackend {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #netlink = new NetlinkSocket(NETLINK_GENERIC);
  readonly #family: number;
  #end: () => void = () => {};

  /** @throws WireguardError */
  constructor(name: string) {
    this.name = name;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#family = asWireguardError(() => {
      createLink(name, WIREGUARD_FAMILY);
      const [answer] = this.#netlink.get(GENL_ID_CTRL, ...encodeGetFamily(WIREGUARD_FAMILY));
      const family = answer === undefined ? null : decodeFamilyId(answer.body);
      if (family === null)
        throw new WireguardError('the kernel makes WireGuard devices, and does not say how to set them up');
      return family;
    });
  }

  async setIdentity(privateKey: string, port: number): Promise<void> {
    this.#change(encodeSetIdentity(this.name, bytesOf(privateKey), port));
  }

  async setPeers({ set, remove }: PeerChanges): Promise<void> {
    const peers = set.map(({ publicKey, address, endpoint }) => ({
      publicKey: bytesOf(publicKey),
      address: parseIp(address)!,
      endpoint: endpoint && { address: parseIp(endpoint.address)!, port: endpoint.port },
      keepaliveSeconds: KEEPALIVE_SECONDS,
    }));
    // An attribute's length is 16 bits, and a peer's is below 200 bytes.
    for (const key of remove) this.#change(encodeSetPeers(this.name, [], [bytesOf(key)]));
    for (let at = 0; at < peers.length; at += 100)
      this.#change(encodeSetPeers(this.name, peers.slice(at, at + 100), []));
  }

  async handshakes(): Promise<ReadonlyMap<string, number>> {
    const answers = asWireguardError(() => this.#netlink.dump(this.#family, ...encodeGetDevice(this.name)));
    return new Map(
      answers
        .flatMap(({ body }) => decodePeers(body))
        .map(({ publicKey, handshakeAt }) => [Buffer.from(publicKey).toString('base64'), handshakeAt]),
    );
  }

  async stop(): Promise<void> {
    const link = findLink(this.name);
    if (link !== undefined) deleteLink(link.index);
    this.#netlink.close();
    this.#end();
  }

  #change(parts: readonly Uint8Array[]): void {
    asWireguardError(() => {
      for (const error of this.#netlink.change([{ type: this.#family, flags: 0, parts }]).values()) throw error;
    });
  }
}

function asWireguardError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof SysError ? new WireguardError(`the kernel's WireGuard: ${error.message}`) : error;
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}
