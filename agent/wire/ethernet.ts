/**
 * Ethernet II (IEEE 802.3) and the 802.1Q tag.
 *
 *      0               6              12     14
 *     +---------------+---------------+------+---------
 *     |  destination  |    source     | type | payload
 *     +---------------+---------------+------+---------
 *
 * A MAC is read as two numbers, the high 16 bits and the low 32, because those stay small integers.
 */

export const ETHERNET_HEADER_LENGTH = 14;
export const VLAN_TAG_LENGTH = 4;
const SOURCE = 6;
const TYPE = 12;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_SERVICE_VLAN = 0x88a8;

export const readDestinationHigh = (view: DataView, offset: number): number => view.getUint16(offset);
export const readDestinationLow = (view: DataView, offset: number): number => view.getUint32(offset + 2);
export const readSourceHigh = (view: DataView, offset: number): number => view.getUint16(offset + SOURCE);
export const readSourceLow = (view: DataView, offset: number): number => view.getUint32(offset + SOURCE + 2);
export const readEtherType = (view: DataView, offset: number): number => view.getUint16(offset + TYPE);

/** True where the group bit is set: broadcast or multicast. */
export function isGroup(macHigh: number): boolean {
  return (macHigh & 0x0100) !== 0;
}

/** True where a frame may have such a source: one station's address, not all zeros. */
export function isStation(macHigh: number, macLow: number): boolean {
  return (macHigh & 0x0100) === 0 && (macHigh !== 0 || macLow !== 0);
}

export function isVlanType(etherType: number): boolean {
  return etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_SERVICE_VLAN;
}

/**
 * Takes the outer VLAN tag off by moving the addresses up to what follows it.
 * @returns the frame's new offset; it is `VLAN_TAG_LENGTH` bytes shorter.
 */
export function stripVlanTag(bytes: Uint8Array, offset: number): number {
  bytes.copyWithin(offset + VLAN_TAG_LENGTH, offset, offset + TYPE);
  return offset + VLAN_TAG_LENGTH;
}

/** Writes a header; `destination` and `source` are 48-bit numbers. */
export function writeEthernet(
  view: DataView,
  offset: number,
  destination: number,
  source: number,
  etherType: number,
): void {
  writeMac(view, offset, destination);
  writeMac(view, offset + SOURCE, source);
  view.setUint16(offset + TYPE, etherType);
}

export function writeMac(view: DataView, offset: number, mac: number): void {
  view.setUint16(offset, Math.floor(mac / 2 ** 32));
  view.setUint32(offset + 2, mac % 2 ** 32);
}

export function readMac(view: DataView, offset: number): number {
  return view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2);
}
