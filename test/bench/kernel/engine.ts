/** The kernel data path without its thread, with its messages counted. */
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import { Filter } from '../../../agent/kernel/filter.ts';
import { KernelNetworks } from '../../../agent/kernel/kernel-networks.ts';
import type { SysError } from '../../../agent/sys/errno.linux.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  type NetlinkChange,
  NetlinkSocket,
} from '../../../agent/sys/netlink-socket.linux.ts';

const VXLAN_PORT = 4789;

class CountingSocket extends NetlinkSocket {
  changes = 0;

  override change(changes: readonly NetlinkChange[]): Map<number, SysError> {
    this.changes += changes.length;
    return super.change(changes);
  }

  override transact(changes: readonly NetlinkChange[]): void {
    // Less the two that open and close it.
    this.changes += changes.length - 2;
    super.transact(changes);
  }
}

export interface Engine {
  readonly networks: KernelNetworks;
  /** How many changes the kernel was asked for since it was last asked. */
  takeChanges(): number;
  close(): void;
}

/** @param address of this namespace, which VXLAN is sent from. */
export function openEngine(address: string): Engine {
  const route = new CountingSocket(NETLINK_ROUTE);
  const netfilter = new CountingSocket(NETLINK_NETFILTER);
  const networks = new KernelNetworks({
    identity: 'bench',
    vxlanPort: VXLAN_PORT,
    route,
    filter: new Filter(netfilter, 'bench', { isIpv6: false, vxlanPort: VXLAN_PORT }),
    stations: new LocalStations(),
    localAddress: () => address,
    isIpv6: false,
    dscp: 'zero',
    mtuLimit: () => 1450,
  });
  return {
    networks,
    takeChanges: () => {
      const count = route.changes + netfilter.changes;
      route.changes = 0;
      netfilter.changes = 0;
      return count;
    },
    close: () => {
      route.close();
      netfilter.close();
    },
  };
}
