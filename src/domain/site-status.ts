/** How a site stands, from what the registry has and what its agent last said. */
import type { SiteKind, SiteStatus } from '../contract/sites.ts';

export interface SiteLife {
  readonly kind: SiteKind;
  readonly disabled: boolean;
  /** Milliseconds since 1970; null where it was never heard. */
  readonly onlineUntil: number | null;
}

/** A static site has nothing that could speak, so it counts as online. */
export function siteStatusOf(site: SiteLife, now: number): SiteStatus {
  if (site.disabled) return 'disabled';
  if (site.kind === 'static') return 'online';
  return site.onlineUntil !== null && now <= site.onlineUntil ? 'online' : 'offline';
}

export interface NetworkProgress {
  appliedRevision?: number;
  lag?: number;
  digestMatch?: boolean;
}

/** How far the agent is with one network: `revision` and `digest` are what it should have; nothing where it didn't say. */
export function progressOf(
  revision: number,
  digest: string,
  said: { readonly revision: number; readonly digest: string } | null,
): NetworkProgress {
  if (said === null) return {};
  return {
    appliedRevision: said.revision,
    lag: Math.max(0, revision - said.revision),
    digestMatch: said.digest === digest,
  };
}
