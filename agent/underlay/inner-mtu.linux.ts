import { parseIp } from '../../src/contract/ip.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import { VXLAN_OVERHEAD_IPV4, VXLAN_OVERHEAD_IPV6 } from '../wire/vxlan.ts';

/** @returns the largest MTU that a port may have: what the underlay leaves, in bytes of IP packet; no limit where that is not known. */
export function innerMtuLimit(address: string | null): number {
  const link = address === null ? undefined : findLinkByAddress(address);
  if (address === null || link === undefined) return Number.POSITIVE_INFINITY;
  return link.mtu - (parseIp(address)!.length === 4 ? VXLAN_OVERHEAD_IPV4 : VXLAN_OVERHEAD_IPV6);
}
