/**
 * VXLAN (RFC 7348 §5).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |R|R|R|R|I|R|R|R|            Reserved                           |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                VXLAN Network Identifier (VNI) |   Reserved    |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * "Flags (8 bits): where the I flag MUST be set to 1 for a valid VXLAN Network ID (VNI). The other 7 bits (designated "R") are
 * reserved fields and MUST be set to zero on transmission and ignored on receipt."
 */

export const VXLAN_HEADER_LENGTH = 8;

/** What VXLAN adds to an inner IP packet on the underlay: inner Ethernet, VXLAN, UDP and the outer IP header. */
export const VXLAN_OVERHEAD_IPV4 = 14 + 8 + 8 + 20;
export const VXLAN_OVERHEAD_IPV6 = 14 + 8 + 8 + 40;

const FLAG_VNI_VALID = 0x08;

/** True where the I flag is set. */
export const hasVni = (view: DataView, offset: number): boolean => (view.getUint8(offset) & FLAG_VNI_VALID) !== 0;

/** True where all is as a sender must write it: the I flag, and no reserved bit. */
export const looksLikeVxlan = (view: DataView, offset: number): boolean =>
  view.getUint32(offset) === FLAG_VNI_VALID << 24 && view.getUint8(offset + 7) === 0;

/** The VNI; the reserved byte below it is ignored. */
export const readVni = (view: DataView, offset: number): number => view.getUint32(offset + 4) >>> 8;

/** Writes all 8 bytes. */
export function writeVxlan(view: DataView, offset: number, vni: number): void {
  view.setUint32(offset, FLAG_VNI_VALID << 24);
  view.setUint32(offset + 4, vni << 8);
}
