/** What an earlier run by the kernel data path left, and the userspace one must not meet: its devices hold the UDP port, its filter judges. */
import { vniOfAlias } from '../ports/ownership.ts';
import { SysError } from '../sys/errno.linux.ts';
import type { Link } from '../sys/link-message.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { deleteDevices, Links } from './devices.ts';
import { Filter } from './filter.ts';

/** Removes it, as far as there is any and it may be touched. */
export function removeKernelLeftovers(identity: string, isIpv6: boolean, vxlanPort: number): void {
  const route = new NetlinkSocket(NETLINK_ROUTE);
  const links = Links.read(route);
  const isOurs = ({ alias, kind }: Link): boolean =>
    vniOfAlias(identity, alias) !== null && (kind === 'vxlan' || kind === 'bridge');
  deleteDevices(route, links, [...links].filter(isOurs));
  route.close();
  let netfilter: NetlinkSocket | undefined;
  try {
    netfilter = new NetlinkSocket(NETLINK_NETFILTER);
    new Filter(netfilter, identity, { isIpv6, vxlanPort }).remove();
  } catch (error) {
    // A kernel without nftables, or no permission: then there is none of ours.
    if (!(error instanceof SysError)) throw error;
  } finally {
    netfilter?.close();
  }
}
