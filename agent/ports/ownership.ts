/**
 * Whose a device is. Its alias says which agent made it for which network, on either data path; a device with another alias, or none, is
 * never touched.
 */
import { createHash } from 'node:crypto';

const ALIAS_PREFIX = 'overlane';

/** A device that can't be had; `message` is one line for people. */
export class PortError extends Error {
  override readonly name = 'PortError';
}

/** @param identity who we are: the same across restarts, another for each agent of a host. */
export function aliasOf(identity: string, vni: number): string {
  return `${ALIAS_PREFIX} ${identity} vni ${vni}`;
}

/** @returns the VNI of a device that this agent made, or null. */
export function vniOfAlias(identity: string, alias: string): number | null {
  const prefix = `${ALIAS_PREFIX} ${identity} vni `;
  return alias.startsWith(prefix) ? Number(alias.slice(prefix.length)) : null;
}

/**
 * A locally administered unicast address from a hash of who and what for: the host's own in the network, the same after a restart and on
 * either data path, so that neighbours' caches stay right.
 */
export function macOf(identity: string, vni: number): Uint8Array {
  const mac = new Uint8Array(createHash('sha256').update(aliasOf(identity, vni)).digest().subarray(0, 6));
  mac[0] = (mac[0]! & 0xfc) | 0x02;
  return mac;
}
