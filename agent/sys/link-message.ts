/**
 * Links as route netlink says them (linux/if_link.h): any device, and what is special to vxlan devices, bridges and the ports of a bridge.
 * Pure.
 */
import { formatIp, parseIp } from '../../src/contract/ip.ts';
import { AF_BRIDGE } from './neighbor-message.ts';
import {
  decodeAttributes,
  decodeText,
  encodeAttribute,
  encodeLinkHeader,
  encodeNested,
  encodeText,
  encodeUint32,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  LINK_HEADER_LENGTH,
  NLA_F_NESTED,
} from './rtnetlink.ts';

const IFLA_PROTINFO = 12;
const IFLA_STATS64 = 23;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_DATA = 5;

const VXLAN_ID = 1;
const VXLAN_LOCAL = 4;
const VXLAN_TOS = 6;
const VXLAN_LEARNING = 7;
const VXLAN_PORT_RANGE = 10;
const VXLAN_PORT = 15;
const VXLAN_LOCAL6 = 17;
const VXLAN_UDP_CSUM = 18;
const VXLAN_UDP_ZERO_CSUM6_RX = 20;
const VXLAN_DF = 29;
const DF_SET = 1;
const TOS_INHERIT = 1;
/** RFC 7348: the dynamic range. */
const SOURCE_PORTS = Uint8Array.of(0xc0, 0x00, 0xff, 0xff);

const BRIDGE_FORWARD_DELAY = 1;
const BRIDGE_MCAST_SNOOPING = 23;
/** Since Linux 6.7; earlier ones take no notice. */
const BRIDGE_FDB_MAX_LEARNED = 49;
/** Stations that a bridge learns, at most: as many as the userspace data path does of a network. Entries that are set do not count. */
const MAX_LEARNED_MACS = 100_000;

const PORT_LEARNING = 8;
const PORT_NEIGH_SUPPRESS = 32;

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly up: boolean;
  /** `bridge`, `tun`, `vxlan`, …; empty for a physical device. */
  readonly kind: string;
  /** Free text on the device; ours say who made them. */
  readonly alias: string;
  /** The index of the bridge it is in, or 0. */
  readonly master: number;
  /** 6 bytes, of an Ethernet device. */
  readonly mac: Uint8Array;
  readonly vxlan?: VxlanSettings | undefined;
  readonly bridgePort?: BridgePortSettings | undefined;
  readonly stats?: LinkStats | undefined;
}

export interface VxlanSettings {
  readonly vni: number;
  /** In canonical text; null where the kernel chooses by route, over IPv4. */
  readonly local: string | null;
  readonly port: number;
  readonly learning: boolean;
  /** The outer header's DSCP is the inner one's, else 0. Congestion marks pass in either case. */
  readonly inheritsDscp: boolean;
}

export interface BridgePortSettings {
  readonly learning: boolean;
  readonly neighSuppress: boolean;
}

/** `struct rtnl_link_stats64`: what a vxlan device has of it. */
export interface LinkStats {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly txDropped: number;
  readonly rxLengthErrors: number;
  readonly txCarrierErrors: number;
}

