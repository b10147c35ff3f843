/**
 * What must happen now and then, whoever asks: released VNIs come back, old tombstones, events, sessions and figures are
 * forgotten, who went is told of,
 * and so is every change that may not have been.
 */
import { KEPT_SECONDS } from './contract/history.ts';
import { purgeEvents } from './db/events.ts';
import { purgeHistory } from './db/history.ts';
import { sumUpHours } from './db/history-sums.ts';
import { purgeIdempotencyKeys } from './db/idempotency.ts';
import { listUntold, noteTold, type Untold } from './db/outbox.ts';
import { sweepOffline } from './db/presence.ts';
import { purgeSessions } from './db/sessions.ts';
import { PURGE_LIMIT, purgeTombstones } from './db/tombstones.ts';
import { SWEEP_LIMIT, sweepQuarantine } from './db/vni-pool.ts';
import type { Gateway } from './gateway.ts';

/** A Worker's call may make only so many queries: what is left is for the next time. */
const MAX_SWEEPS = 10;
/** Enough that what one caller may write in a minute is forgotten in one. */
const MAX_PURGES = 20;
const MAX_TENANTS_TOLD = 300;

const SUM_UP_MINUTE = 7;

export const HOUSEKEEPING_SECONDS = 60;

export type House = Pick<Gateway, 'db' | 'now' | 'config' | 'hub' | 'log'>;

export async function keepHouse(house: House): Promise<void> {
  const { db, now, config } = house;
  await tellAgain(house);
  await sweepOffline(db, now());
  await whileFull(PURGE_LIMIT, MAX_PURGES, () => purgeTombstones(db, now() - config.tombstoneSeconds * 1000));
  await whileFull(PURGE_LIMIT, MAX_PURGES, () => purgeIdempotencyKeys(db, now()));
  await whileFull(PURGE_LIMIT, MAX_PURGES, () => purgeEvents(db, now() - config.eventSeconds * 1000));
  await whileFull(PURGE_LIMIT, MAX_PURGES, () => purgeSessions(db, now()));
  // Once an hour; an hour that was missed is made up for.
  if (Math.floor(now() / 60_000) % 60 === SUM_UP_MINUTE) await sumUpHours(db, now());
  const oldestHour = Math.floor(now() / 3_600_000) - KEPT_SECONDS / 3600;
  await whileFull(PURGE_LIMIT, MAX_PURGES, () => purgeHistory(db, oldestHour));
  await whileFull(SWEEP_LIMIT, MAX_SWEEPS, () => sweepQuarantine(db, now()));
}

/** Does it again while it took as much as it may at once, so many times at most. */
async function whileFull(limit: number, times: number, take: () => Promise<number>): Promise<void> {
  for (let i = 0; i < times; i++) if ((await take()) < limit) return;
}

async function tellAgain({ db, hub, log }: House): Promise<void> {
  const told: Untold[] = [];
  for (const untold of await listUntold(db, MAX_TENANTS_TOLD)) {
    try {
      await hub.look(untold.tenantId);
      told.push(untold);
    } catch (error) {
      log.error({ tenant: untold.tenantId, error }, 'telling of a change failed');
    }
  }
  if (told.length > 0) await noteTold(db, told);
}
