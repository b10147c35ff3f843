/**
 * Who may speak in which network, as nftables: what the tables consist of, and which elements of their sets the networks ask for. Pure.
 *
 * A datagram is judged before the kernel's VXLAN takes it, by its outer source and, at fixed places of its payload, the VNI:
 *
 *      | UDP header | flags | reserved | VNI | reserved | inner destination | inner source | …
 *      0            8       9          12    15         16                  22             28
 *
 *     table outer, chain input:  UDP to the VXLAN port ─▶ vxlan · first fragment of IPv6 ─▶ fragment · to the port of probes ─▶ drop
 *                  chain vxlan:  (source, VNI) in vteps ─▶ take its pass, accept · a probe ─▶ others · no I flag ─▶ drop
 *                                VNI guarded ─▶ drop
 *                                VNI in open ─▶ take its pass, accept · another VNI ─▶ count, others · else drop
 *                  chain others: without a pass ─▶ take one for nothing
 *                  chain fragment: a port is there ─▶ accept · else drop
 *                  chain output: (destination, port, VNI) in sent ─▶ count
 *                  chain probes: a probe to the VXLAN port ─▶ to the port of the agent's socket
 *
 * What it is let through by, its pass, goes along as the packet's priority, which the kernel's VXLAN leaves as it is, and is asked for where
 * the frame leaves the vxlan device. For the packet may be a train of datagrams, from a VTEP on the same machine: it is judged by the first of
 * them, and cut up later, each part with the pass of the whole.
 *
 *     table inner, chain vni9:     pass is VNI 9's ─▶ take it away, accept · another pass ─▶ drop
 *                  chain strict9:  (pass, inner source) in stations ─▶ take it away, accept · any pass ─▶ drop
 *
 * Another VNI's may be another agent's of this host, whose tables have given it a pass already, or will: so no two agents count strict
 * networks' VTEPs from the same number.
 *
 * What comes without a pass is the device's own answer to what was too big for the underlay.
 *
 * Where VXLAN is by certain interfaces alone (`devices`), these come first:
 *
 *     chain vxlan:  by another ─▶ outside: VNI guarded or open ─▶ drop · another VNI ─▶ others · else drop
 *     chain output: to the port, by another, VNI guarded or open ─▶ drop
 *     chain probes: to the port, by another ─▶ accept
 *
 * Over IPv6 the kernel puts fragments together behind the filter, which so judges the first of them: one that does not show what is judged
 * is dropped (RFC 7112 says so of every such fragment), and those after it come to nothing. Over IPv4 it does so before.
 *
 * What is let through passes the fewest expressions. The kernel drops what has no I flag itself, and has VXLAN's port for itself: so a probe
 * (wire/probe.ts) is given the port of another socket, behind the host's own rules, for it shall tell whether those let VXLAN through, and
 * nothing comes there by another way.
 *
 * The counters are those of the sets' elements: what came from a peer (`vteps`), went to it (`sent`), or was dropped in a network (`guarded`);
 * and of the rules of the table inner.
 */
import { createHash } from 'node:crypto';
import { parseIp } from '../../src/contract/ip.ts';
import { macBytes } from '../sys/neighbor-message.ts';
import {
  accept,
  count,
  drop,
  type Field,
  goto,
  hasField,
  hasPriorityOf,
  isByOther,
  isField,
  isFirstFragment,
  isInSet,
  isPriority,
  isTransport,
  type KeyPart,
  lacksPriorityOf,
  setPriority,
  setUdpField,
  takePriorityFrom,
} from '../sys/nftables-expression.ts';
import {
  encodeKey,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_NETDEV_INGRESS,
  type NftMessage,
  newBaseChain,
  newChain,
  newRule,
  newSet,
  newTable,
  type SetElement,
  type SetOptions,
  type Table,
} from '../sys/nftables-message.ts';
import { PROBE_MAGIC, PROBE_MAGIC_OFFSET } from '../wire/probe.ts';
import type { WantedNetwork } from './wanted-network.ts';

