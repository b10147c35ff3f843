import { decodeAddress, type HostAddress } from '../sys/address-message.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { ADDRESS_HEADER_LENGTH, RTM_GETADDR } from '../sys/rtnetlink.ts';

/** @returns all addresses of this host's interfaces. */
export function readHostAddresses(route: NetlinkSocket): HostAddress[] {
  return route
    .dump(RTM_GETADDR, new Uint8Array(ADDRESS_HEADER_LENGTH))
    .flatMap(({ body }) => decodeAddress(body) ?? []);
}
