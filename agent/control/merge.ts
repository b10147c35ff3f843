/**
 * The last good table, and how an update changes it.
 *
 * An update is checked before anything is touched, so it applies whole or not at all; the cost is that of what it names. Two checks
 * can tell that gateway and agent have drifted apart: a delta starts from the cursor we hold (`mergeNext`, for whoever hears from the
 * gateway), and each network it names ends at the digest it says. Where either fails, ask for a snapshot and keep forwarding meanwhile.
 */
import {
  addToDigest,
  type Digest,
  EMPTY_DIGEST,
  formatDigest,
  hashMac,
  hashVtep,
  subtractFromDigest,
} from '../../src/contract/digest.ts';
import type { MacRow, NetworkChange, NetworkTable, Snapshot, TableUpdate, Vtep } from '../../src/contract/table.ts';

export type NetworkHeader = Omit<NetworkTable, 'vteps' | 'macs'>;

export interface HeldNetwork {
  readonly header: NetworkHeader;
  /** By site. */
  readonly vteps: Map<string, Vtep>;
  /** By MAC. */
  readonly macs: Map<string, MacRow>;
  readonly digest: Digest;
}

/** Owned by whoever merges into it: a delta changes it in place. */
export interface LastGood {
  cursor: string;
  /** By VNI. */
  readonly networks: Map<number, HeldNetwork>;
}

export type MergeResult =
  | { readonly kind: 'merged'; readonly table: LastGood }
  | { readonly kind: 'resync'; readonly reason: string };

/** Whether the update is whole, or the next after what is held. */
export function startsFrom(held: LastGood | null, update: TableUpdate): boolean {
  return update.kind === 'snapshot' || update.from === held?.cursor;
}

/** Merges an update that came from the gateway: see `mergeUpdate`. */
export function mergeNext(held: LastGood | null, update: TableUpdate): MergeResult {
  if (startsFrom(held, update)) return mergeUpdate(held, update);
  return { kind: 'resync', reason: 'the change does not start from the table that is held' };
}

/**
 * @param held what was merged last, or null where there is nothing yet; untouched unless the result is `merged`.
 * @returns the table after the update, or why a snapshot is needed.
 */
export function mergeUpdate(held: LastGood | null, update: TableUpdate): MergeResult {
  if (update.kind === 'delta' && held === null) return { kind: 'resync', reason: 'there is no table to change' };
  const gone = new Set(update.kind === 'delta' ? update.goneNetworks : []);
  const plans = new Map<number, Plan>();
  for (const change of update.networks) {
    if (plans.has(change.vni)) return { kind: 'resync', reason: `VNI ${change.vni} is named twice` };
    const base = update.kind === 'delta' && !gone.has(change.vni) ? held?.networks.get(change.vni) : undefined;
    // A number that has come to another network keeps nothing of the old one.
    const plan = planChange(base?.header.network === change.network ? base : undefined, change);
    const digest = formatDigest(plan.digest);
    if (digest !== change.digest) {
      return { kind: 'resync', reason: `VNI ${change.vni} has digest ${digest} here and ${change.digest} there` };
    }
    plans.set(change.vni, plan);
  }

  const table: LastGood = update.kind === 'delta' ? held! : { cursor: update.cursor, networks: new Map() };
  for (const vni of gone) table.networks.delete(vni);
  for (const [vni, plan] of plans) table.networks.set(vni, carryOut(plan));
  table.cursor = update.cursor;
  return { kind: 'merged', table };
}

/** @returns the table as a snapshot: what a data path or a disk is given. */
export function toSnapshot(table: LastGood): Snapshot {
  return {
    kind: 'snapshot',
    cursor: table.cursor,
    networks: [...table.networks.values()].map(({ header, vteps, macs }) => ({
      ...header,
      vteps: [...vteps.values()],
      macs: [...macs.values()],
    })),
  };
}

/** True where the update moves the cursor and nothing else. */
export function changesNothing(update: TableUpdate): boolean {
  return update.kind === 'delta' && update.networks.length === 0 && (update.goneNetworks ?? []).length === 0;
}

/** What one network's change comes to: entries by key, null for those that go. */
interface Plan {
  readonly base: HeldNetwork | undefined;
  readonly header: NetworkHeader;
  readonly vteps: ReadonlyMap<string, Vtep | null>;
  readonly macs: ReadonlyMap<string, MacRow | null>;
  readonly digest: Digest;
}

function planChange(base: HeldNetwork | undefined, change: NetworkChange): Plan {
  const { gone, intended: _, vteps: setVteps, macs: setMacs, ...header } = change;
  const vteps = entriesByKey(gone?.vteps ?? [], setVteps, (vtep) => vtep.site);
  const macs = entriesByKey(gone?.macs ?? [], setMacs, (row) => row.mac);
  let digest = base?.digest ?? EMPTY_DIGEST;
  digest = digestAfter(digest, base?.vteps, vteps, hashVtep);
  digest = digestAfter(digest, base?.macs, macs, hashMac);
  return { base, header, vteps, macs, digest };
}

function entriesByKey<T>(
  gone: readonly string[],
  set: readonly T[],
  keyOf: (entry: T) => string,
): Map<string, T | null> {
  const entries = new Map<string, T | null>(gone.map((key) => [key, null]));
  for (const entry of set) entries.set(keyOf(entry), entry);
  return entries;
}

function digestAfter<T>(
  digest: Digest,
  base: ReadonlyMap<string, T> | undefined,
  changes: ReadonlyMap<string, T | null>,
  hash: (entry: T) => Digest,
): Digest {
  let sum = digest;
  for (const [key, entry] of changes) {
    const old = base?.get(key);
    if (old !== undefined) sum = subtractFromDigest(sum, hash(old));
    if (entry !== null) sum = addToDigest(sum, hash(entry));
  }
  return sum;
}

function carryOut({ base, header, vteps, macs, digest }: Plan): HeldNetwork {
  return { header, vteps: setAll(base?.vteps, vteps), macs: setAll(base?.macs, macs), digest };
}

function setAll<T>(base: Map<string, T> | undefined, changes: ReadonlyMap<string, T | null>): Map<string, T> {
  const entries = base ?? new Map<string, T>();
  for (const [key, entry] of changes) {
    if (entry === null) entries.delete(key);
    else entries.set(key, entry);
  }
  return entries;
}
