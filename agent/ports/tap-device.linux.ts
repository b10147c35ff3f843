/**
 * The TAP devices that this agent makes: opening, adopting after a crash, removing (linux/if_tun.h).
 *
 * A device is persistent, so that an agent that was killed finds it again, with the addresses that the host gave it. Its alias says
 * who made it and for which network; a device with another alias, or none, is never touched. Its MAC address is derived from the
 * same, so that neighbours' caches stay right across restarts.
 */
import { Arena } from '../sys/arena.linux.ts';
import { checked, lastErrno, SysError } from '../sys/errno.linux.ts';
import { close, F_DUPFD_CLOEXEC, fcntl, ioctl, O_CLOEXEC, O_NONBLOCK, O_RDWR, open } from '../sys/libc.linux.ts';
import { deleteLink, findLink, listLinks, removeQdisc, setLink } from '../sys/link.linux.ts';
import type { Link } from '../sys/link-message.ts';
import { ETHERNET_HEADER_LENGTH } from '../wire/ethernet.ts';
import { MAX_TRAIN_BYTES } from '../wire/packet-batch.ts';
import { VIRTIO_NET_HEADER_LENGTH } from '../wire/virtio-net.ts';
import { VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';
import { aliasOf, macOf, PortError, vniOfAlias } from './ownership.ts';
import { loadQueueSteering } from './queue-steering.linux.ts';

const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const TUNSETVNETLE = 0x400454dc;
const TUNSETSTEERINGEBPF = 0x800454e0;
const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
/**
 * What the host may leave to us on reading (TUN_F_CSUM, TSO4, TSO6, TSO_ECN, USO4, USO6), the most first: a kernel takes what it knows
 * or refuses all. Without any it completes checksums and cuts segments before a frame gets here.
 */
const OFFLOADS = [0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40, 0x01 | 0x02 | 0x04 | 0x08, 0] as const;

/** `struct ifreq` (linux/if.h) and one number. Kept for good: memory that a system call reads must not be collected under it. */
const IFREQ_SIZE = 40;
const arena = new Arena(256);
const ifreq = arena.take(IFREQ_SIZE);
const value = arena.take(4);

/**
 * Frames that the host may have waiting for us: what comes while the thread has not its turn. A TAP drops what finds its queue full, and
 * the 1000 that it has by default are gone in the 4 ms that another process may have the core: small frames were lost at half the rate.
 */
const TX_QUEUE_LENGTH = 4096;
/** What a datagram of a train has besides the frame's IP packet. */
const FRAME_OVERHEAD = VXLAN_HEADER_LENGTH + ETHERNET_HEADER_LENGTH;

export interface TapRequest {
  readonly name: string;
  readonly vni: number;
  /** In bytes of IP packet. */
  readonly mtu: number;
  /** An existing bridge that the device joins. */
  readonly bridge?: string;
  /** How many threads read and write it. */
  readonly threads: number;
}

/** What one thread has of a device. */
export interface TapQueue {
  readonly name: string;
  /** The thread closes it. */
  readonly fd: number;
  /** False where another thread reads for all. */
  readonly isRead: boolean;
  /** See `Port`. */
  readonly takesLargeUdp: boolean;
}

export interface TapDevice {
  readonly name: string;
  /** One for each thread. */
  readonly queues: readonly TapQueue[];
  /** True where each reads its own frames. Else all are the one queue, and the first reads for all. */
  readonly isMultiQueue: boolean;
  /** Where there are several queues: why the kernel does not keep each flow with one of them, if so. */
  readonly unsteered: string | null;
}

/**
 * Makes the TAP, or adopts the one that this agent left.
 * @param identity who we are: the same across restarts, another for each agent of a host.
 * @throws PortError
 */
export function openTap(identity: string, request: TapRequest): TapDevice {
  const bridge = request.bridge === undefined ? undefined : findBridge(request.bridge);
  const alias = aliasOf(identity, request.vni);
  const existing = findLink(request.name);
  if (existing !== undefined && (existing.alias !== alias || existing.kind !== 'tun')) {
    throw new PortError(
      `an interface named ${request.name} is there already and was not made for this network: remove it or choose another name`,
    );
  }
  const queues: TapQueue[] = [];
  try {
    const isMultiQueue = openQueues(request, queues);
    configure(request, existing ?? findLink(request.name)!, existing === undefined, alias, identity, bridge);
    checked('TUNSETPERSIST', ioctl(queues[0]!.fd, TUNSETPERSIST, 1));
    const unsteered = isMultiQueue && request.threads > 1 ? steer(queues[0]!.fd) : null;
    return { name: request.name, queues, isMultiQueue, unsteered };
  } catch (error) {
    for (const { fd } of queues) close(fd);
    throw error instanceof SysError ? new PortError(explain(request, error)) : error;
  }
}

/**
 * Mends a device that passes frames: its MTU, its bridge (which may have been made anew meanwhile), its being up.
 * @throws PortError
 */
export function maintainTap(identity: string, request: TapRequest): void {
  const link = findLink(request.name);
  // Deleted a moment ago: whoever reads from it will notice. Or renamed, and another has its name now.
  if (link === undefined || link.alias !== aliasOf(identity, request.vni)) return;
  const bridge = request.bridge === undefined ? undefined : findBridge(request.bridge);
  const master = bridge?.index ?? link.master;
  const mtu = deviceMtu(request, bridge);
  if (link.mtu !== mtu) setMtu(link.index, mtu);
  if (link.master !== master) setLink(link.index, { master });
  if (!link.up) setLink(link.index, { up: true });
}

/** The device goes when the last descriptor of it is closed. */
export function forgetTap(device: TapDevice): void {
  ioctl(device.queues[0]!.fd, TUNSETPERSIST, 0);
}

/** Removes the devices that an earlier run of this agent left and that are not wanted now. */
export function removeLeftTaps(identity: string, isWanted: (name: string, vni: number) => boolean): void {
  for (const { index, name, alias } of listLinks()) {
    const vni = vniOfAlias(identity, alias);
    if (vni !== null && !isWanted(name, vni)) deleteLink(index);
  }
}

/**
 * A bridge drops without a word what is larger than the port it leaves by. So a port in a bridge takes what the bridge carries, and what is
 * too big for the network is answered (`datapath/too-big.ts`).
 */
function deviceMtu({ mtu }: TapRequest, bridge: Link | undefined): number {
  return Math.max(mtu, bridge?.mtu ?? 0);
}

/**
 * Sets the MTU, and with it how many segments the host may leave together: as many as fit one train (`MAX_TRAIN_BYTES`), since the few that are
 * left over would cost as much as a whole one.
 */
function setMtu(index: number, mtu: number): void {
  setLink(index, { mtu, gsoMaxSegments: Math.floor(MAX_TRAIN_BYTES / (mtu + FRAME_OVERHEAD)) });
}

function findBridge(name: string): Link {
  const link = findLink(name);
  if (link === undefined) throw new PortError(`there is no bridge named ${name}: make it, or attach with another port`);
  if (link.kind !== 'bridge') throw new PortError(`${name} is no bridge but ${link.kind || 'another device'}`);
  return link;
}

function openTun(): number {
  const fd = open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const error = new SysError('open /dev/net/tun', lastErrno());
  throw new PortError(
    error.code === 'ENOENT' || error.code === 'ENODEV'
      ? '/dev/net/tun is missing: load the tun module (modprobe tun) or give the container that device'
      : `can't open /dev/net/tun (${error.code}): run as root, or chmod 666 it, as most systems have it`,
  );
}

/**
 * A device has several queues or one from when it was made, and is not made anew for it, since the host's addresses would be lost. A
 * kernel before 3.8 knows one only.
 * @param queues gets one for each thread, also where this throws.
 * @returns whether they are queues of their own.
 */
function openQueues({ name, threads }: TapRequest, queues: TapQueue[]): boolean {
  const first = { name, fd: openTun(), isRead: true, takesLargeUdp: false };
  queues.push(first);
  const isWanted = threads > 1;
  const wanted = tryAttach(first.fd, name, isWanted);
  const isMultiQueue = wanted === null ? !isWanted : isWanted;
  queues[0] = { ...first, takesLargeUdp: wanted ?? attach(first.fd, name, isMultiQueue) };
  while (queues.length < threads) {
    const fd = isMultiQueue ? openTun() : checked('fcntl', fcntl(first.fd, F_DUPFD_CLOEXEC, 0));
    queues.push({ ...queues[0], fd, isRead: isMultiQueue });
    if (isMultiQueue) attach(fd, name, true);
  }
  return isMultiQueue;
}

/** Has every flow keep to one queue. @returns why that can't be had, or null. */
function steer(fd: number): string | null {
  try {
    const program = loadQueueSteering();
    try {
      arena.view.setInt32(value, program, true);
      checked('TUNSETSTEERINGEBPF', ioctl(fd, TUNSETSTEERINGEBPF, arena.address + value));
    } finally {
      close(program);
    }
    return null;
  } catch (error) {
    if (error instanceof SysError) return error.message;
    throw error;
  }
}

/** @returns what `attach` does; null where the device is not of that kind. @throws SysError */
function tryAttach(fd: number, name: string, isMultiQueue: boolean): boolean | null {
  try {
    return attach(fd, name, isMultiQueue);
  } catch (error) {
    if (error instanceof SysError && error.code === 'EINVAL') return null;
    throw error;
  }
}

/** @returns whether the kernel knows large UDP packets. */
function attach(fd: number, name: string, isMultiQueue: boolean): boolean {
  arena.bytes.fill(0, ifreq, ifreq + IFREQ_SIZE);
  new TextEncoder().encodeInto(name, arena.bytes.subarray(ifreq, ifreq + 15));
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (isMultiQueue ? IFF_MULTI_QUEUE : 0);
  arena.view.setUint16(ifreq + 16, flags, true);
  checked('TUNSETIFF', ioctl(fd, TUNSETIFF, arena.address + ifreq));
  arena.view.setInt32(value, VIRTIO_NET_HEADER_LENGTH, true);
  checked('TUNSETVNETHDRSZ', ioctl(fd, TUNSETVNETHDRSZ, arena.address + value));
  arena.view.setInt32(value, 1, true);
  checked('TUNSETVNETLE', ioctl(fd, TUNSETVNETLE, arena.address + value));
  const taken = OFFLOADS.find((offloads) => ioctl(fd, TUNSETOFFLOAD, offloads) === 0);
  if (taken === undefined) checked('TUNSETOFFLOAD', -1);
  return taken === OFFLOADS[0];
}

function configure(
  request: TapRequest,
  link: Link,
  isNew: boolean,
  alias: string,
  identity: string,
  bridge: Link | undefined,
): void {
  if (isNew) setLink(link.index, { alias, mac: macOf(identity, request.vni), txQueueLength: TX_QUEUE_LENGTH });
  if (isNew) tryRemoveQdisc(link.index);
  const master = bridge?.index ?? 0;
  setMtu(link.index, deviceMtu(request, bridge));
  if (link.master !== master) setLink(link.index, { master });
  setLink(link.index, { up: true });
}

/** A TAP with several queues could have 256, each with a discipline of the TAP's own queue length: 25 MB. Where it stays, it only costs. */
function tryRemoveQdisc(index: number): void {
  try {
    removeQdisc(index);
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
  }
}

function explain({ name }: TapRequest, error: SysError): string {
  switch (error.code) {
    case 'EPERM':
      return `can't make the interface ${name}: run as root or with CAP_NET_ADMIN`;
    case 'EBUSY':
      return `the interface ${name} is held by another process`;
    default:
      return `can't make the interface ${name}: ${error.message}`;
  }
}
