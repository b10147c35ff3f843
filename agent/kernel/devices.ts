/**
 * The devices of one network: a vxlan device, and the bridge that it is in. They are compared by what they are, never by their names alone;
 * one that another made is never touched.
 */
import { randomInt } from 'node:crypto';
import { aliasOf, macOf, PortError } from '../ports/ownership.ts';
import { SysError } from '../sys/errno.linux.ts';
import {
  decodeLink,
  encodeAlias,
  encodeBridge,
  encodeBridgePort,
  encodeVxlan,
  encodeVxlanChange,
  type Link,
  type VxlanSettings,
} from '../sys/link-message.ts';
import type { NetlinkChange, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import {
  encodeAttribute,
  encodeLinkHeader,
  encodeUint32,
  IFF_UP,
  IFLA_GROUP,
  IFLA_MASTER,
  IFLA_MTU,
  NLM_F_CREATE,
  NLM_F_EXCL,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from '../sys/rtnetlink.ts';
import type { DeviceRequest } from './device-request.ts';

/**
 * A bridge drops in silence what is larger than the port that it leaves by; what reaches the vxlan device and is too large for the underlay is
 * answered by it. So our bridges, whose own MTU is the network's, have a port that takes everything.
 */
const MAX_VXLAN_MTU = 65_535;

export interface Devices {
  readonly vxlan: Link;
  readonly bridge: Link;
  /** The vxlan device was made, or was down: the kernel may have forgotten entries. */
  readonly isFresh: boolean;
}

/** All of the host's links, read in one dump. */
export class Links {
  readonly #byName = new Map<string, Link>();

  static read(socket: NetlinkSocket): Links {
    return new Links(socket.dump(RTM_GETLINK, encodeLinkHeader(0)).map(({ body }) => decodeLink(body)));
  }

  constructor(links: readonly Link[]) {
    for (const link of links) this.#byName.set(link.name, link);
  }

  find(name: string): Link | undefined {
    return this.#byName.get(name);
  }

  [Symbol.iterator](): Iterator<Link> {
    return this.#byName.values();
  }

  /** Reads a link again that was just made or changed. */
  refresh(socket: NetlinkSocket, name: string): Link {
    const index = this.#byName.get(name)?.index;
    const question = index === undefined ? encodeName(name) : [encodeLinkHeader(index)];
    const link = decodeLink(socket.get(RTM_GETLINK, ...question)[0]!.body);
    this.#byName.set(name, link);
    return link;
  }

  forget(name: string): void {
    this.#byName.delete(name);
  }
}

export function vxlanName(vni: number): string {
  return `ovx${vni}`;
}

/** Whether a link is of a kind that an agent makes, on either data path. */
export function isOfOurKind({ kind }: Link): boolean {
  return kind === 'vxlan' || kind === 'bridge' || kind === 'tun';
}

/** Whether a link is what a network's devices consist of, so that it can stay. */
export function isWanted(link: Link, { port, vxlan }: DeviceRequest): boolean {
  if (link.kind === 'vxlan') return link.name === vxlanName(vxlan.vni) && isSameVxlan(link.vxlan, vxlan);
  return link.kind === 'bridge' && port.type === 'host' && link.name === port.name;
}

/**
 * Makes what is not there, and mends what somebody changed.
 * @param onMade is called with the name of a vxlan device that was made, before it takes anything in.
 * @throws PortError with one line for people.
 */
export function ensureDevices(
  socket: NetlinkSocket,
  links: Links,
  identity: string,
  request: DeviceRequest,
  onMade: (name: string) => void,
): Devices {
  const { vni } = request.vxlan;
  const alias = aliasOf(identity, vni);
  let bridge =
    request.port.type === 'host'
      ? ensureBridge(socket, links, identity, request)
      : findBridge(links, request.port.name);
  const mtu = request.port.type === 'host' ? MAX_VXLAN_MTU : Math.max(request.mtu, bridge.mtu);
  const name = vxlanName(vni);
  const existing = links.find(name);
  if (existing !== undefined && existing.alias !== alias) {
    throw new PortError(`an interface named ${name} is there already and was not made by this agent: remove it`);
  }
  if (existing === undefined) {
    make(socket, name, alias, encodeVxlan(name, vxlanMac(identity, vni), mtu, request.vxlan), (error) =>
      explainVxlan(error, links, request.vxlan),
    );
    onMade(name);
  }
  let vxlan = existing ?? links.refresh(socket, name);
  const wasUp = vxlan.up;
  const changes: NetlinkChange[] = [];
  const { learning: learns, inheritsDscp } = request.vxlan;
  if (vxlan.vxlan?.learning !== learns || vxlan.vxlan.inheritsDscp !== inheritsDscp) {
    changes.push({ type: RTM_NEWLINK, flags: 0, parts: encodeVxlanChange(vxlan.index, request.vxlan) });
  }
  if (vxlan.mtu !== mtu) changes.push(setAttribute(vxlan, IFLA_MTU, mtu));
  const joins = vxlan.master !== bridge.index;
  if (joins) changes.push(setAttribute(vxlan, IFLA_MASTER, bridge.index));
  const { learning, neighSuppress } = request.bridgePort;
  if (joins || vxlan.bridgePort?.learning !== learning || vxlan.bridgePort.neighSuppress !== neighSuppress) {
    changes.push({ type: RTM_SETLINK, flags: 0, parts: encodeBridgePort(vxlan.index, request.bridgePort) });
  }
  if (!vxlan.up) changes.push(setUp(vxlan));
  if (request.port.type === 'host') {
    // A bridge that nobody gave an MTU takes its ports'.
    if (joins || bridge.mtu !== request.mtu) changes.push(setAttribute(bridge, IFLA_MTU, request.mtu));
    if (!bridge.up) changes.push(setUp(bridge));
  }
  if (changes.length > 0) {
    for (const error of socket.change(changes).values()) throw new PortError(explainVxlan(error, links, request.vxlan));
    vxlan = links.refresh(socket, name);
    bridge = links.refresh(socket, bridge.name);
  }
  return { vxlan, bridge, isFresh: !wasUp || joins };
}

/**
 * Deletes devices. The kernel waits a while for each that goes, and once for all that go together, which are those of a group: so they are
 * put into one that nobody else can have.
 */
export function deleteDevices(socket: NetlinkSocket, links: Links, doomed: readonly Link[]): void {
  if (doomed.length === 0) return;
  for (const { name } of doomed) links.forget(name);
  const group = encodeAttribute(IFLA_GROUP, encodeUint32(randomInt(2 ** 30, 2 ** 31)));
  socket.change([
    ...doomed.map(({ index }) => ({ type: RTM_SETLINK, flags: 0, parts: [encodeLinkHeader(index), group] })),
    { type: RTM_DELLINK, flags: 0, parts: [encodeLinkHeader(0), group] },
  ]);
}

/** Deletes a network's vxlan device, if it is there and ours. */
export function removeVxlan(socket: NetlinkSocket, links: Links, identity: string, vni: number): void {
  const link = links.find(vxlanName(vni));
  if (link?.kind === 'vxlan' && link.alias === aliasOf(identity, vni)) deleteDevices(socket, links, [link]);
}

function ensureBridge(
  socket: NetlinkSocket,
  links: Links,
  identity: string,
  { port, mtu, vxlan }: DeviceRequest,
): Link {
  const alias = aliasOf(identity, vxlan.vni);
  const existing = links.find(port.name);
  if (existing !== undefined) {
    if (existing.alias === alias && existing.kind === 'bridge') return existing;
    throw new PortError(
      `an interface named ${port.name} is there already and was not made for this network: remove it or choose another name`,
    );
  }
  make(socket, port.name, alias, encodeBridge(port.name, macOf(identity, vxlan.vni), mtu), (error) =>
    error.code === 'EOPNOTSUPP'
      ? `can't make the interface ${port.name}: this kernel has no bridges (modprobe bridge), or use --datapath userspace`
      : explain(error, port.name),
  );
  return links.refresh(socket, port.name);
}

function findBridge(links: Links, name: string): Link {
  const link = links.find(name);
  if (link === undefined) throw new PortError(`there is no bridge named ${name}: make it, or attach with another port`);
  if (link.kind !== 'bridge') throw new PortError(`${name} is no bridge but ${link.kind || 'another device'}`);
  return link;
}

/**
 * Makes a device and signs it in one system call, so that none is left that nobody knows. Whose the name is already, if only as an
 * alternative name, which a dump is not searched for, is not signed.
 */
function make(
  socket: NetlinkSocket,
  name: string,
  alias: string,
  parts: readonly Uint8Array[],
  explained: (error: SysError) => string,
): void {
  const other = findByAnyName(socket, name);
  if (other !== undefined) {
    throw new PortError(
      `${other} has the name ${name} already and was not made by this agent: remove it or choose another name`,
    );
  }
  const errors = socket.change([
    { type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, parts },
    { type: RTM_SETLINK, flags: 0, parts: encodeAlias(name, alias) },
  ]);
  for (const error of errors.values()) throw new PortError(explained(error));
}

/** @returns what the device that answers to the name is called, if there is one. */
function findByAnyName(socket: NetlinkSocket, name: string): string | undefined {
  try {
    return decodeLink(socket.get(RTM_GETLINK, ...encodeName(name))[0]!.body).name;
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENODEV') return undefined;
    throw error;
  }
}

function explainVxlan(error: SysError, links: Links, { vni, port }: VxlanSettings): string {
  const name = vxlanName(vni);
  switch (error.code) {
    case 'EEXIST': {
      const other = [...links].find((link) => link.vxlan?.vni === vni && link.vxlan.port === port);
      return `VNI ${vni} is carried on UDP port ${port} by ${other?.name ?? 'another vxlan device'} already, which this agent did not make: remove that device`;
    }
    case 'EADDRINUSE':
      return `UDP port ${port} is in use, by another agent or by a vxlan device with other settings: stop that, or choose another --vtep-port`;
    case 'EOPNOTSUPP':
      return 'this kernel has no VXLAN: load the vxlan module (modprobe vxlan), or use --datapath userspace';
    case 'EAFNOSUPPORT':
      return 'this host has no IPv6, which the VTEP address needs';
    default:
      return explain(error, name);
  }
}

function explain(error: SysError, name: string): string {
  if (error.code === 'EPERM') return `can't make the interface ${name}: run as root or with CAP_NET_ADMIN`;
  return `can't make the interface ${name}: ${error.message}`;
}

/** The kernel does not say an address that is unspecified. */
function isSameVxlan(a: VxlanSettings | undefined, b: VxlanSettings): boolean {
  return a?.vni === b.vni && a.port === b.port && a.local === (b.local === '::' ? null : b.local);
}

/** Higher than any other port's: a bridge without an address of its own takes its lowest port's, and shall keep the one that it has. */
function vxlanMac(identity: string, vni: number): Uint8Array {
  const mac = macOf(identity, vni);
  mac[0] = 0xfe;
  return mac;
}

function encodeName(name: string): Uint8Array[] {
  return encodeAlias(name, '').slice(0, 2);
}

function setAttribute({ index }: Link, type: number, value: number): NetlinkChange {
  return { type: RTM_SETLINK, flags: 0, parts: [encodeLinkHeader(index), encodeAttribute(type, encodeUint32(value))] };
}

function setUp({ index }: Link): NetlinkChange {
  return { type: RTM_SETLINK, flags: 0, parts: [encodeLinkHeader(index, IFF_UP, IFF_UP)] };
}
