/**
 * What each of many watching sites is told of a change: all from rows that were read once.
 *
 * A watcher's position is two revisions. `told` is that of the table its agent holds; `seen` is the one up to which nothing else
 * concerned it. A change that doesn't concern a site moves only `seen`, so the site is not woken for it, and the next delta still begins
 * at the table that the agent holds.
 */
import type { PortSpec } from '../contract/port.ts';
import type { Delta } from '../contract/table.ts';
import { type CursorOwner, formatCursor, readCursor } from './cursor.ts';
import type { SiteHashes } from './site-wireguard.ts';
import { deltaOf, type MacChange, type NetworkHeader, type PeerAttachment } from './table-update.ts';

export interface WatchedSite extends SiteHashes {
  readonly disabled: boolean;
  readonly publicKey: string | null;
}

/** An attachment of a site that may be told. */
export interface CarrierRow {
  readonly networkId: string;
  readonly siteId: string;
  readonly vni: number;
  readonly port: PortSpec;
  readonly live: boolean;
  readonly intended: boolean;
  readonly attachedRevision: number;
  readonly revision: number;
}

export interface ChangedPeer extends PeerAttachment {
  readonly revision: number;
}

export interface ChangedMac extends MacChange {
  readonly revision: number;
}

/** All that changed after a revision, of one moment. */
export interface TenantChanges {
  readonly revision: number;
  readonly purgedRevision: number;
  /** True where not all of it was read. */
  readonly isTooMuch: boolean;
  /** The watched sites that there still are, by id. */
  readonly sites: ReadonlyMap<string, WatchedSite>;
  /** By id. */
  readonly networks: ReadonlyMap<string, NetworkHeader>;
  /** By site: its attachments that changed, and the live ones to networks that did. */
  readonly carriers: ReadonlyMap<string, readonly CarrierRow[]>;
  /** By network. */
  readonly peers: ReadonlyMap<string, readonly ChangedPeer[]>;
  /** By network. */
  readonly macs: ReadonlyMap<string, readonly ChangedMac[]>;
}

export interface Position {
  readonly told: number;
  readonly seen: number;
}

export interface WatcherState {
  readonly siteId: string;
  /** Of its tenant. */
  readonly epoch: string;
  /** The key that the watcher proved to have. */
  readonly publicKey: string | null;
  /** Null where it is not known what its agent holds: it was told to pull, and has not said so yet. */
  readonly position: Position | null;
}

export type Told =
  | { readonly kind: 'refused'; readonly why: 'unauthenticated' | 'site_disabled' }
  | { readonly kind: 'nothing'; readonly position: Position | null }
  | { readonly kind: 'delta'; readonly delta: Delta; readonly position: Position }
  /** It must pull: what it needs is more than what changed. */
  | { readonly kind: 'changed' };

/** @returns where a watcher is that holds the table of `cursor`. */
export function positionAt(owner: CursorOwner, cursor: string): Position | null {
  const revision = readCursor(owner, cursor);
  return revision === null ? null : { told: revision, seen: revision };
}

/** @param changes what changed after the watcher's `seen`, or more. */
export function tell(watcher: WatcherState, changes: TenantChanges): Told {
  const { siteId, position } = watcher;
  const site = changes.sites.get(siteId);
  if (site === undefined || site.publicKey !== watcher.publicKey) return { kind: 'refused', why: 'unauthenticated' };
  if (site.disabled) return { kind: 'refused', why: 'site_disabled' };
  if (position === null || position.seen === changes.revision) return { kind: 'nothing', position };
  const { told, seen } = position;
  if (changes.isTooMuch || seen < changes.purgedRevision || seen > changes.revision) return { kind: 'changed' };

  const own = (changes.carriers.get(siteId) ?? [])
    .map((row) => ({ ...row, network: changes.networks.get(row.networkId) ?? null }))
    .filter((row) => row.revision > seen || (row.live && (row.network?.revision ?? 0) > seen));
  // A network that it has come to carry is told in full, which was not read.
  if (own.some((row) => row.live && row.attachedRevision > seen)) return { kind: 'changed' };
  if (own.length === 0) return { kind: 'nothing', position: { told, seen: changes.revision } };

  const carried = own.filter((row) => row.live);
  const peers = carried
    .flatMap((row) => changes.peers.get(row.networkId) ?? [])
    .filter((peer) => peer.siteId !== siteId && peer.revision > seen);
  const macs = carried.flatMap((row) => changes.macs.get(row.networkId) ?? []).filter((mac) => mac.revision > seen);
  const cursor = formatCursor(watcher, changes.revision);
  const delta = deltaOf({ own, peers, macs, self: site }, formatCursor(watcher, told), cursor);
  return { kind: 'delta', delta, position: { told: changes.revision, seen: changes.revision } };
}
