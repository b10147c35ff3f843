/** What must happen now and then, whoever asks: released VNIs come back, old tombstones and events are forgotten. */
import { purgeEvents } from './db/events.ts';
import { purgeIdempotencyKeys } from './db/idempotency.ts';
import { purgeTombstones } from './db/tombstones.ts';
import { SWEEP_LIMIT, sweepQuarantine } from './db/vni-pool.ts';
import type { Gateway } from './gateway.ts';

/** A Worker's call may make only so many queries: what is left is for the next time. */
const MAX_SWEEPS = 10;

export const HOUSEKEEPING_SECONDS = 60;

export async function keepHouse({ db, now, config }: Pick<Gateway, 'db' | 'now' | 'config'>): Promise<void> {
  await purgeTombstones(db, now() - config.tombstoneSeconds * 1000);
  await purgeIdempotencyKeys(db, now());
  await purgeEvents(db, now() - config.eventSeconds * 1000);
  for (let i = 0; i < MAX_SWEEPS; i++) {
    if ((await sweepQuarantine(db, now())) < SWEEP_LIMIT) return;
  }
}
