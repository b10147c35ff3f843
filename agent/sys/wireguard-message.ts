/**
 * The kernel's WireGuard as generic netlink messages (linux/genetlink.h, linux/wireguard.h): pure, host order.
 *
 *      0         1         2          4
 *     +---------+---------+----------+----------------
 *     | command | version | reserved | attributes ...      after the netlink header; its type is the family's id
 *     +---------+---------+----------+----------------
 */
import {
  decodeAttributes,
  encodeAttribute,
  encodeNested,
  encodeText,
  encodeUint32,
  NLA_F_NESTED,
} from './rtnetlink.ts';
import { AF_INET6, SOCKADDR_SIZE, writeSockaddr } from './sockaddr.linux.ts';

/** The family that tells the ids of the others. */
export const GENL_ID_CTRL = 16;
const GENL_HEADER_LENGTH = 4;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;

export const WIREGUARD_FAMILY = 'wireguard';
const WG_VERSION = 1;
const WG_CMD_GET_DEVICE = 0;
const WG_CMD_SET_DEVICE = 1;
const WGDEVICE_A_IFNAME = 2;
const WGDEVICE_A_PRIVATE_KEY = 3;
const WGDEVICE_A_LISTEN_PORT = 6;
const WGDEVICE_A_PEERS = 8;
const WGPEER_A_PUBLIC_KEY = 1;
const WGPEER_A_FLAGS = 3;
const WGPEER_A_ENDPOINT = 4;
const WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL = 5;
const WGPEER_A_LAST_HANDSHAKE_TIME = 6;
const WGPEER_A_ALLOWEDIPS = 9;
const WGPEER_F_REMOVE_ME = 1;
const WGPEER_F_REPLACE_ALLOWEDIPS = 2;
const WGALLOWEDIP_A_FAMILY = 1;
const WGALLOWEDIP_A_IPADDR = 2;
const WGALLOWEDIP_A_CIDR_MASK = 3;

export interface KernelPeer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 16 bytes: the one address that it sends from and is sent to by. */
  readonly address: Uint8Array;
  /** 4 or 16 bytes; null: as it is. */
  readonly endpoint: { readonly address: Uint8Array; readonly port: number } | null;
  readonly keepaliveSeconds: number;
}

/** The question for the id of a family, to `GENL_ID_CTRL`. */
export function encodeGetFamily(name: string): Uint8Array[] {
  return [encodeHeader(CTRL_CMD_GETFAMILY, 1), encodeAttribute(CTRL_ATTR_FAMILY_NAME, encodeText(name))];
}

/** @returns the id, or null where the answer has none. */
export function decodeFamilyId(body: Uint8Array): number | null {
  const id = decodeAttributes(body, GENL_HEADER_LENGTH).get(CTRL_ATTR_FAMILY_ID);
  return id === undefined ? null : new DataView(id.buffer, id.byteOffset, id.length).getUint16(0, true);
}

/** @param privateKey 32 bytes. @param port UDP. */
export function encodeSetIdentity(device: string, privateKey: Uint8Array, port: number): Uint8Array[] {
  return [
    ...setDevice(device),
    encodeAttribute(WGDEVICE_A_PRIVATE_KEY, privateKey),
    encodeAttribute(WGDEVICE_A_LISTEN_PORT, encodeUint16(port)),
  ];
}

/** Sets these peers, removes those, and leaves the others as they are. */
export function encodeSetPeers(
  device: string,
  set: readonly KernelPeer[],
  remove: readonly Uint8Array[],
): Uint8Array[] {
  const peers = [...remove.map(encodeRemoved), ...set.map(encodePeer)];
  return [...setDevice(device), encodeNested(WGDEVICE_A_PEERS | NLA_F_NESTED, peers)];
}

/** The question for all of a device, to be asked as a dump. */
export function encodeGetDevice(device: string): Uint8Array[] {
  return [encodeHeader(WG_CMD_GET_DEVICE, WG_VERSION), encodeAttribute(WGDEVICE_A_IFNAME, encodeText(device))];
}

/** @returns of each peer that the answer names its key, and when it last shook hands, in seconds since 1970. */
export function decodePeers(body: Uint8Array): { readonly publicKey: Uint8Array; readonly handshakeAt: number }[] {
  const list = decodeAttributes(body, GENL_HEADER_LENGTH).get(WGDEVICE_A_PEERS);
  return decodeList(list ?? new Uint8Array()).flatMap((peer) => {
    const attributes = decodeAttributes(peer, 0);
    const publicKey = attributes.get(WGPEER_A_PUBLIC_KEY);
    const time = attributes.get(WGPEER_A_LAST_HANDSHAKE_TIME);
    if (publicKey === undefined) return [];
    const handshakeAt =
      time === undefined ? 0 : Number(new DataView(time.buffer, time.byteOffset, time.length).getBigInt64(0, true));
    return [{ publicKey, handshakeAt }];
  });
}

function setDevice(device: string): Uint8Array[] {
  return [encodeHeader(WG_CMD_SET_DEVICE, WG_VERSION), encodeAttribute(WGDEVICE_A_IFNAME, encodeText(device))];
}

function encodeRemoved(publicKey: Uint8Array): Uint8Array {
  return encodeNested(NLA_F_NESTED, [
    encodeAttribute(WGPEER_A_PUBLIC_KEY, publicKey),
    encodeAttribute(WGPEER_A_FLAGS, encodeUint32(WGPEER_F_REMOVE_ME)),
  ]);
}

function encodePeer({ publicKey, address, endpoint, keepaliveSeconds }: KernelPeer): Uint8Array {
  const allowed = encodeNested(NLA_F_NESTED, [
    encodeAttribute(WGALLOWEDIP_A_FAMILY, encodeUint16(AF_INET6)),
    encodeAttribute(WGALLOWEDIP_A_IPADDR, address),
    encodeAttribute(WGALLOWEDIP_A_CIDR_MASK, Uint8Array.of(128)),
  ]);
  return encodeNested(NLA_F_NESTED, [
    encodeAttribute(WGPEER_A_PUBLIC_KEY, publicKey),
    encodeAttribute(WGPEER_A_FLAGS, encodeUint32(WGPEER_F_REPLACE_ALLOWEDIPS)),
    ...(endpoint === null ? [] : [encodeAttribute(WGPEER_A_ENDPOINT, encodeSockaddr(endpoint))]),
    encodeAttribute(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, encodeUint16(keepaliveSeconds)),
    encodeNested(WGPEER_A_ALLOWEDIPS | NLA_F_NESTED, [allowed]),
  ]);
}

function encodeSockaddr({ address, port }: { readonly address: Uint8Array; readonly port: number }): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_SIZE);
  const family = address.length === 4 ? 2 : AF_INET6;
  return bytes.subarray(0, writeSockaddr(new DataView(bytes.buffer), 0, family, address, port));
}

function encodeHeader(command: number, version: number): Uint8Array {
  return Uint8Array.of(command, version, 0, 0);
}

function encodeUint16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8);
}

/** The values of a list, whose attributes all have the same type. */
function decodeList(list: Uint8Array): Uint8Array[] {
  const view = new DataView(list.buffer, list.byteOffset, list.length);
  const values: Uint8Array[] = [];
  for (let at = 0; at + 4 <= list.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > list.length) break;
    values.push(list.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return values;
}
