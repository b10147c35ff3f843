/**
 * Who may speak in which network, as a table of nftables: what it consists of, and which elements of its sets the networks ask for. Pure.
 *
 * A datagram is judged before the kernel's VXLAN takes it, by its outer source and, at fixed places of its payload, the VNI and the inner
 * source MAC:
 *
 *      | UDP header | flags | reserved | VNI | reserved | inner destination | inner source | …
 *      0            8       9          12    15         16                  22             28
 *
 *     chain input:  UDP to the VXLAN port ─▶ vxlan
 *     chain vxlan:  no I flag ─▶ drop · (source, VNI) in vteps ─▶ listed · VNI guarded ─▶ drop · VNI open ─▶ accept · else count
 *     chain listed: VNI not strict ─▶ accept · (source, VNI, inner source) in stations ─▶ accept · VNI strict ─▶ drop
 *     chain output: (destination, port, VNI) in sent ─▶ count
 *
 * The counters are those of the sets' elements: what came from a peer (`vteps`), went to it (`sent`), or was dropped in a network
 * (`guarded`, `strict`).
 */
import { parseIp } from '../../src/contract/ip.ts';
import { macBytes } from '../sys/neighbor-message.ts';
import {
  accept,
  count,
  drop,
  encodeKey,
  type Field,
  goto,
  isField,
  isInSet,
  isMeta,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  type NftMessage,
  newBaseChain,
  newChain,
  newRule,
  newSet,
  newTable,
} from '../sys/nftables-message.ts';
import type { WantedNetwork } from './wanted-network.ts';

/** Before the host's own rules, which still have their say. */
const PRIORITY = -10;
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const IPPROTO_UDP = 17;
const I_FLAG = 0x08;

const field = (base: Field['base'], offset: number, length: number): Field => ({ base, offset, length });
const SOURCE = { v4: field('network', 12, 4), v6: field('network', 8, 16) } as const;
const DESTINATION = { v4: field('network', 16, 4), v6: field('network', 24, 16) } as const;
const DESTINATION_PORT = field('transport', 2, 2);
const FLAGS = field('transport', 8, 1);
const VNI = field('transport', 12, 3);
const INNER_SOURCE = field('transport', 22, 6);

const SETS = {
  vteps4: [SOURCE.v4, VNI],
  vteps6: [SOURCE.v6, VNI],
  stations4: [SOURCE.v4, VNI, INNER_SOURCE],
  stations6: [SOURCE.v6, VNI, INNER_SOURCE],
  guarded: [VNI],
  open: [VNI],
  strict: [VNI],
  sent4: [DESTINATION.v4, DESTINATION_PORT, VNI],
  sent6: [DESTINATION.v6, DESTINATION_PORT, VNI],
} as const satisfies Record<string, readonly Field[]>;
export type SetName = keyof typeof SETS;
export const SET_NAMES = Object.keys(SETS) as SetName[];
export const COUNTED_SETS = ['vteps4', 'vteps6', 'guarded', 'strict', 'sent4', 'sent6'] as const;
export type CountedSet = (typeof COUNTED_SETS)[number];

/** An element: its key, as the kernel compares it. */
export interface Element {
  readonly set: SetName;
  readonly key: Uint8Array;
}

/** nftables' own names allow no colons. */
export function tableName(identity: string): string {
  return `overlane-${identity.replaceAll(/[^A-Za-z0-9]+/g, '-')}`;
}

