/** Whether this host can carry networks by the kernel data path: by trying what it takes, since what a kernel has can't be read off it. */
import { SysError } from '../sys/errno.linux.ts';
import { encodeVxlan } from '../sys/link-message.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { deleteTable, newTable, nftTransaction, type Table } from '../sys/nftables-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, RTM_DELLINK, RTM_NEWLINK } from '../sys/rtnetlink.ts';

/** Never set up, so they meet nobody's traffic; the last VNI on a port that nobody has. */
const VXLAN = { vni: 0xffffff, local: null, port: 1, learning: false, inheritsDscp: false } as const;
const PROBE_MTU = 1450;

/** @returns what is missing, in words that say what to do, or null. */
export function missingForKernel(): string | null {
  const name = `ovxprobe${process.pid % 1_000_000}`;
  return tryRoute(name) ?? tryFilter(`overlane-probe-${process.pid}`);
}

function tryRoute(name: string): string | null {
  const parts = encodeVxlan(name, Uint8Array.of(2, 0, 0, 0, 0, 1), PROBE_MTU, VXLAN);
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  try {
    const error = socket.change([{ type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, parts }]).get(0);
    if (error?.code === 'EPERM') return 'CAP_NET_ADMIN (run as root)';
    // Another agent of this host looks at the same moment, and sees that there is VXLAN.
    if (error?.code === 'EEXIST') return null;
    if (error !== undefined) return `VXLAN in the kernel (${error.code}; modprobe vxlan)`;
    socket.change([{ type: RTM_DELLINK, flags: 0, parts: parts.slice(0, 2) }]);
    return null;
  } finally {
    socket.close();
  }
}

function tryFilter(name: string): string | null {
  const tables: readonly Table[] = [
    { family: 'ip', name },
    { family: 'netdev', name },
  ];
  let socket: NetlinkSocket | undefined;
  try {
    socket = new NetlinkSocket(NETLINK_NETFILTER);
    socket.transact(nftTransaction(tables.flatMap((table) => [newTable(table), deleteTable(table)])));
    return null;
  } catch (error) {
    if (error instanceof SysError) return `nftables in the kernel (${error.code}; modprobe nf_tables)`;
    throw error;
  } finally {
    socket?.close();
  }
}
