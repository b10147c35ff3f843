/** Network interfaces of this host: what is there, and changing it. */
import { formatIp } from '../../src/contract/ip.ts';
import { SysError } from './errno.linux.ts';
import { netlinkChange, netlinkDump, netlinkGet } from './netlink.linux.ts';
import {
  ADDRESS_HEADER_LENGTH,
  decodeAttributes,
  decodeText,
  encodeAttribute,
  encodeLinkHeader,
  encodeText,
  encodeUint32,
  IFA_ADDRESS,
  IFA_LOCAL,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_GSO_MAX_SEGS,
  IFLA_IFALIAS,
  IFLA_IFNAME,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_TXQLEN,
  LINK_HEADER_LENGTH,
  type NetlinkMessage,
  RTM_DELLINK,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_SETLINK,
} from './rtnetlink.ts';

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
}

export function listLinks(): Link[] {
  return decodeLinks(netlinkDump(RTM_GETLINK, encodeLinkHeader(0)));
}

export function findLink(name: string): Link | undefined {
  return getLink(encodeLinkHeader(0), encodeAttribute(IFLA_IFNAME, encodeText(name)));
}

function getLink(...question: readonly Uint8Array[]): Link | undefined {
  try {
    return decodeLinks(netlinkGet(RTM_GETLINK, ...question))[0];
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENODEV') return undefined;
    throw error;
  }
}

function decodeLinks(messages: readonly NetlinkMessage[]): Link[] {
  return messages
    .filter(({ type }) => type === RTM_NEWLINK)
    .map(({ body }) => {
      const view = new DataView(body.buffer, body.byteOffset, body.length);
      const attributes = decodeAttributes(body, LINK_HEADER_LENGTH);
      const info = decodeAttributes(attributes.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
      return {
        index: view.getInt32(4, true),
        name: decodeText(attributes.get(IFLA_IFNAME) ?? new Uint8Array()),
        mtu: decodeUint32(attributes.get(IFLA_MTU)),
        up: (view.getUint32(8, true) & IFF_UP) !== 0,
        kind: decodeText(info.get(IFLA_INFO_KIND) ?? new Uint8Array()),
        alias: decodeText(attributes.get(IFLA_IFALIAS) ?? new Uint8Array()),
        master: decodeUint32(attributes.get(IFLA_MASTER)),
      };
    });
}

/** @returns the interface that has this address, in canonical text. */
export function findLinkByAddress(address: string): Link | undefined {
  const owner = netlinkDump(RTM_GETADDR, new Uint8Array(ADDRESS_HEADER_LENGTH)).find(({ type, body }) => {
    if (type !== RTM_NEWADDR) return false;
    const attributes = decodeAttributes(body, ADDRESS_HEADER_LENGTH);
    // On a point-to-point link IFA_ADDRESS is the other end's.
    const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
    return bytes !== undefined && formatIp(bytes) === address;
  });
  if (owner === undefined) return undefined;
  const index = new DataView(owner.body.buffer, owner.body.byteOffset).getUint32(4, true);
  return getLink(encodeLinkHeader(index));
}

/** Sets what is named; the rest stays. @throws SysError */
export function setLink(
  index: number,
  change: {
    readonly up?: boolean;
    readonly mtu?: number;
    readonly alias?: string;
    readonly master?: number;
    /** How many packets the host may have waiting for the device. */
    readonly txQueueLength?: number;
    /** How many segments the host may leave together in one. */
    readonly gsoMaxSegments?: number;
    /** 6 bytes */
    readonly mac?: Uint8Array;
  },
): void {
  const parts = [encodeLinkHeader(index, change.up === true ? IFF_UP : 0, change.up === undefined ? 0 : IFF_UP)];
  if (change.mtu !== undefined) parts.push(encodeAttribute(IFLA_MTU, encodeUint32(change.mtu)));
  if (change.alias !== undefined) parts.push(encodeAttribute(IFLA_IFALIAS, encodeText(change.alias)));
  if (change.master !== undefined) parts.push(encodeAttribute(IFLA_MASTER, encodeUint32(change.master)));
  if (change.txQueueLength !== undefined) parts.push(encodeAttribute(IFLA_TXQLEN, encodeUint32(change.txQueueLength)));
  if (change.gsoMaxSegments !== undefined) {
    parts.push(encodeAttribute(IFLA_GSO_MAX_SEGS, encodeUint32(change.gsoMaxSegments)));
  }
  if (change.mac !== undefined) parts.push(encodeAttribute(IFLA_ADDRESS, change.mac));
  netlinkChange(RTM_SETLINK, ...parts);
}

export function deleteLink(index: number): void {
  netlinkChange(RTM_DELLINK, encodeLinkHeader(index));
}

function decodeUint32(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
}