/** Before the host's own rules, which still have their say. */
const PRIORITY = -10;
/** Behind the host's own rules, which are at 0 mostly, and before what labels packets (NF_IP_PRI_SELINUX_LAST). */
const PROBES_PRIORITY = 200;
const IPPROTO_UDP = 17;
/** Every pass has a bit of its last byte, which is above a host's own priorities. */
const PASS_BITS = Uint8Array.of(0, 0, 0, 0xff);
const NO_PASS = new Uint8Array(4);
const PASS_FOR_NOTHING = new Uint8Array(4).fill(0xff);
const FIRST_STRICT_PASS = 2 * 2 ** 24;
/** How many there are of strict networks' VTEPs. */
export const STRICT_PASSES = 2 ** 32 - 1 - FIRST_STRICT_PASS;

const field = (base: Field['base'], offset: number, length: number): Field => ({ base, offset, length });
const ADDRESSES = {
  ip: { source: field('network', 12, 4), destination: field('network', 16, 4) },
  ip6: { source: field('network', 8, 16), destination: field('network', 24, 16) },
} as const;
const DESTINATION_PORT = field('transport', 2, 2);
const I_FLAG: Field = { ...field('transport', 8, 1), mask: Uint8Array.of(0x08) };
/** Less the byte after it, which is to be ignored. */
const VNI: Field = { ...field('transport', 12, 4), mask: Uint8Array.of(0xff, 0xff, 0xff, 0) };
const INNER_SOURCE = field('link', 6, 6);
const UDP_HEADER = 8;
const MAGIC = field('transport', UDP_HEADER + PROBE_MAGIC_OFFSET, 4);
const MAGIC_BYTES = Uint8Array.of(24, 16, 8, 0).map((shift) => (PROBE_MAGIC >>> shift) & 0xff);

export type Family = 'ip' | 'ip6';

/** The agent's tables. */
export interface Tables {
  readonly outer: Table & { readonly family: Family };
  readonly inner: Table;
}

/** The indexes of the interfaces that VXLAN must come and go by. */
export const DEVICES = 'devices';
const OUTER_SETS = ['vteps', 'guarded', 'open', 'sent'] as const;
export const COUNTED_SETS = ['vteps', 'guarded', 'sent'] as const;
export type CountedSet = (typeof COUNTED_SETS)[number];
export type SetName = (typeof OUTER_SETS)[number] | 'stations';
export const SET_NAMES: readonly SetName[] = [...OUTER_SETS, 'stations'];

const OPTIONS: Record<SetName, SetOptions> = {
  vteps: { counts: true, isMap: true },
  guarded: { counts: true },
  open: { isMap: true },
  sent: { counts: true },
  stations: {},
};

function keysOf(family: Family): Record<SetName, readonly KeyPart[]> {
  const { source, destination } = ADDRESSES[family];
  return {
    vteps: [source, VNI],
    guarded: [VNI],
    open: [VNI],
    sent: [destination, DESTINATION_PORT, VNI],
    stations: ['priority', INNER_SOURCE],
  };
}

/** An element: its key, as the kernel compares it, and what a map has it for. */
export interface Element extends SetElement {
  readonly set: SetName;
}

/** nftables allows few letters in names, and identities many. @param isIpv6 of the underlay. */
export function tablesOf(identity: string, isIpv6: boolean): Tables {
  const name = `overlane-${createHash('sha256').update(identity).digest('hex').slice(0, 12)}`;
  return { outer: { family: isIpv6 ? 'ip6' : 'ip', name }, inner: { family: 'netdev', name } };
}

/**
 * The tables with their rules and empty sets; each device's chain comes with `encodeGate`.
 * @param isBound VXLAN is by certain interfaces alone.
 * @param probePort where probes are taken, if anywhere.
 */
