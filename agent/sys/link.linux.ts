/** Network interfaces of this host: what is there, and changing it. */
import { decodeAddress } from './address-message.ts';
import { SysError } from './errno.linux.ts';
import { decodeLink, type Link } from './link-message.ts';
import { netlinkChange, netlinkCreate, netlinkDump, netlinkGet, netlinkReplace } from './netlink.linux.ts';
import {
  ADDRESS_HEADER_LENGTH,
  encodeAddressHeader,
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
  type NetlinkMessage,
  RTM_DELLINK,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWQDISC,
  RTM_SETLINK,
  TC_H_ROOT,
  TCA_KIND,
} from './rtnetlink.ts';

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
  return messages.filter(({ type }) => type === RTM_NEWLINK).map(({ body }) => decodeLink(body));
}

/** @returns the interface that has this address, in canonical text. */
export function findLinkByAddress(address: string): Link | undefined {
  const messages = netlinkDump(RTM_GETADDR, new Uint8Array(ADDRESS_HEADER_LENGTH));
  const owner = messages
    .filter(({ type }) => type === RTM_NEWADDR)
    .map(({ body }) => decodeAddress(body))
    .find((found) => found?.address === address);
  return owner == null ? undefined : getLink(encodeLinkHeader(owner.index));
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

/** Makes an interface of a kind that needs nothing else said. @throws SysError: EEXIST, EOPNOTSUPP where the kernel has no such kind … */
export function createLink(name: string, kind: string): void {
  const info = encodeAttribute(IFLA_INFO_KIND, encodeText(kind));
  netlinkCreate(
    RTM_NEWLINK,
    encodeLinkHeader(0),
    encodeAttribute(IFLA_IFNAME, encodeText(name)),
    encodeAttribute(IFLA_LINKINFO, info),
  );
}

/**
 * Gives an interface an IPv6 address, and with it the route to all of that prefix.
 * @throws SysError
 */
export function addAddress(index: number, address: Uint8Array, prefixBits: number): void {
  const parts = [encodeAttribute(IFA_LOCAL, address), encodeAttribute(IFA_ADDRESS, address)];
  netlinkChange(RTM_NEWADDR, encodeAddressHeader(index, prefixBits), ...parts);
}

/**
 * Takes away a device's queueing discipline: for a device with a queue of its own it is a second one, allocated anew for each transmit queue
 * that the device could have. Best before the device is up. @throws SysError
 */
export function removeQdisc(index: number): void {
  // struct tcmsg (linux/rtnetlink.h): family, index, handle, parent, info.
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  view.setInt32(4, index, true);
  view.setUint32(12, TC_H_ROOT, true);
  netlinkReplace(RTM_NEWQDISC, header, encodeAttribute(TCA_KIND, encodeText('noqueue')));
}

export function deleteLink(index: number): void {
  netlinkChange(RTM_DELLINK, encodeLinkHeader(index));
}
