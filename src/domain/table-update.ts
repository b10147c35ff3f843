/**
 * What an agent is told: rows of one moment of the store, made into a snapshot or a delta.
 *
 * The rule that keeps a delta whole: a network is told of where its header, its membership or the site's own attachment changed after the
 * agent's cursor, and then with exactly the peers that changed. A network that the site came to carry after the cursor is told in full,
 * with what went meanwhile, since the agent may still hold what it had of it before.
 */
import { formatDigest } from '../contract/digest.ts';
import type { PortSpec } from '../contract/port.ts';
import type {
  AntiSpoofMode,
  Delta,
  FloodMode,
  MacRow,
  NetworkChange,
  NetworkTable,
  Snapshot,
  Vtep,
} from '../contract/table.ts';
import type { Transport } from '../contract/wireguard.ts';
import {
  digestGiven,
  isBlind,
  type NetworkSum,
  type SiteHashes,
  type SiteWireguard,
  tunnelVtep,
} from './site-wireguard.ts';

export interface NetworkHeader extends NetworkSum {
  readonly name: string;
  readonly mtu: number;
  readonly flood: FloodMode;
  readonly multicastGroup: string | null;
  readonly antiSpoof: AntiSpoofMode;
  readonly arpSuppression: boolean;
  /** When the header or the membership last changed. */
  readonly revision: number;
}

/** One of the site's own attachments. */
export interface OwnAttachment {
  readonly networkId: string;
  readonly vni: number;
  readonly port: PortSpec;
  readonly live: boolean;
  /** Where it is not live: whether somebody asked for that. */
  readonly intended: boolean;
  readonly revision: number;
  /** Null where the network is no more. */
  readonly network: NetworkHeader | null;
}

/** Another site's attachment to one of those networks; `where` it is, in plain and by WireGuard, is null where it is not live. */
export interface PeerAttachment {
  readonly networkId: string;
  readonly siteId: string;
  readonly where: { readonly address: string; readonly port: number; readonly wireguard: SiteWireguard | null } | null;
  /** Where it is not live: whether somebody asked for that. */
  readonly intended: boolean;
}

/** A MAC of one of those networks; `row` is null where the table has it no more. */
export interface MacChange {
  readonly networkId: string;
  readonly mac: string;
  readonly row: MacRow | null;
}

export interface TableRows {
  readonly own: readonly OwnAttachment[];
  readonly peers: readonly PeerAttachment[];
  readonly macs: readonly MacChange[];
  /** The hashes of the site's own entries, which are no part of what it is given. */
  readonly self: SiteHashes;
}

/** @returns the whole table of the site, as of `cursor`. */
export function snapshotOf(rows: TableRows, cursor: string): Snapshot {
  const networks = changesOf(rows).map(({ gone: _, intended: __, ...table }): NetworkTable => table);
  return { kind: 'snapshot', cursor, networks };
}

/** @returns what changed for the site after `from`; the rows must be all that changed since. */
export function deltaOf(rows: TableRows, from: string, cursor: string): Delta {
  const gone = rows.own.filter((own) => !own.live);
  const delta: Delta = { kind: 'delta', from, cursor, networks: changesOf(rows) };
  if (gone.length === 0) return delta;
  return { ...delta, goneNetworks: gone.map((own) => own.vni), ...intendedIf(gone) };
}

function changesOf(rows: TableRows): NetworkChange[] {
  const peersOf = Map.groupBy(rows.peers, ({ networkId }) => networkId);
  const macsOf = Map.groupBy(rows.macs, ({ networkId }) => networkId);
  const changes: NetworkChange[] = [];
  for (const own of rows.own) {
    const { network } = own;
    if (!own.live || network === null) continue;
    const isTold = !isBlind(rows.self, network);
    const peers = (isTold ? (peersOf.get(own.networkId) ?? []) : []).map((peer) => {
      const vtep = vtepOf(network.transport, peer);
      // One that is live and can't be reached is so because somebody asked for another transport.
      return { ...peer, vtep, intended: peer.intended || (peer.where !== null && vtep === null) };
    });
    const macs = isTold ? (macsOf.get(own.networkId) ?? []) : [];
    changes.push({
      vni: own.vni,
      network: own.networkId,
      name: network.name,
      mtu: network.mtu,
      port: own.port,
      flood: network.flood,
      ...(network.multicastGroup === null ? {} : { multicastGroup: network.multicastGroup }),
      antiSpoof: network.antiSpoof,
      arpSuppression: network.arpSuppression,
      ...(network.transport === 'plain' ? {} : { transport: network.transport }),
      revision: Math.max(network.revision, own.revision),
      digest: formatDigest(digestGiven(rows.self, network)),
      vteps: peers.flatMap(({ vtep }) => (vtep === null ? [] : [vtep])),
      macs: macs.flatMap(({ row }) => (row === null ? [] : [row])),
      ...goneOf(peers, macs),
    });
  }
  return changes;
}

/** @returns how a network of this transport reaches the site, or null where it can't: the others then do without it. */
function vtepOf(transport: Transport, { siteId, where }: PeerAttachment): Vtep | null {
  if (where === null) return null;
  if (transport === 'plain') return { site: siteId, address: where.address, port: where.port };
  return where.wireguard === null ? null : tunnelVtep(siteId, where.wireguard);
}

function goneOf(
  peers: readonly (PeerAttachment & { readonly vtep: Vtep | null })[],
  macs: readonly MacChange[],
): Pick<NetworkChange, 'gone' | 'intended'> {
  const gonePeers = peers.filter(({ vtep }) => vtep === null);
  const goneMacs = macs.filter(({ row }) => row === null);
  if (gonePeers.length + goneMacs.length === 0) return {};
  return {
    gone: { vteps: gonePeers.map(({ siteId }) => siteId), macs: goneMacs.map(({ mac }) => mac) },
    ...(gonePeers.length === 0 ? {} : intendedIf(gonePeers)),
  };
}

/** Only what somebody asked for as a whole is told as intended. */
function intendedIf(gone: readonly { readonly intended: boolean }[]): { intended?: true } {
  return gone.every(({ intended }) => intended) ? { intended: true } : {};
}
