import { formatIp, isUnicastIp, parseIp } from '../contract/ip.ts';

/** With a port, as some proxies write it: `192.0.2.1:1234`, `[2001:db8::1]:1234`; the brackets may also stand alone. */
const WITH_PORT = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/** @returns the address in canonical text, an IPv4-mapped IPv6 one as the IPv4 it is; null where it is no host's address. */
export function hostAddress(text: string): string | null {
  const [, ipv4, ipv6] = WITH_PORT.exec(text) ?? [];
  const bytes = parseIp((ipv4 ?? ipv6 ?? text).replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, ''));
  return bytes === null || !isUnicastIp(bytes) ? null : formatIp(bytes);
}

/** Whose an address is, as far as can be told: an IPv6 host has a whole /64 to choose from. */
export function addressBlock(address: string): string {
  const bytes = parseIp(address);
  return bytes === null || bytes.length === 4 ? address : `${formatIp(bytes.fill(0, 8))}/64`;
}
