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
 *     chain vxlan:  (source, VNI) in vteps ─▶ accept · in strictVteps ─▶ strict · no I flag ─▶ drop · VNI guarded ─▶ drop
 *                   VNI open ─▶ accept · else count
 *     chain strict: (source, VNI, inner source) in stations ─▶ accept · VNI spoofed ─▶ drop
 *     chain output: (destination, port, VNI) in sent ─▶ count
 *
 * Where VXLAN is by certain interfaces alone (`devices`), these come first:
 *
 *     chain vxlan:  by another ─▶ outside: VNI guarded or open ─▶ drop
 *     chain output: to the port, by another, VNI guarded or open ─▶ drop
 *
 * What is let through passes the fewest expressions. The kernel drops what has no I flag itself.
 *
 * The counters are those of the sets' elements: what came from a peer (`vteps`, `strictVteps`), went to it (`sent`), or was
 * dropped in a network (`guarded`, `spoofed`).
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
  isByOther,
  isField,
  isInSet,
  isTransport,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  type NftMessage,
  newBaseChain,
  newChain,
  newRule,
  newSet,
  newTable,
  type Table,
} from '../sys/nftables-message.ts';
import type { WantedNetwork } from './wanted-network.ts';

/** Before the host's own rules, which still have their say. */
const PRIORITY = -10;
const IPPROTO_UDP = 17;
const I_FLAG = 0x08;

const field = (base: Field['base'], offset: number, length: number): Field => ({ base, offset, length });
const ADDRESSES = {
  ip: { source: field('network', 12, 4), destination: field('network', 16, 4) },
  ip6: { source: field('network', 8, 16), destination: field('network', 24, 16) },
} as const;
const DESTINATION_PORT = field('transport', 2, 2);
const FLAGS = field('transport', 8, 1);
const VNI = field('transport', 12, 3);
const INNER_SOURCE = field('transport', 22, 6);

export const SET_NAMES = ['vteps', 'strictVteps', 'stations', 'guarded', 'open', 'spoofed', 'sent'] as const;
export type SetName = (typeof SET_NAMES)[number];
/** The indexes of the interfaces that VXLAN must come and go by. */
export const DEVICES = 'devices';
export const COUNTED_SETS = [
  'vteps',
  'strictVteps',
  'guarded',
  'spoofed',
  'sent',
] as const satisfies readonly SetName[];
export type CountedSet = (typeof COUNTED_SETS)[number];

function keysOf(family: Table['family']): Record<SetName, readonly Field[]> {
  const { source, destination } = ADDRESSES[family];
  return {
    vteps: [source, VNI],
    strictVteps: [source, VNI],
    stations: [source, VNI, INNER_SOURCE],
    guarded: [VNI],
    open: [VNI],
    spoofed: [VNI],
    sent: [destination, DESTINATION_PORT, VNI],
  };
}

/** An element: its key, as the kernel compares it. */
export interface Element {
  readonly set: SetName;
  readonly key: Uint8Array;
}

/** nftables' own names allow no colons. @param isIpv6 of the underlay. */
export function tableOf(identity: string, isIpv6: boolean): Table {
  return { family: isIpv6 ? 'ip6' : 'ip', name: `overlane-${identity.replaceAll(/[^A-Za-z0-9]+/g, '-')}` };
}

/** The table with its rules and empty sets. @param isBound VXLAN is by certain interfaces alone. */
export function encodeTable(table: Table, vxlanPort: number, isBound: boolean): NftMessage[] {
  const keys = keysOf(table.family);
  const idOf = (set: SetName): number => SET_NAMES.indexOf(set) + 1;
  const has = (set: SetName): Uint8Array[] => isInSet(keys[set], set, idOf(set));
  const rule = (chain: string, ...expressions: readonly Uint8Array[]): NftMessage =>
    newRule(table, chain, ...expressions);
  const udp = isTransport(IPPROTO_UDP);
  const toVxlan = isField(DESTINATION_PORT, Uint8Array.of(vxlanPort >> 8, vxlanPort & 0xff));
  const devicesId = SET_NAMES.length + 1;
  const ours = ['guarded', 'open'] as const;
  const whole = isBound
    ? [
        newSet(table, DEVICES, devicesId, [{ length: 4 }], false),
        newChain(table, 'outside'),
        ...ours.map((set) => rule('outside', ...has(set), drop())),
        rule('vxlan', ...isByOther('in', DEVICES, devicesId), goto('outside')),
        ...ours.map((set) =>
          rule('output', ...udp, ...toVxlan, ...isByOther('out', DEVICES, devicesId), ...has(set), drop()),
        ),
      ]
    : [];
  const withoutFlag = isField(FLAGS, Uint8Array.of(0), Uint8Array.of(I_FLAG));
  return [
    newTable(table),
    ...SET_NAMES.map((set) => newSet(table, set, idOf(set), keys[set], COUNTED_SETS.includes(set as CountedSet))),
    newBaseChain(table, 'input', NF_INET_LOCAL_IN, PRIORITY),
    newBaseChain(table, 'output', NF_INET_LOCAL_OUT, PRIORITY),
    newChain(table, 'vxlan'),
    newChain(table, 'strict'),
    ...whole,
    rule('input', ...udp, ...toVxlan, goto('vxlan')),
    rule('vxlan', ...has('vteps'), accept()),
    rule('vxlan', ...has('strictVteps'), goto('strict')),
    rule('vxlan', ...withoutFlag, count(), drop()),
    rule('vxlan', ...has('guarded'), drop()),
    rule('vxlan', ...has('open'), accept()),
    rule('vxlan', count()),
    rule('strict', ...has('stations'), accept()),
    rule('strict', ...has('spoofed'), drop()),
    rule('output', ...udp, ...has('sent')),
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
  const isStrict = antiSpoof === 'strict';
  add(antiSpoof === 'off' ? 'open' : 'guarded', number);
  for (const { address, port } of network.vteps.values()) {
    const bytes = parseIp(address)!;
    add(isStrict ? 'strictVteps' : 'vteps', bytes, number);
    add('sent', bytes, Uint8Array.of(port >> 8, port & 0xff), number);
  }
  if (!isStrict) return elements;
  add('spoofed', number);
  for (const mac of network.macs) {
    const place = network.mac(mac);
    if (place !== undefined) add('stations', parseIp(place.address)!, number, macBytes(mac));
  }
  return elements;
}

/** What an element of a counted set is about; of one without an address or a port these are empty. */
export interface SetKey {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly vni: number;
}

export function readKey({ family }: Table, set: CountedSet, key: Uint8Array): SetKey {
  const addressLength = set === 'guarded' || set === 'spoofed' ? 0 : family === 'ip' ? 4 : 16;
  const hasPort = set === 'sent';
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