export function encodeTables(
  { outer, inner }: Tables,
  vxlanPort: number,
  isBound: boolean,
  probePort: number | null,
): NftMessage[] {
  const keys = keysOf(outer.family);
  const idOf = (set: SetName): number => SET_NAMES.indexOf(set) + 1;
  const takePass = (map: SetName): Uint8Array[] => takePriorityFrom(keys[map], map, idOf(map));
  const rule = (chain: string, ...expressions: readonly Uint8Array[]): NftMessage =>
    newRule(outer, chain, ...expressions);
  const isGuarded = isInSet(keys.guarded, 'guarded', idOf('guarded'));
  const devicesId = SET_NAMES.length + 1;
  const isOurs = [isGuarded, takePass('open')];
  const isProbe = [...isField(MAGIC, MAGIC_BYTES), ...isField(I_FLAG, Uint8Array.of(0))];
  const bounds = isBound
    ? [
        newSet(outer, DEVICES, devicesId, ['in']),
        newChain(outer, 'outside'),
        ...isOurs.map((of) => rule('outside', ...of, drop())),
        rule('outside', ...hasField(VNI), goto('others')),
        rule('outside', drop()),
        rule('vxlan', ...isByOther('in', DEVICES, devicesId), goto('outside')),
        ...isOurs.map((of) =>
          rule('output', ...isUdpTo(vxlanPort), ...isByOther('out', DEVICES, devicesId), ...of, drop()),
        ),
        rule('probes', ...isUdpTo(vxlanPort), ...isByOther('in', DEVICES, devicesId), accept()),
      ]
    : [];
  const fragments =
    outer.family === 'ip6'
      ? [
          newChain(outer, 'fragment'),
          rule('input', ...isFirstFragment(), goto('fragment')),
          rule('fragment', ...hasField(DESTINATION_PORT), accept()),
          rule('fragment', drop()),
        ]
      : [];
  return [
    newTable(outer),
    newTable(inner),
    ...SET_NAMES.map((set) => newSet(set === 'stations' ? inner : outer, set, idOf(set), keys[set], OPTIONS[set])),
    newBaseChain(outer, 'input', NF_INET_LOCAL_IN, PRIORITY),
    newBaseChain(outer, 'output', NF_INET_LOCAL_OUT, PRIORITY),
    newBaseChain(outer, 'probes', NF_INET_LOCAL_IN, PROBES_PRIORITY),
    newChain(outer, 'vxlan'),
    newChain(outer, 'others'),
    rule('others', ...lacksPriorityOf(PASS_BITS), ...setPriority(PASS_FOR_NOTHING)),
    ...bounds,
    rule('input', ...isUdpTo(vxlanPort), goto('vxlan')),
    ...fragments,
    rule('vxlan', ...takePass('vteps'), accept()),
    rule('vxlan', ...isProbe, goto('others')),
    rule('vxlan', ...isField(I_FLAG, Uint8Array.of(0)), count(), drop()),
    rule('vxlan', ...isGuarded, drop()),
    rule('vxlan', ...takePass('open'), accept()),
    rule('vxlan', ...hasField(VNI), count(), goto('others')),
    rule('vxlan', drop()),
    ...(probePort === null
      ? []
      : [
          rule('input', ...isUdpTo(probePort), drop()),
          rule('probes', ...isUdpTo(vxlanPort), ...isProbe, ...setUdpField(DESTINATION_PORT, portBytes(probePort))),
        ]),
  ];
}

/** Counts what is sent to peers at this port: other packets of the host have the port to be compared, and no more. */
export function encodePort({ outer }: Tables, port: number): NftMessage {
  return newRule(outer, 'output', ...isUdpTo(port), ...isInSet(keysOf(outer.family).sent, 'sent', 0));
}

/** What stands between a vxlan device and its bridge. */
export interface Gate {
  readonly vni: number;
  readonly isStrict: boolean;
}

