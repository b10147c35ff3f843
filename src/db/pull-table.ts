/** From what a site has to what it should have: nothing, a delta, or the whole. */
import type { TableUpdate } from '../contract/table.ts';
import { formatCursor, readCursor } from '../domain/cursor.ts';
import { deltaOf, snapshotOf } from '../domain/table-update.ts';
import type { Database } from './database.ts';
import { readTable } from './tables.ts';

/** The site that asks, and its tenant as of the moment it was let in. */
export interface Puller {
  readonly site: { readonly id: string };
  readonly tenant: {
    readonly id: string;
    readonly epoch: string;
    readonly revision: number;
    readonly purgedRevision: number;
  };
}

/**
 * @param from the site's cursor; '' or any that isn't its own gets a snapshot
 * @returns `unchanged` where nothing is new, at no cost; `deleted` where the site is no more.
 */
export async function pullTable(
  db: Database,
  { site, tenant }: Puller,
  from: string,
): Promise<TableUpdate | 'unchanged' | 'deleted'> {
  const owner = { epoch: tenant.epoch, siteId: site.id };
  const place = { tenantId: tenant.id, siteId: site.id };
  const since = readCursor(owner, from);
  if (since === tenant.revision) return 'unchanged';

  if (since !== null && since >= tenant.purgedRevision && since <= tenant.revision) {
    const moment = await readTable(db, place, since);
    if (moment === null) return 'deleted';
    // Tombstones that this cursor needs may have been purged after the tenant was read.
    if (since >= moment.purgedRevision) return deltaOf(moment, from, formatCursor(owner, moment.revision));
  }
  const moment = await readTable(db, place, null);
  return moment === null ? 'deleted' : snapshotOf(moment, formatCursor(owner, moment.revision));
}
