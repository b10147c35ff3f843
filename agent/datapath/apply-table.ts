/**
 * Puts a table in force in a forwarder: a snapshot as the whole truth, a delta as what it names. What was learned from frames stays,
 * unless it pointed to what went.
 */
import { type Mac, parseMac } from '../../src/contract/mac.ts';
import type { NetworkChange, NetworkTable, TableUpdate } from '../../src/contract/table.ts';
import type { Underlay } from '../underlay/underlay.ts';
import { COUNTER_BLOCK } from './counters.ts';
import type { Forwarder } from './forwarder.ts';
import { Network, type NetworkSettings } from './network.ts';

/** Networks that one agent can carry at a time. */
export const MAX_NETWORKS = 4096;

export interface ApplyContext {
  readonly forwarder: Forwarder;
  readonly underlay: Underlay;
  readonly counters: Float64Array;
  /** 32 random bits. */
  readonly random: () => number;
}

/** @throws where a VTEP's address is of a family that the underlay does not carry, or there are more than `MAX_NETWORKS`. */
export function applyTable(context: ApplyContext, update: TableUpdate): void {
  if (update.kind === 'snapshot') {
    const named = new Set(update.networks.map(({ vni }) => vni));
    for (const vni of [...context.forwarder.networks.keys()]) if (!named.has(vni)) removeNetwork(context, vni);
    for (const table of update.networks) replaceNetwork(context, table);
    return;
  }
  // First what went, so that a VNI given anew in the same delta is not lost.
  for (const vni of update.goneNetworks ?? []) removeNetwork(context, vni);
  for (const change of update.networks) changeNetwork(context, change);
}

function replaceNetwork(context: ApplyContext, table: NetworkTable): void {
  const network = ensureNetwork(context, table);
  const sites = new Set(table.vteps.map(({ site }) => site));
  for (const site of network.sites) if (!sites.has(site)) network.removeVtep(site);
  const macs = new Set(table.macs.map(({ mac }) => parseMac(mac)!));
  for (const mac of [...network.registryMacs]) if (!macs.has(mac as Mac)) network.removeMac(mac);
  setEntries(network, table);
}

function changeNetwork(context: ApplyContext, change: NetworkChange): void {
  const network = ensureNetwork(context, change);
  for (const site of change.gone?.vteps ?? []) network.removeVtep(site);
  for (const mac of change.gone?.macs ?? []) network.removeMac(parseMac(mac)!);
  setEntries(network, change);
}

function setEntries(network: Network, { vteps, macs }: Pick<NetworkTable, 'vteps' | 'macs'>): void {
  for (const { site, address, port } of vteps) network.setVtep(site, address, port);
  for (const { mac, site } of macs) network.setMac(parseMac(mac)!, site);
}

function ensureNetwork(context: ApplyContext, table: NetworkTable): Network {
  const { forwarder, underlay, counters, random } = context;
  const settings: NetworkSettings = {
    id: table.network,
    name: table.name,
    flood: table.flood,
    antiSpoof: table.antiSpoof,
  };
  let network = forwarder.networks.get(table.vni);
  if (network !== undefined && network.settings.id !== table.network) {
    // The number has come to another network: nothing of the old one may stay.
    removeNetwork(context, table.vni);
    network = undefined;
  }
  if (network === undefined) {
    network = new Network({
      vni: table.vni,
      settings,
      mtu: table.mtu,
      counterBase: freeCounterBase(forwarder, counters),
      seed: random(),
      underlay,
      addresses: forwarder.addresses,
    });
    forwarder.networks.set(table.vni, network);
  } else {
    network.configure(settings);
  }
  return network;
}

function removeNetwork({ forwarder, counters }: ApplyContext, vni: number): void {
  const network = forwarder.networks.get(vni);
  if (network === undefined) return;
  forwarder.networks.delete(vni);
  network.release();
  counters.fill(0, network.counterBase, network.counterBase + COUNTER_BLOCK);
}

function freeCounterBase(forwarder: Forwarder, counters: Float64Array): number {
  const used = new Set([...forwarder.networks.values()].map(({ counterBase }) => counterBase));
  for (let base = COUNTER_BLOCK; base < counters.length; base += COUNTER_BLOCK) if (!used.has(base)) return base;
  throw new RangeError(`more than ${MAX_NETWORKS} networks at one site`);
}