/** @param device its name. */
export function encodeGate({ outer, inner }: Tables, gate: Gate, device: string): NftMessage[] {
  const chain = chainOf(gate);
  const isLetThrough = gate.isStrict
    ? isInSet(keysOf(outer.family).stations, 'stations', 0)
    : isPriority(passOf(gate.vni));
  return [
    newBaseChain(inner, chain, NF_NETDEV_INGRESS, 0, device),
    newRule(inner, chain, ...isLetThrough, ...setPriority(NO_PASS), accept()),
    newRule(inner, chain, ...hasPriorityOf(PASS_BITS), count(), drop()),
  ];
}

/** @returns the gate's chain. */
export function chainOf({ vni, isStrict }: Gate): string {
  return `${isStrict ? 'strict' : 'vni'}${vni}`;
}

export function gateOfChain(chain: string): Gate | null {
  const [, kind, vni] = /^(strict|vni)(\d+)$/.exec(chain) ?? [];
  return vni === undefined ? null : { vni: Number(vni), isStrict: kind === 'strict' };
}

export function gateOf({ settings: { vni, antiSpoof } }: WantedNetwork): Gate {
  return { vni, isStrict: antiSpoof === 'strict' };
}

function passOf(vni: number): Uint8Array {
  const pass = vniBytes(vni);
  pass[3] = 1;
  return pass;
}

/**
 * The pass of a VTEP in a strict network, where it must say which VTEP it was, and not the network alone.
 * @param number one of its own among all strict networks' VTEPs, from 0; after the last pass comes the first.
 */
export function strictPass(number: number): Uint8Array {
  const pass = new Uint8Array(4);
  new DataView(pass.buffer).setUint32(0, FIRST_STRICT_PASS + (number % STRICT_PASSES), true);
  return pass;
}

/**
 * @param strictPassOf a VTEP of this network, where that is strict.
 * @returns the elements that a network asks for, by a text that names each; no two networks share one.
 */
export function elementsOf(
  network: WantedNetwork,
  strictPassOf: (address: string) => Uint8Array,
): Map<string, Element> {
  const { vni, antiSpoof } = network.settings;
  const elements = new Map<string, Element>();
  const number = vniBytes(vni);
  const add = (set: SetName, parts: readonly Uint8Array[], value?: Uint8Array): void => {
    const key = encodeKey(...parts);
    elements.set(`${set} ${hex(key)} ${hex(value)}`, { set, key, value });
  };
  const isStrict = antiSpoof === 'strict';
  if (antiSpoof === 'off') add('open', [number], passOf(vni));
  else add('guarded', [number]);
  for (const { address, port } of network.vteps.values()) {
    const bytes = parseIp(address)!;
    add('vteps', [bytes, number], isStrict ? strictPassOf(address) : passOf(vni));
    add('sent', [bytes, portBytes(port), number]);
  }
  if (!isStrict) return elements;
  for (const mac of network.macs) {
    const place = network.mac(mac);
    if (place !== undefined) add('stations', [strictPassOf(place.address), macBytes(mac)]);
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

export function readKey(family: Family, set: CountedSet, key: Uint8Array): SetKey {
  const addressLength = set === 'guarded' ? 0 : family === 'ip' ? 4 : 16;
  const hasPort = set === 'sent';
  const at = addressLength + (hasPort ? 4 : 0);
  return {
    address: key.subarray(0, addressLength),
    port: hasPort ? key[addressLength]! * 256 + key[addressLength + 1]! : 0,
    vni: key[at]! * 65_536 + key[at + 1]! * 256 + key[at + 2]!,
  };
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}

/** The port first: most packets of a host have another, and then no more is asked. */
function isUdpTo(port: number): Uint8Array[] {
  return [...isField(DESTINATION_PORT, portBytes(port)), ...isTransport(IPPROTO_UDP)];
}

function portBytes(port: number): Uint8Array {
  return Uint8Array.of(port >> 8, port & 0xff);
}

/** As it lies in the packet with the byte after it. */
function vniBytes(vni: number): Uint8Array {
  return Uint8Array.of(vni >> 16, (vni >> 8) & 0xff, vni & 0xff, 0);
}
