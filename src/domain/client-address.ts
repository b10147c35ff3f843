import { formatIp, isUnicastIp, parseIp } from '../contract/ip.ts';

/** @returns the address in canonical text, an IPv4-mapped IPv6 one as the IPv4 it is; null where it is no host's address. */
export function hostAddress(text: string): string | null {
  const bytes = parseIp(text.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, ''));
  return bytes === null || !isUnicastIp(bytes) ? null : formatIp(bytes);
}

/** Whose an address is, as far as can be told: an IPv6 host has a whole /64 to choose from. */
export function addressBlock(address: string): string {
  const bytes = parseIp(address);
  return bytes === null || bytes.length === 4 ? address : `${formatIp(bytes.fill(0, 8))}/64`;
}
