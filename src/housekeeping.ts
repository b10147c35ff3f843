/**
 * What must happen now and then, whoever asks: released VNIs come back, old tombstones and events are forgotten, who went is told of,
 * and so is every change that may not have been.
 */
import { purgeEvents } from './db/events.ts';
import { purgeIdempotencyKeys } from './db/idempotency.ts';
import { listUntold, noteTold, type Untold } from './db/outbox.ts';
import { sweepOffline } from './db/presence.ts';
import { purgeTombstones } from './db/tombstones.ts';
import { SWEEP_LIMIT, sweepQuarantine } from './db/vni-pool.ts';
import type { Gateway } from './gateway.ts';

/** A Worker's call may make only so many queries: what is left is for the next time. */
const MAX_SWEEPS = 10;
const MAX_TENANTS_TOLD = 300;

export const HOUSEKEEPING_SECONDS = 60;

export type House = Pick<Gateway, 'db' | 'now' | 'config' | 'hub' | 'log'>;

export async function keepHouse(house: House): Promise<void> {
  const { db, now, config } = house;
  await tellAgain(house);
  await sweepOffline(db, now());
  await purgeTombstones(db, now() - config.tombstoneSeconds * 1000);
  await purgeIdempotencyKeys(db, now());
  await purgeEvents(db, now() - config.eventSeconds * 1000);
  for (let i = 0; i < MAX_SWEEPS; i++) {
    if ((await sweepQuarantine(db, now())) < SWEEP_LIMIT) return;
  }
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
