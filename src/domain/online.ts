/** How many sites were online when, from how they stand now and who came and went since: nothing is written for it. */

export interface Presence {
  readonly siteId: string;
  readonly isOnline: boolean;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface PresenceChange {
  readonly siteId: string;
  readonly at: number;
  readonly isOnline: boolean;
}

/**
 * @param sites as they are at `now`; `since` is when each came to be
 * @param changes all that there were since the first step's beginning
 * @param steps when each step begins, in order, all `stepMs` long, the last of which `now` is in or after
 * @returns the average number online in each, over as much of it as has passed.
 */
export function onlineOver(
  sites: readonly Presence[],
  changes: readonly PresenceChange[],
  { steps, stepMs, now }: { readonly steps: readonly number[]; readonly stepMs: number; readonly now: number },
): number[] {
  const first = steps[0] ?? now;
  const bySite = Map.groupBy(changes, ({ siteId }) => siteId);
  const onlineMs = steps.map(() => 0);
  const add = (from: number, to: number): void => {
    for (let i = Math.max(0, Math.floor((from - first) / stepMs)); i < steps.length && steps[i]! < to; i++) {
      onlineMs[i]! += Math.max(0, Math.min(to, steps[i]! + stepMs) - Math.max(from, steps[i]!));
    }
  };
  for (const { siteId, isOnline, since } of sites) {
    let end = now;
    let online = isOnline;
    for (const change of (bySite.get(siteId) ?? []).toSorted((a, b) => b.at - a.at)) {
      if (online) add(Math.max(change.at, since), end);
      end = Math.min(change.at, end);
      online = !change.isOnline;
    }
    if (online) add(Math.max(first, since), end);
  }
  return onlineMs.map((ms, i) => {
    const passed = Math.min(stepMs, now - steps[i]!);
    return passed <= 0 ? 0 : Math.round((ms / passed) * 1000) / 1000;
  });
}
