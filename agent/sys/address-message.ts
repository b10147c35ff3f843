/** Addresses of this host's interfaces, as route netlink says them (linux/if_addr.h, `struct ifaddrmsg`). Pure. */
import { formatIp } from '../../src/contract/ip.ts';
import { ADDRESS_HEADER_LENGTH, decodeAttributes, IFA_ADDRESS, IFA_LOCAL } from './rtnetlink.ts';

export interface HostAddress {
  /** Of the interface. */
  readonly index: number;
  /** In canonical text. */
  readonly address: string;
}

/** @param body after the message's header. @returns null where it has no address. */
export function decodeAddress(body: Uint8Array): HostAddress | null {
  if (body.length < ADDRESS_HEADER_LENGTH) return null;
  const attributes = decodeAttributes(body, ADDRESS_HEADER_LENGTH);
  // On a point-to-point link IFA_ADDRESS is the other end's.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes?.length !== 4 && bytes?.length !== 16) return null;
  const index = new DataView(body.buffer, body.byteOffset, body.length).getUint32(4, true);
  return { index, address: formatIp(bytes) };
}
