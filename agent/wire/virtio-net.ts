/**
 * The virtio-net header that precedes every frame on a TAP opened with `IFF_VNET_HDR` (linux/virtio_net.h, Virtio 1.2 §5.1.6).
 *
 *      0       1          2         4          6            8             10            12
 *     +-------+----------+---------+----------+------------+-------------+-------------+
 *     | flags | gso type | hdr len | gso size | csum start | csum offset | num buffers |
 *     +-------+----------+---------+----------+------------+-------------+-------------+
 *
 * Little-endian: the TAP is told so by `TUNSETVNETLE`, whatever the host is. `hdr len` is a hint: compute it, don't trust it.
 */

export const VIRTIO_NET_HEADER_LENGTH = 12;
export const VIRTIO_NET_NEEDS_CSUM = 1;
export const VIRTIO_NET_GSO_NONE = 0;
export const VIRTIO_NET_GSO_TCPV4 = 1;
export const VIRTIO_NET_GSO_TCPV6 = 4;
/** Datagrams of one size, the last may be shorter (Linux 6.2). */
export const VIRTIO_NET_GSO_UDP_L4 = 5;
/** Or-ed to a TCP type where CWR is set (RFC 3168), so that only the first segment keeps it. */
export const VIRTIO_NET_GSO_ECN = 0x80;

export interface VirtioNetHeader {
  flags: number;
  gsoType: number;
  headerLength: number;
  gsoSize: number;
  csumStart: number;
  csumOffset: number;
}

export const readVirtioFlags = (view: DataView, offset: number): number => view.getUint8(offset);
export const readVirtioGsoType = (view: DataView, offset: number): number => view.getUint8(offset + 1);
export const readVirtioGsoSize = (view: DataView, offset: number): number => view.getUint16(offset + 4, true);
export const readVirtioCsumStart = (view: DataView, offset: number): number => view.getUint16(offset + 6, true);
export const readVirtioCsumOffset = (view: DataView, offset: number): number => view.getUint16(offset + 8, true);

/** Assigns every field of `into`. */
export function decodeVirtioNet(view: DataView, offset: number, into: VirtioNetHeader): void {
  into.flags = view.getUint8(offset);
  into.gsoType = view.getUint8(offset + 1);
  into.headerLength = view.getUint16(offset + 2, true);
  into.gsoSize = view.getUint16(offset + 4, true);
  into.csumStart = view.getUint16(offset + 6, true);
  into.csumOffset = view.getUint16(offset + 8, true);
}

/** Writes all 12 bytes. */
export function writeVirtioNet(
  view: DataView,
  offset: number,
  flags: number,
  gsoType: number,
  headerLength: number,
  gsoSize: number,
  csumStart: number,
  csumOffset: number,
): void {
  view.setUint8(offset, flags);
  view.setUint8(offset + 1, gsoType);
  view.setUint16(offset + 2, headerLength, true);
  view.setUint16(offset + 4, gsoSize, true);
  view.setUint16(offset + 6, csumStart, true);
  view.setUint16(offset + 8, csumOffset, true);
  view.setUint16(offset + 10, 0, true);
}

/** A plain frame: nothing left to be done to it. Writes all 12 bytes. */
export function writePlainVirtioNet(view: DataView, offset: number): void {
  view.setUint32(offset, 0);
  view.setUint32(offset + 4, 0);
  view.setUint32(offset + 8, 0);
}
