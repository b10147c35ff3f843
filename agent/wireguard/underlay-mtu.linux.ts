/** How large a packet within the tunnel may be. */
import { parseIp } from '../../src/contract/ip.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';

/** IP, UDP, and WireGuard's own 32 bytes. */
const WIREGUARD_OVERHEAD_IPV4 = 60;
const WIREGUARD_OVERHEAD_IPV6 = 80;
/** What fits a path of 1500 bytes over either IP: for a site of which nothing is known. */
const USUAL_MTU = 1420;

/** @param address of the VTEP; null, or not of this host (it is a NAT's, say): the usual. */
export function tunnelMtu(address: string | null): number {
  const link = address === null ? undefined : findLinkByAddress(address);
  if (address === null || link === undefined) return USUAL_MTU;
  return link.mtu - (parseIp(address)!.length === 4 ? WIREGUARD_OVERHEAD_IPV4 : WIREGUARD_OVERHEAD_IPV6);
}
