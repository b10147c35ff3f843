/**
 * Puts a table in force in a forwarder: a snapshot as the whole truth, a delta as what it names. What was learned from frames stays,
 * unless it pointed to what went.
 */
import { parseIp } from '../../src/contract/ip.ts';
import { type Mac, parseMac } from '../../src/contract/mac.ts';
import type { NetworkChange, NetworkTable, TableUpdate } from '../../src/contract/table.ts';
import type { Underlay } from '../underlay/underlay.ts';
import type { Forwarder } from './forwarder.ts';
import { Network, type NetworkSettings } from './network.ts';
import { createNetworkMemory, NetworkMemory } from './network-memory.ts';

/** Networks that one agent can carry at a time. */
export const MAX_NETWORKS = 4096;

export interface ApplyContext {
  readonly forwarder: Forwarder;
  readonly underlay: Underlay;
  /** 32 random bits. */
  readonly random: () => number;
  /** What several threads share of the networks that are new to them, by VNI. A network without has memory of its own. */
  readonly memories?: ReadonlyMap<number, SharedArrayBuffer>;
}

/** What could not be done, by VNI: one line each. The rest is in force. */
export type Problems = Map<number, string>;

export function applyTable(context: ApplyContext, update: TableUpdate): Problems {
  const problems: Problems = new Map();
  if (update.kind === 'snapshot') {
    const named = new Set(update.networks.map(({ vni }) => vni));
    for (const vni of [...context.forwarder.networks.keys()]) if (!named.has(vni)) removeNetwork(context, vni);
    for (const table of update.networks) replaceNetwork(context, table, problems);
    return problems;
  }
  // First what went, so that a VNI given anew in the same delta is not lost.
  for (const vni of update.goneNetworks ?? []) removeNetwork(context, vni);
  for (const change of update.networks) changeNetwork(context, change, problems);
  return problems;
}

function replaceNetwork(context: ApplyContext, table: NetworkTable, problems: Problems): void {
  const network = ensureNetwork(context, table, problems);
  if (network === null) return;
  const sites = new Set(table.vteps.map(({ site }) => site));
  for (const site of network.sites) if (!sites.has(site)) network.removeVtep(site);
  const macs = new Set(table.macs.map(({ mac }) => parseMac(mac)!));
  for (const mac of [...network.registryMacs]) if (!macs.has(mac as Mac)) network.removeMac(mac);
  setEntries(context, network, table, problems);
}

function changeNetwork(context: ApplyContext, change: NetworkChange, problems: Problems): void {
  const network = ensureNetwork(context, change, problems);
  if (network === null) return;
  for (const site of change.gone?.vteps ?? []) network.removeVtep(site);
  for (const mac of change.gone?.macs ?? []) network.removeMac(parseMac(mac)!);
  setEntries(context, network, change, problems);
}

function setEntries(
  context: ApplyContext,
  network: Network,
  { vteps, macs }: Pick<NetworkTable, 'vteps' | 'macs'>,
  problems: Problems,
): void {
  for (const { site, address, port, wireguard } of vteps) {
    const also = wireguard?.slice(1).map((end) => end.address);
    if (!network.setVtep(site, address, port, also)) {
      network.removeVtep(site);
      problems.set(
        network.vni,
        `the VTEP ${address} can't be reached from here: this site's underlay is of the other IP family`,
      );
    }
  }
  for (const { mac, ip, site } of macs) {
    const number = parseMac(mac)!;
    const isElsewhere = network.setMac(number, site, ip === undefined ? null : parseIp(ip));
    if (isElsewhere) context.forwarder.stations.left(network.vni, number);
  }
  network.settle();
}

function ensureNetwork(context: ApplyContext, table: NetworkTable, problems: Problems): Network | null {
  const { forwarder, underlay, random, memories } = context;
  const settings: NetworkSettings = {
    id: table.network,
    name: table.name,
    flood: table.flood,
    antiSpoof: table.antiSpoof,
    arpSuppression: table.arpSuppression,
  };
  let network = forwarder.networks.get(table.vni);
  if (network !== undefined && network.settings.id !== table.network) {
    // The number has come to another network: nothing of the old one may stay.
    removeNetwork(context, table.vni);
    network = undefined;
  }
  if (network === undefined) {
    const counterBase = forwarder.counterBlocks.take();
    if (counterBase === null) {
      problems.set(table.vni, `not carried: one agent carries at most ${MAX_NETWORKS} networks`);
      return null;
    }
    const { vni } = table;
    const shared = memories?.get(vni);
    network = new Network({
      vni,
      settings,
      mtu: table.mtu,
      counterBase,
      memory: shared === undefined ? createNetworkMemory(random()) : new NetworkMemory(shared),
      underlay,
      addresses: forwarder.addresses,
      peerCounterBlocks: forwarder.peerCounterBlocks,
      vxlanPort: forwarder.vxlanPort,
      localGone: (mac) => forwarder.stations.left(vni, mac),
    });
    forwarder.networks.set(table.vni, network);
  } else {
    network.configure(settings);
  }
  return network;
}

function removeNetwork({ forwarder }: ApplyContext, vni: number): void {
  const network = forwarder.networks.get(vni);
  if (network === undefined) return;
  forwarder.networks.delete(vni);
  network.release();
  forwarder.stations.allLeft(vni);
  forwarder.counterBlocks.giveBack(network.counterBase);
}
