/**
 * IP addresses as text and bytes, the same on gateway and agent, so that one address has one spelling everywhere: in the
 * registry's unique keys, in the digest and in the data path's allow-list.
 *
 * Canonical text is dotted decimal for IPv4 and RFC 5952 for IPv6. Zone ids (`fe80::1%eth0`) are refused: a VTEP is reached across
 * the underlay, where a zone means nothing. IPv4-mapped IPv6 (`::ffff:10.0.0.1`) is refused too, because it is the IPv4 address.
 */

/** @returns the 4 or 16 bytes of `text`, or null where it is no IP address. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** @returns the one canonical spelling of 4 or 16 address bytes. */
export function formatIp(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}

/** @returns `text` in canonical spelling, or null where it is no IP address. */
export function canonicalIp(text: string): string | null {
  const bytes = parseIp(text);
  return bytes === null || isIpv4Mapped(bytes) ? null : formatIp(bytes);
}

/** True where `address` can be one host's: not unspecified, not multicast, not the limited broadcast. */
export function isUnicastIp(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  if (address.length === 4) return first !== 0 && first < 224;
  return first !== 0xff && address.some((byte) => byte !== 0);
}

/** True for IPv4 224.0.0.0/4 and IPv6 ff00::/8. */
export function isMulticastIp(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 ? first >= 224 && first < 240 : first === 0xff;
}

function isIpv4Mapped(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((b) => b === 0);
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    // A leading zero is refused: some readers take it for octal, and then two machines mean different hosts.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseIpv6Groups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseIpv6Groups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [i, group] of head.entries()) view.setUint16(i * 2, group);
  for (const [i, group] of tail.entries()) view.setUint16((8 - tail.length + i) * 2, group);
  return bytes;
}

function parseIpv6Groups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const embedded = mayEndInIpv4 && i === parts.length - 1 ? parseIpv4(part) : null;
    if (embedded === null) return null;
    const view = new DataView(embedded.buffer);
    groups.push(view.getUint16(0), view.getUint16(2));
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups becomes `::`. */
function formatIpv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
  let runStart = 0;
  let runLength = 0;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === '0') end++;
    if (end - i > runLength) {
      runStart = i;
      runLength = end - i;
    }
  }
  if (runLength < 2) return groups.join(':');
  return `${groups.slice(0, runStart).join(':')}::${groups.slice(runStart + runLength).join(':')}`;
}