/** @param body after the message's header. */
export function decodeLink(body: Uint8Array): Link {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const attributes = decodeAttributes(body, LINK_HEADER_LENGTH);
  const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
  const kind = decodeText(info.get(IFLA_INFO_KIND) ?? new Uint8Array());
  const data = info.get(IFLA_INFO_DATA);
  const slave = info.get(IFLA_INFO_SLAVE_DATA);
  const stats = attributes.get(IFLA_STATS64);
  return {
    index: view.getInt32(4, true),
    name: decodeText(attributes.get(IFLA_IFNAME) ?? new Uint8Array()),
    mtu: decodeUint32(attributes.get(IFLA_MTU)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
    kind,
    alias: decodeText(attributes.get(IFLA_IFALIAS) ?? new Uint8Array()),
    master: decodeUint32(attributes.get(IFLA_MASTER)),
    mac: (attributes.get(IFLA_ADDRESS) ?? new Uint8Array()).slice(),
    vxlan: kind === 'vxlan' && data !== undefined ? decodeVxlan(data) : undefined,
    bridgePort: slave === undefined ? undefined : decodeBridgePort(slave),
    stats: stats === undefined || stats.length < 192 ? undefined : decodeStats(stats),
  };
}

/** A bridge without spanning tree and multicast snooping, which forwards at once, and which made-up addresses can't fill without end. */
export function encodeBridge(name: string, mac: Uint8Array, mtu: number): Uint8Array[] {
  const data = [
    encodeAttribute(BRIDGE_FORWARD_DELAY, encodeUint32(0)),
    encodeAttribute(BRIDGE_MCAST_SNOOPING, Uint8Array.of(0)),
    encodeAttribute(BRIDGE_FDB_MAX_LEARNED, encodeUint32(MAX_LEARNED_MACS)),
  ];
  return [...encodeNew(name, mac, mtu), encodeInfo('bridge', data)];
}

/** A vxlan device with DF set on what it sends. */
export function encodeVxlan(name: string, mac: Uint8Array, mtu: number, vxlan: VxlanSettings): Uint8Array[] {
  const isIpv6 = vxlan.local?.includes(':') === true;
  const data = [
    encodeAttribute(VXLAN_ID, encodeUint32(vxlan.vni)),
    encodeAttribute(VXLAN_PORT, Uint8Array.of(vxlan.port >> 8, vxlan.port & 0xff)),
    encodeAttribute(VXLAN_PORT_RANGE, SOURCE_PORTS),
    encodeAttribute(VXLAN_TOS, Uint8Array.of(vxlan.inheritsDscp ? TOS_INHERIT : 0)),
    encodeAttribute(VXLAN_LEARNING, Uint8Array.of(Number(vxlan.learning))),
    encodeAttribute(VXLAN_DF, Uint8Array.of(DF_SET)),
    encodeAttribute(VXLAN_UDP_CSUM, Uint8Array.of(1)),
  ];
  if (vxlan.local !== null) data.push(encodeAttribute(isIpv6 ? VXLAN_LOCAL6 : VXLAN_LOCAL, parseIp(vxlan.local)!));
  // Over IPv4 a device takes zero checksums anyway, and shares its port only with devices that say the same here.
  if (isIpv6) data.push(encodeAttribute(VXLAN_UDP_ZERO_CSUM6_RX, Uint8Array.of(1)));
  return [...encodeNew(name, mac, mtu), encodeInfo('vxlan', data)];
}

/** What can be changed of a vxlan device: whether it learns from what it receives, and the DSCP. The message is RTM_NEWLINK. */
export function encodeVxlanChange(index: number, { learning, inheritsDscp }: VxlanSettings): Uint8Array[] {
  const data = [
    encodeAttribute(VXLAN_LEARNING, Uint8Array.of(Number(learning))),
    encodeAttribute(VXLAN_TOS, Uint8Array.of(inheritsDscp ? TOS_INHERIT : 0)),
  ];
  return [encodeLinkHeader(index), encodeInfo('vxlan', data)];
}

/** How a bridge deals with the port of this index; the message is RTM_SETLINK. */
export function encodeBridgePort(index: number, { learning, neighSuppress }: BridgePortSettings): Uint8Array[] {
  const header = encodeLinkHeader(index);
  header[0] = AF_BRIDGE;
  const settings = [
    encodeAttribute(PORT_LEARNING, Uint8Array.of(Number(learning))),
    encodeAttribute(PORT_NEIGH_SUPPRESS, Uint8Array.of(Number(neighSuppress))),
  ];
  return [header, encodeNested(IFLA_PROTINFO | NLA_F_NESTED, settings)];
}

/** The alias of a device that the same batch made; the message is RTM_SETLINK. */
export function encodeAlias(name: string, alias: string): Uint8Array[] {
  return [
    encodeLinkHeader(0),
    encodeAttribute(IFLA_IFNAME, encodeText(name)),
    encodeAttribute(IFLA_IFALIAS, encodeText(alias)),
  ];
}

function encodeNew(name: string, mac: Uint8Array, mtu: number): Uint8Array[] {
  return [
    encodeLinkHeader(0),
    encodeAttribute(IFLA_IFNAME, encodeText(name)),
    encodeAttribute(IFLA_ADDRESS, mac),
    encodeAttribute(IFLA_MTU, encodeUint32(mtu)),
  ];
}

function encodeInfo(kind: string, data: readonly Uint8Array[]): Uint8Array {
  return encodeNested(IFLA_LINKINFO, [
    encodeAttribute(IFLA_INFO_KIND, encodeText(kind)),
    encodeNested(IFLA_INFO_DATA, data),
  ]);
}

function decodeVxlan(data: Uint8Array): VxlanSettings {
  const attributes = decodeAttributes(data, 0);
  const local = attributes.get(VXLAN_LOCAL6) ?? attributes.get(VXLAN_LOCAL);
  const port = attributes.get(VXLAN_PORT) ?? Uint8Array.of(0, 0);
  return {
    vni: decodeUint32(attributes.get(VXLAN_ID)),
    local: local === undefined ? null : formatIp(local),
    port: port[0]! * 256 + port[1]!,
    learning: attributes.get(VXLAN_LEARNING)?.[0] === 1,
    inheritsDscp: attributes.get(VXLAN_TOS)?.[0] === TOS_INHERIT,
  };
}

function decodeBridgePort(data: Uint8Array): BridgePortSettings {
  const attributes = decodeAttributes(data, 0);
  return {
    learning: attributes.get(PORT_LEARNING)?.[0] === 1,
    neighSuppress: attributes.get(PORT_NEIGH_SUPPRESS)?.[0] === 1,
  };
}

function decodeStats(bytes: Uint8Array): LinkStats {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = (place: number): number => Number(view.getBigUint64(place * 8, true));
  return {
    rxPackets: at(0),
    txPackets: at(1),
    rxBytes: at(2),
    txBytes: at(3),
    txDropped: at(7),
    rxLengthErrors: at(10),
    txCarrierErrors: at(17),
  };
}

function decodeUint32(bytes: Uint8Array | undefined): number {
  return bytes === undefined || bytes.length < 4
    ? 0
    : new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}
