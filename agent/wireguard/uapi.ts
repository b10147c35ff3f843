/**
 * WireGuard's cross-platform userspace interface (wireguard.com/xplatform): lines of `key=value`, an empty line at the end. Keys are in
 * hexadecimal here. Pure.
 */
import type { PeerChanges } from './peers.ts';

/** Every peer is called upon so often: its sessions stay warm, and so do the NATs and firewalls between. WireGuard's own advice. */
export const KEEPALIVE_SECONDS = 25;

/** @param privateKey in base64. */
export function formatIdentity(privateKey: string, port: number): string {
  return `set=1\nprivate_key=${toHex(privateKey)}\nlisten_port=${port}\n\n`;
}

export function formatPeerChanges({ set, remove }: PeerChanges): string {
  const lines = ['set=1'];
  for (const publicKey of remove) lines.push(`public_key=${toHex(publicKey)}`, 'remove=true');
  for (const { publicKey, address, endpoint } of set) {
    lines.push(`public_key=${toHex(publicKey)}`);
    if (endpoint !== null) lines.push(`endpoint=${formatEndpoint(endpoint)}`);
    lines.push(`persistent_keepalive_interval=${KEEPALIVE_SECONDS}`);
    lines.push('replace_allowed_ips=true', `allowed_ip=${address}/128`);
  }
  return `${lines.join('\n')}\n\n`;
}

export const GET = 'get=1\n\n';

/** @returns the errno that the answer ends with; 0 is success, and -1 where it says none. */
export function parseErrno(answer: string): number {
  const errno = /^errno=(\d+)$/m.exec(answer)?.[1];
  return errno === undefined ? -1 : Number(errno);
}

/** @returns when each peer of a device last shook hands, in seconds since 1970 (0: never), by public key in base64. */
export function parseHandshakes(answer: string): Map<string, number> {
  const handshakes = new Map<string, number>();
  let peer = '';
  for (const [, key, value] of answer.matchAll(/^(public_key|last_handshake_time_sec)=(.*)$/gm)) {
    if (key === 'public_key') peer = Buffer.from(value!, 'hex').toString('base64');
    handshakes.set(peer, key === 'public_key' ? 0 : Number(value));
  }
  return handshakes;
}

function formatEndpoint({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function toHex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}
