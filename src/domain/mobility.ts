/**
 * Where a MAC address is, when more than one site says so. db/mac-reports.ts does in SQL, for thousands at once, what is said here for
 * one, and a test holds the two to each other.
 *
 * - What a person has set is sticky: no announcement moves it, and no withdrawal takes it away.
 * - Else the newest announcement wins. The gateway issues the sequence (the tenant's revision), so two sites can't tie and a lower number
 *   can't black-hole anyone: compare EVPN (RFC 7432 §15), where each router counts by itself.
 * - A MAC that moves too often is at two places at once, or in a loop: it is frozen where it came to be last (RFC 7432 §15.1). The freeze
 *   ends by time, by a person's call, or when the site that has it withdraws it.
 */
import type { MacRejection } from '../contract/macs.ts';

export const MOVES_TO_FREEZE = 5;
export const MOVE_WINDOW_SECONDS = 180;
export const FREEZE_SECONDS = 1800;

/** A MAC that is in the table. Times are milliseconds since 1970. */
export interface MacEntry {
  readonly site: string;
  readonly ip: string | null;
  readonly sticky: boolean;
  /** Moves since `movesSince`, when the first of them was. */
  readonly moves: number;
  readonly movesSince: number;
  readonly frozenUntil: number | null;
}

export type Verdict =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'rejected'; readonly code: MacRejection }
  | { readonly kind: 'changed'; readonly entry: MacEntry };

/**
 * What an announcement of a MAC comes to.
 *
 * @param current null where the table has none
 * @param hasRoom whether the network's limit leaves room for one more
 */
export function judgeAnnouncement(
  current: MacEntry | null,
  said: { readonly site: string; readonly ip: string | null },
  hasRoom: boolean,
  now: number,
): Verdict {
  const { site, ip } = said;
  if (current === null) {
    if (!hasRoom) return { kind: 'rejected', code: 'quota_exceeded' };
    return { kind: 'changed', entry: { site, ip, sticky: false, moves: 0, movesSince: 0, frozenUntil: null } };
  }
  if (current.sticky) {
    return current.site === site ? { kind: 'unchanged' } : { kind: 'rejected', code: 'mac_sticky' };
  }
  if (current.site === site) {
    // An address that is not said is not known: it takes none away.
    if (ip === null || ip === current.ip) return { kind: 'unchanged' };
    return { kind: 'changed', entry: { ...current, ip } };
  }
  if (current.frozenUntil !== null && current.frozenUntil > now) return { kind: 'rejected', code: 'mac_frozen' };
  const goesOn = current.movesSince > now - MOVE_WINDOW_SECONDS * 1000;
  const moves = goesOn ? current.moves + 1 : 1;
  const frozenUntil = moves >= MOVES_TO_FREEZE ? now + FREEZE_SECONDS * 1000 : null;
  const movesSince = moves === 1 ? now : current.movesSince;
  return { kind: 'changed', entry: { site, ip, sticky: false, moves, movesSince, frozenUntil } };
}

/** Whether a site's withdrawal takes the MAC out of the table. */
export function takesAway(current: MacEntry, site: string): boolean {
  return current.site === site && !current.sticky;
}
