/**
 * WireGuard underneath VXLAN: what a site publishes of it, and what its peers are given.
 *
 * A site's address within the tunnel follows from its public key, so nobody allocates it and nobody can have another's. Keys rotate under
 * traffic, so a site may have two at a time: its peers send to the first and take from either.
 */
import * as v from 'valibot';
import { formatIp } from './ip.ts';
import { UdpPortSchema, UnicastIpSchema } from './primitives.ts';

export const TRANSPORTS = ['plain', 'wireguard'] as const;
/** What carries a network's VXLAN between sites: the underlay as it is, or WireGuard over it. */
export type Transport = (typeof TRANSPORTS)[number];
export const TransportSchema = v.picklist(TRANSPORTS, 'must be "plain" or "wireguard"');

/** Where WireGuard takes datagrams, unless a site says otherwise; a key that follows on another has the next port. */
export const WIREGUARD_PORT = 51_820;
/**
 * The UDP port of VXLAN within the tunnel. Not VXLAN's own, which a plain VTEP, ours or the kernel's, may have on all of the host's
 * addresses.
 */
export const TUNNEL_VXLAN_PORT = 14_789;
export const MAX_WIREGUARD_KEYS = 2;

/** The prefix of all tunnel addresses: `fd`, and the first 40 bits of SHA-256 of "overlane" (RFC 4193 asks for random ones). */
const TUNNEL_PREFIX = [0xfd, 0x9c, 0x3e, 0x73, 0x20, 0x05] as const;
export const TUNNEL_PREFIX_BITS = 48;

const KEY_MESSAGE = 'must be the 32 bytes of an X25519 public key in base64 (44 characters, as `wg pubkey` writes it)';
export const WireguardKeySchema = v.pipe(
  v.string(KEY_MESSAGE),
  v.regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, KEY_MESSAGE),
);

/** @param publicKey as `WireguardKeySchema` has it. @returns the tunnel address of its site, in canonical text. */
export async function tunnelAddressOf(publicKey: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(publicKey)));
  return formatIp(Uint8Array.of(...TUNNEL_PREFIX, ...hash.subarray(0, 16 - TUNNEL_PREFIX.length)));
}

const KEYS_MESSAGE = `must be a list of 1 to ${MAX_WIREGUARD_KEYS} {"publicKey", "port"}`;

/** The body of `PUT /v1/agent/wireguard`. Said again it changes nothing, and tells how far the peers are. */
export const WireguardPublishSchema = v.strictObject({
  /** The first is the one to send to; another is taken from as well, while the site moves from one to the other. */
  keys: v.pipe(
    v.array(v.strictObject({ publicKey: WireguardKeySchema, port: UdpPortSchema }), KEYS_MESSAGE),
    v.minLength(1, KEYS_MESSAGE),
    v.maxLength(MAX_WIREGUARD_KEYS, KEYS_MESSAGE),
    v.check((keys) => new Set(keys.map(({ publicKey }) => publicKey)).size === keys.length, 'must name each key once'),
  ),
  /** Where peers reach it; absent: where the gateway sees it come from, now and whenever it asks. */
  address: v.optional(UnicastIpSchema),
});
export type WireguardPublish = v.InferOutput<typeof WireguardPublishSchema>;

export const WireguardPublishedSchema = v.object({
  /** Where peers are told to reach it; null where neither the site nor the gateway knows: the site then reaches them. */
  address: v.nullable(UnicastIpSchema),
  /** How many peers, of the sites that take part in WireGuard, have not said yet that they forward by these keys. */
  waitingFor: v.number(),
});
export type WireguardPublished = v.InferOutput<typeof WireguardPublishedSchema>;

/** One end of a tunnel, as a peer is given it. */
export const TunnelEndSchema = v.object({
  publicKey: WireguardKeySchema,
  /** Within the tunnel. */
  address: UnicastIpSchema,
  /** On the underlay; null where it is not known, so that the site must speak first. */
  endpoint: v.nullable(v.object({ address: UnicastIpSchema, port: UdpPortSchema })),
});
export type TunnelEnd = v.InferOutput<typeof TunnelEndSchema>;
