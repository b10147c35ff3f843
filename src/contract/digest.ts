/**
 * The digest of a network's table: a sum, modulo 2^48, of one hash per entry.
 *
 * A sum is order-independent and can be taken back, so both sides keep it up to date at the cost of the change: add the hash of what
 * came, subtract the hash of what went. SQLite does it in 64-bit integers, JavaScript in doubles, both exactly. It finds drift between
 * honest parties; it is no protection against a forger, which is the job of TLS and of the signed tokens.
 */

/** The modulus of digest arithmetic; sums of two terms stay below 2^53. */
export const DIGEST_MODULUS = 2 ** 48;

export type Digest = number & { readonly brand: 'Digest' };

export const EMPTY_DIGEST = 0 as Digest;

export interface VtepEntry {
  readonly site: string;
  readonly address: string;
  readonly port: number;
  readonly wireguard?: readonly TunnelEntry[] | undefined;
}

export interface TunnelEntry {
  readonly publicKey: string;
  readonly endpoint: { readonly address: string; readonly port: number } | null;
}

export interface MacEntry {
  readonly mac: string;
  readonly ip?: string | undefined;
  readonly site: string;
  readonly sticky: boolean;
}

/** @returns the hash of one VTEP of a network's table. */
export function hashVtep(entry: VtepEntry): Digest {
  return hash48(`v|${entry.site}|${entry.address}|${entry.port}${(entry.wireguard ?? []).map(tunnelText).join('')}`);
}

/** A tunnel's address is left out, since it follows from the key. */
function tunnelText({ publicKey, endpoint }: TunnelEntry): string {
  return `|${publicKey}|${endpoint?.address ?? ''}|${endpoint?.port ?? 0}`;
}

/**
 * @returns the hash of one entry of a network's MAC/IP table. The sequence number is no part of it: it is issued inside the batch that
 * writes the entry, where no JavaScript runs, and forwarding goes by the rest alone.
 */
export function hashMac(entry: MacEntry): Digest {
  return hash48(`m|${entry.mac}|${entry.ip ?? ''}|${entry.site}|${entry.sticky ? 1 : 0}`);
}

export function addToDigest(digest: Digest, hash: Digest): Digest {
  return ((digest + hash) % DIGEST_MODULUS) as Digest;
}

export function subtractFromDigest(digest: Digest, hash: Digest): Digest {
  return ((digest - hash + DIGEST_MODULUS) % DIGEST_MODULUS) as Digest;
}

/** @returns the digest of a whole table, from nothing. */
export function digestOf(table: { readonly vteps: Iterable<VtepEntry>; readonly macs: Iterable<MacEntry> }): Digest {
  let digest = EMPTY_DIGEST;
  for (const vtep of table.vteps) digest = addToDigest(digest, hashVtep(vtep));
  for (const mac of table.macs) digest = addToDigest(digest, hashMac(mac));
  return digest;
}

/** @returns the digest as it is written on the wire: 12 hex digits. */
export function formatDigest(digest: Digest): string {
  return digest.toString(16).padStart(12, '0');
}

/** Two lanes of a multiply-xor hash over UTF-16 code units, finished as MurmurHash3's fmix32 does; the lanes' low 24 bits each. */
function hash48(text: string): Digest {
  let a = 0x9e3779b1;
  let b = 0x85ebca77;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul((b << 5) ^ (b >>> 27) ^ unit, 0xc2b2ae35);
  }
  return ((finish(a) & 0xffffff) * 2 ** 24 + (finish(b ^ a) & 0xffffff)) as Digest;
}

function finish(lane: number): number {
  let h = lane ^ (lane >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
