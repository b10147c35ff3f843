/**
 * The kernel data path's thread: programs the kernel, and waits for what it tells. A thread of its own, since the first table may be ten
 * thousand entries, a dump of them takes its time, and notifications are waited for by epoll, which the event loop can't.
 */
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { formatIp } from '../../src/contract/ip.ts';
import { LocalStations } from '../datapath/local-stations.ts';
import { decodeAddress } from '../sys/address-message.ts';
import { Arena } from '../sys/arena.linux.ts';
import { ARP_SOCKET_ARENA_BYTES, ArpSocket } from '../sys/arp-socket.linux.ts';
import { Epoll } from '../sys/epoll.linux.ts';
import { SysError } from '../sys/errno.linux.ts';
import { openEventfd } from '../sys/eventfd.linux.ts';
import { close, read } from '../sys/libc.linux.ts';
import { decodeLink } from '../sys/link-message.ts';
import { decodeNeighbor, macText, RTM_DELNEIGH, RTM_NEWNEIGH } from '../sys/neighbor-message.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import { decodeTableName, NFNLGRP_NFTABLES } from '../sys/nftables-message.ts';
import {
  type NetlinkMessage,
  RTM_DELLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_LINK,
  RTNLGRP_NEIGH,
} from '../sys/rtnetlink.ts';
import { innerMtuLimit } from '../underlay/inner-mtu.linux.ts';
import { ARP_SENDER_IP, isArp } from '../wire/arp.ts';
import { Filter } from './filter.ts';
import { isHere } from './host-addresses.ts';
import { KernelNetworks } from './kernel-networks.ts';
import { PROBE_RECEIVER_ARENA_BYTES, ProbeReceiver } from './probe-receiver.linux.ts';
import type { Answers, FromThread, ThreadOptions, ToThread } from './protocol.ts';

/** Changes that come together are dealt with together. */
const GATHER_SECONDS = 0.1;
/** How often devices are looked after without being told: a link's MTU may change. */
const UPKEEP_SECONDS = 10;
/** Reading all that the kernel has takes its time, and much of it goes by when changes come too fast to be heard: so much less than the rest. */
const RESYNC_SHARE = 0.1;
const EVENTS = 8;

const { port, options } = workerData as { readonly port: MessagePort; readonly options: ThreadOptions };
const tell = (message: FromThread): void => port.postMessage(message);

try {
  run(options);
} catch (error) {
  tell({ type: 'failed', ...describe(error) });
}
port.close();

