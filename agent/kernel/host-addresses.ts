import { decodeAddress, type HostAddress } from '../sys/address-message.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { ADDRESS_HEADER_LENGTH, RTM_GETADDR } from '../sys/rtnetlink.ts';

/** @returns all addresses of this host's interfaces. */
export function readHostAddresses(route: NetlinkSocket): HostAddress[] {
  return route
    .dump(RTM_GETADDR, new Uint8Array(ADDRESS_HEADER_LENGTH))
    .flatMap(({ body }) => decodeAddress(body) ?? []);
}

/** An address of the loopback interface is one of this host, though no interface names each. */
export function isHere(address: string): boolean {
  return address.startsWith('127.') || findLinkByAddress(address) !== undefined;
}
