/** Socket addresses as the kernel lays them out: `struct sockaddr_in` and `struct sockaddr_in6`. */

export const AF_INET = 2;
export const AF_INET6 = 10;
/** Room for either. */
export const SOCKADDR_SIZE = 28;

/**
 * Writes an address for a socket of `family`; an IPv4 address on an IPv6 socket goes in as IPv4-mapped.
 * @param address 4 or 16 bytes.
 * @returns its length, or 0 where an IPv6 address can't be said on an IPv4 socket.
 */
export function writeSockaddr(
  view: DataView,
  offset: number,
  family: number,
  address: Uint8Array,
  port: number,
): number {
  for (let i = 0; i < SOCKADDR_SIZE; i++) view.setUint8(offset + i, 0);
  view.setUint16(offset, family, true);
  view.setUint16(offset + 2, port);
  if (family === AF_INET) {
    if (address.length !== 4) return 0;
    for (const [i, byte] of address.entries()) view.setUint8(offset + 4 + i, byte);
    return 16;
  }
  if (address.length === 4) view.setUint16(offset + 18, 0xffff);
  for (const [i, byte] of address.entries()) view.setUint8(offset + 24 - address.length + i, byte);
  return 28;
}

/** Reads the address part as four 32-bit words, IPv4 as IPv4-mapped. */
export function readSockaddrWords(view: DataView, offset: number, into: Uint32Array, at: number): void {
  if (view.getUint16(offset, true) === AF_INET) {
    into[at] = 0;
    into[at + 1] = 0;
    into[at + 2] = 0xffff;
    into[at + 3] = view.getUint32(offset + 4);
    return;
  }
  for (let i = 0; i < 4; i++) into[at + i] = view.getUint32(offset + 8 + i * 4);
}

/** True where datagrams to this address go over IPv4: an IPv4 address, or an IPv4-mapped one. */
export function isIpv4Sockaddr(view: DataView, offset: number): boolean {
  if (view.getUint16(offset, true) === AF_INET) return true;
  return (
    view.getUint32(offset + 8) === 0 && view.getUint32(offset + 12) === 0 && view.getUint32(offset + 16) === 0xffff
  );
}