function run({ vtep, identity, dscp, sources }: ThreadOptions): void {
  const arena = new Arena(ARP_SOCKET_ARENA_BYTES + PROBE_RECEIVER_ARENA_BYTES + EVENTS * 16 + 4096);
  const wakeBuffer = arena.take(8);
  const wakeFd = openEventfd();
  const route = new NetlinkSocket(NETLINK_ROUTE);
  const groups = [RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR];
  const heard = new NetlinkSocket(NETLINK_ROUTE, groups);
  const filterSocket = new NetlinkSocket(NETLINK_NETFILTER);
  const filterHeard = tryOpen(() => new NetlinkSocket(NETLINK_NETFILTER, [NFNLGRP_NFTABLES]));
  const arp = tryOpen(() => new ArpSocket(arena));
  const isIpv6 = vtep.address?.includes(':') === true;
  const probes = new ProbeReceiver(arena, isIpv6);
  const epoll = new Epoll(arena, EVENTS);
  for (const fd of [wakeFd, heard.fd, filterHeard?.fd, arp?.fd, probes.fd]) if (fd !== undefined) epoll.add(fd, fd);

  let { address } = vtep;
  let addressIsHere = false;
  const stations = new LocalStations();
  const devices = sources?.map(({ index }) => index);
  const filter = new Filter(filterSocket, identity, { isIpv6, vxlanPort: vtep.port, devices, probePort: probes.port });
  const networks = new KernelNetworks({
    identity,
    vxlanPort: vtep.port,
    route,
    filter,
    stations,
    isIpv6,
    dscp,
    localAddress,
    devices,
    mtuLimit: () => innerMtuLimit(address),
  });
  tell({ type: 'ready', wakeFd });
  if (arp === null) {
    tell({
      type: 'notice',
      level: 'info',
      message: 'without CAP_NET_RAW, stations are announced without their addresses',
    });
  }

  /** Once it is an address of this host it is not given up: one that is gone for a moment must not take the devices along. */
  function localAddress(): string | null {
    // By an interface of its own, what is sent has that interface's address.
    if (sources !== undefined) return null;
    if (!addressIsHere && address !== null) addressIsHere = isHere(address);
    return addressIsHere ? address : null;
  }

  let lookedAfterAt = now();
  let linksChanged = false;
  let entriesLost = false;
  let resyncAt = 0;
  let filterChanged = false;
  /** When the first of the changes came that wait to be dealt with. */
  let since: number | null = null;
  let running = true;
  while (running) {
    epoll.wait(Math.ceil(1000 * (since === null ? patience() : GATHER_SECONDS)));
    // First, since it is timed.
    const probed = probes.receive(now());
    if (probed.length > 0) tell({ type: 'probes', heard: probed, overLimit: probes.overLimit });
    // Always in this order, so that a station's place is known when its address is heard, and both before a table speaks of them.
    if (!heard.notifications(takeRoute)) entriesLost = true;
    if (filterHeard !== null && !filterHeard.notifications(takeFilter)) filterChanged ||= !filter.isUntouched();
    arp?.receive(takeArp);
    running = takeMessages();
    if (!running) break;
    const time = now();
    if (isRepairDue(time) || linksChanged || entriesLost || filterChanged || stations.hasChanges) since ??= time;
    if (since !== null && time - since >= GATHER_SECONDS) {
      since = null;
      mend();
      if (stations.hasChanges) tell({ type: 'learned', changes: stations.takeChanges() });
    }
    if (time - lookedAfterAt >= UPKEEP_SECONDS) {
      lookedAfterAt = time;
      tell({ type: 'report', report: networks.retry() });
    }
  }
  for (const each of [route, heard, filterSocket, filterHeard, arp, probes, epoll]) each?.close();
  close(wakeFd);

  function isRepairDue(time: number): boolean {
    const { repairAt } = networks;
    return repairAt !== null && repairAt <= time;
  }

  /** For how long nothing is to be done, in seconds. */
  function patience(): number {
    const due = Math.min(
      networks.repairAt ?? Number.POSITIVE_INFINITY,
      entriesLost ? resyncAt : Number.POSITIVE_INFINITY,
    );
    return Math.min(UPKEEP_SECONDS, Math.max(0, due - now()));
  }

  function mend(): void {
    if (filterChanged) {
      filterChanged = false;
      tell({
        type: 'notice',
        level: 'warn',
        message: `somebody changed the tables ${filter.name} of nftables: they are made again`,
      });
      tell({ type: 'report', report: networks.mendFilter() });
    }
    const begun = now();
    if (entriesLost && begun >= resyncAt) {
      entriesLost = false;
      tell({ type: 'report', report: networks.resync() });
      resyncAt = now() + (now() - begun) / RESYNC_SHARE;
    } else if (linksChanged) tell({ type: 'report', report: networks.retry() });
    linksChanged = false;
    if (isRepairDue(now())) tell({ type: 'report', report: networks.repair() });
  }

  function takeRoute({ type, body }: NetlinkMessage): void {
    switch (type) {
      case RTM_NEWNEIGH:
      case RTM_DELNEIGH: {
        const entry = decodeNeighbor(body);
        if (entry !== null) networks.neighborChanged(type, entry);
        break;
      }
      case RTM_NEWLINK:
      case RTM_DELLINK: {
        const link = decodeLink(body);
        if (networks.concerns(link.index, link.name)) linksChanged = true;
        break;
      }
      case RTM_NEWADDR: {
        const address = decodeAddress(body);
        if (address !== null) networks.hostAddressCame(address.index, address.address);
        break;
      }
    }
  }

  function takeFilter({ portId, body }: NetlinkMessage): void {
    if (portId !== filterSocket.portId && decodeTableName(body) === filter.name) filterChanged = true;
  }

  function takeArp(index: number, view: DataView, offset: number, length: number): void {
    if (!isArp(view, offset, length)) return;
    const mac = macText(new Uint8Array(view.buffer, offset + 8, 6));
    networks.addressHeard(index, mac, formatIp(new Uint8Array(view.buffer, offset + ARP_SENDER_IP, 4)));
  }

  /** @returns false once told to stop. */
  function takeMessages(): boolean {
    read(wakeFd, arena.address + wakeBuffer, 8);
    for (;;) {
      const received = receiveMessageOnPort(port) as { readonly message: ToThread } | undefined;
      if (received === undefined) return true;
      const { message } = received;
      try {
        tell({ type: 'answer', id: message.id, answer: answerTo(message) });
      } catch (error) {
        tell({ type: 'refusal', id: message.id, ...describe(error) });
      }
      if (message.type === 'stop') return false;
    }
  }

  function answerTo(message: ToThread): Answers[keyof Answers] {
    switch (message.type) {
      case 'apply':
        return message.update === null ? networks.retry() : networks.apply(message.update);
      case 'sources':
        address = message.sources[0]?.address ?? null;
        return networks.setDevices(message.sources.map(({ index }) => index));
      case 'fdb':
        return networks.fdb();
      case 'localMacs':
        return stations.all();
      case 'stop':
        if (!message.keep) networks.remove();
        return null;
    }
  }
}

function tryOpen<T>(open: () => T): T | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof SysError) return null;
    throw error;
  }
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  return {
    code: error instanceof SysError ? error.code : 'internal',
    message: error instanceof Error ? error.message : String(error),
  };
}

/** Seconds on the clock that all threads have. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
