/**
 * What an agent is told: rows of one moment of the store, made into a snapshot or a delta.
 *
 * The rule that keeps a delta whole: a network is told of where its header, its membership or the site's own attachment changed after the
 * agent's cursor, and then with exactly the peers that changed. A network that the site came to carry after the cursor is told in full,
 * with what went meanwhile, since the agent may still hold what it had of it before.
 */
import { type Digest, formatDigest, subtractFromDigest } from '../contract/digest.ts';
import type { PortSpec } from '../contract/port.ts';
import type {
  AntiSpoofMode,
  Delta,
  FloodMode,
  NetworkChange,
  NetworkTable,
  Snapshot,
  Vtep,
} from '../contract/table.ts';

export interface NetworkHeader {
  readonly name: string;
  readonly mtu: number;
  readonly flood: FloodMode;
  readonly multicastGroup: string | null;
  readonly antiSpoof: AntiSpoofMode;
  readonly arpSuppression: boolean;
  /** When the header or the membership last changed, and the digest over *all* members. */
  readonly revision: number;
  readonly digest: number;
}

/** One of the site's own attachments. */
export interface OwnAttachment {
  readonly networkId: string;
  readonly vni: number;
  readonly port: PortSpec;
  readonly live: boolean;
  readonly revision: number;
  /** Null where the network is no more. */
  readonly network: NetworkHeader | null;
}

/** Another site's attachment to one of those networks; `vtep` is null where it is not live. */
export interface PeerAttachment {
  readonly networkId: string;
  readonly siteId: string;
  readonly vtep: { readonly address: string; readonly port: number } | null;
}

export interface TableRows {
  readonly own: readonly OwnAttachment[];
  readonly peers: readonly PeerAttachment[];
  /** The hash of the site's own entry, which is no part of what it is given. */
  readonly ownHash: number;
}

/** @returns the whole table of the site, as of `cursor`. */
export function snapshotOf(rows: TableRows, cursor: string): Snapshot {
  return { kind: 'snapshot', cursor, networks: changesOf(rows).map(({ gone: _, ...table }): NetworkTable => table) };
}

/** @returns what changed for the site after `from`; the rows must be all that changed since. */
export function deltaOf(rows: TableRows, from: string, cursor: string): Delta {
  const goneNetworks = rows.own.filter((own) => !own.live).map((own) => own.vni);
  const delta: Delta = { kind: 'delta', from, cursor, networks: changesOf(rows) };
  return goneNetworks.length === 0 ? delta : { ...delta, goneNetworks };
}

function changesOf(rows: TableRows): NetworkChange[] {
  const vteps = new Map<string, Vtep[]>();
  const gone = new Map<string, string[]>();
  for (const peer of rows.peers) {
    if (peer.vtep === null) entryOf(gone, peer.networkId).push(peer.siteId);
    else entryOf(vteps, peer.networkId).push({ site: peer.siteId, ...peer.vtep });
  }
  const changes: NetworkChange[] = [];
  for (const own of rows.own) {
    const { network } = own;
    if (!own.live || network === null) continue;
    const left = gone.get(own.networkId);
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
      revision: Math.max(network.revision, own.revision),
      digest: formatDigest(subtractFromDigest(network.digest as Digest, rows.ownHash as Digest)),
      vteps: vteps.get(own.networkId) ?? [],
      macs: [],
      ...(left === undefined ? {} : { gone: { vteps: left, macs: [] } }),
    });
  }
  return changes;
}

function entryOf<T>(map: Map<string, T[]>, key: string): T[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: T[] = [];
  map.set(key, made);
  return made;
}