/** The table with its rules and empty sets. */
export function encodeTable(table: string, vxlanPort: number): NftMessage[] {
  const ids = new Map(SET_NAMES.map((name, i) => [name, i + 1]));
  const has = (set: SetName, inverted = false): Uint8Array[] => isInSet(SETS[set], set, ids.get(set)!, inverted);
  const rule = (chain: string, ...expressions: readonly Uint8Array[]): NftMessage =>
    newRule(table, chain, ...expressions);
  const ipv4 = isMeta('nfproto', NFPROTO_IPV4);
  const ipv6 = isMeta('nfproto', NFPROTO_IPV6);
  const udp = isMeta('l4proto', IPPROTO_UDP);
  const toVxlan = isField(DESTINATION_PORT, Uint8Array.of(vxlanPort >> 8, vxlanPort & 0xff));
  const withoutFlag = isField(FLAGS, Uint8Array.of(0), Uint8Array.of(I_FLAG));
  return [
    newTable(table),
    ...SET_NAMES.map((name) =>
      newSet(table, name, ids.get(name)!, SETS[name], COUNTED_SETS.includes(name as CountedSet)),
    ),
    newBaseChain(table, 'input', NF_INET_LOCAL_IN, PRIORITY),
    newBaseChain(table, 'output', NF_INET_LOCAL_OUT, PRIORITY),
    newChain(table, 'vxlan'),
    newChain(table, 'listed'),
    rule('input', ...udp, ...toVxlan, goto('vxlan')),
    rule('vxlan', ...withoutFlag, count(), drop()),
    rule('vxlan', ...ipv4, ...has('vteps4'), goto('listed')),
    rule('vxlan', ...ipv6, ...has('vteps6'), goto('listed')),
    rule('vxlan', ...has('guarded'), drop()),
    rule('vxlan', ...has('open'), accept()),
    rule('vxlan', count()),
    rule('listed', ...has('strict', true), accept()),
    rule('listed', ...ipv4, ...has('stations4'), accept()),
    rule('listed', ...ipv6, ...has('stations6'), accept()),
    rule('listed', ...has('strict'), drop()),
    rule('output', ...udp, ...ipv4, ...has('sent4')),
    rule('output', ...udp, ...ipv6, ...has('sent6')),
  ];
}

/** @returns the elements that a network asks for, by a text that names each; no two networks share one. */
export function elementsOf(network: WantedNetwork): Map<string, Element> {
  const { vni, antiSpoof } = network.settings;
  const elements = new Map<string, Element>();
  const number = vniBytes(vni);
  const add = (set: SetName, ...parts: readonly Uint8Array[]): void => {
    const key = encodeKey(...parts);
    elements.set(`${set} ${Buffer.from(key).toString('hex')}`, { set, key });
  };
  add(antiSpoof === 'off' ? 'open' : 'guarded', number);
  for (const { address, port } of network.vteps.values()) {
    const bytes = parseIp(address)!;
    const family = bytes.length === 4 ? 4 : 6;
    add(`vteps${family}`, bytes, number);
    add(`sent${family}`, bytes, Uint8Array.of(port >> 8, port & 0xff), number);
  }
  if (antiSpoof !== 'strict') return elements;
  add('strict', number);
  for (const mac of network.macs) {
    const place = network.mac(mac);
    if (place === undefined) continue;
    const bytes = parseIp(place.address)!;
    add(bytes.length === 4 ? 'stations4' : 'stations6', bytes, number, macBytes(mac));
  }
  return elements;
}

/** @returns what an element of `vteps…`, `sent…`, `guarded` or `strict` is about. */
export function readKey(
  set: CountedSet,
  key: Uint8Array,
): { readonly address: Uint8Array; readonly port: number; readonly vni: number } {
  const addressLength = set.endsWith('4') ? 4 : set.endsWith('6') ? 16 : 0;
  const hasPort = set.startsWith('sent');
  const at = addressLength + (hasPort ? 4 : 0);
  return {
    address: key.subarray(0, addressLength),
    port: hasPort ? key[addressLength]! * 256 + key[addressLength + 1]! : 0,
    vni: key[at]! * 65_536 + key[at + 1]! * 256 + key[at + 2]!,
  };
}

function vniBytes(vni: number): Uint8Array {
  return Uint8Array.of(vni >> 16, (vni >> 8) & 0xff, vni & 0xff);
}
