/**
 * MAC addresses. As text they are lower case with colons; as a number they are the 48 bits in network order, which a double holds
 * exactly and a Map can key on.
 */

export type Mac = number & { readonly brand: 'Mac' };

/** @returns the address, or null where `text` is not six colon-separated hex bytes. */
export function parseMac(text: string): Mac | null {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return null;
  return Number.parseInt(text.replaceAll(':', ''), 16) as Mac;
}

/** @returns `mac` as `02:00:00:00:00:0a`. */
export function formatMac(mac: Mac): string {
  const hex = mac.toString(16).padStart(12, '0');
  return hex.replace(/(..)(?!$)/g, '$1:');
}

/** True for broadcast and multicast: the group bit is the lowest of the first byte (IEEE 802). */
export function isGroupMac(mac: Mac): boolean {
  return Math.floor(mac / 2 ** 40) % 2 === 1;
}
