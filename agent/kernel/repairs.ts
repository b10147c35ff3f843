/**
 * Entries that are to be looked at again, and when: somebody changed them, or the kernel did not take them. An entry is put right at once
 * the first time, and later and later as long as it goes on: whoever else wants it otherwise is not fought. Pure.
 */
import type { EntryName } from './notifications.ts';
import type { Scope } from './wanted-network.ts';

interface Repair {
  readonly vni: number;
  readonly entry: EntryName;
  readonly dueAt: number;
  /** After this one, in seconds. */
  readonly patience: number;
  readonly isPending: boolean;
}

const FIRST_PATIENCE_SECONDS = 0.25;
const LONGEST_PATIENCE_SECONDS = 60;
/** An entry that nobody touched for so many times its patience is any entry again. */
const FORGOTTEN_AFTER = 4;

export class Repairs {
  readonly #repairs = new Map<string, Repair>();

  /** @param now in seconds. */
  add(vni: number, entry: EntryName, now: number): void {
    const name = `${vni} ${entry.join(' ')}`;
    const known = this.#repairs.get(name);
    if (known?.isPending) return;
    const isNew = known === undefined || isForgotten(known, now);
    const patience = isNew ? FIRST_PATIENCE_SECONDS : Math.min(2 * known.patience, LONGEST_PATIENCE_SECONDS);
    const dueAt = isNew ? now : Math.max(now, known.dueAt + known.patience);
    this.#repairs.set(name, { vni, entry, dueAt, patience, isPending: true });
  }

  /** When the next is due, in seconds, or null where none waits. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const { dueAt, isPending } of this.#repairs.values()) {
      if (isPending && (next === null || dueAt < next)) next = dueAt;
    }
    return next;
  }

  /** @returns what is due, by network; the head-end list is looked at with anything. */
  take(now: number): Map<number, Scope> {
    const scopes = new Map<number, Scope>();
    for (const [name, repair] of this.#repairs) {
      const { vni, entry, dueAt, isPending } = repair;
      const [kind, key] = entry;
      if (!isPending) {
        if (isForgotten(repair, now)) this.#repairs.delete(name);
        continue;
      }
      if (dueAt > now) continue;
      const scope = scopes.get(vni) ?? { macs: new Set(), ips: new Set() };
      scopes.set(vni, scope);
      if (kind !== 'flood') scope[kind].add(key);
      this.#repairs.set(name, { ...repair, dueAt: now, isPending: false });
    }
    return scopes;
  }
}

function isForgotten({ dueAt, patience }: Repair, now: number): boolean {
  return now > dueAt + FORGOTTEN_AFTER * patience;
}
