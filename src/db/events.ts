/**
 * Events stand in the batch of the change that they tell of: no change without its event, no event without its change.
 *
 * Who made the change is known to the handle of the store that it is written through (`writtenBy`). An event's time never runs
 * backwards within its tenant, whatever clocks say, so that the order of times is the order of commits and a reader who goes on from
 * one event misses none.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { EventKind } from '../contract/events.ts';
import type { Database } from './database.ts';
import { revision } from './revision.ts';

/** The events of no tenant: of tenants as such, and of shared pools. */
export const NO_TENANT = '';

export interface EventText {
  readonly kind: EventKind;
  /** The id of what it is about. */
  readonly subject: string | SQL;
  /** JSON objects, as SQL expressions: what it was, and what it is now. No secret may be in either. */
  readonly before?: SQL;
  readonly after?: SQL;
  /** `FROM … WHERE …`: one event per row, of which `subject`, `before` and `after` may speak. Without it: one event. */
  readonly from?: SQL;
}

/** @returns the statement that records the event. For the batch of the change, after its `takeRevision`. */
export function recordEvent(db: Database, tenantId: string, event: EventText): SQL {
  const { author } = db;
  const actor = JSON.stringify(author?.actor ?? { kind: 'system' });
  const now = author === undefined ? sql`CAST(unixepoch('subsec') * 1000 AS INTEGER)` : sql`${author.at}`;
  return sql`INSERT INTO events (tenant_id, at, kind, revision, actor, address, request_id, subject, before, after)
    SELECT ${tenantId}, ${notBeforeTheLast(tenantId, now)}, ${event.kind}, coalesce(${revision(tenantId)}, 0), ${actor},
      ${author?.address ?? null}, ${author?.requestId ?? null}, ${event.subject}, ${event.before ?? null}, ${event.after ?? null}
    ${event.from ?? sql``}`;
}

/**
 * Records a change of something that was and stays: the first statement goes before the change in its batch, the second after it.
 *
 * @param picture a JSON object of the thing as it is, as an SQL expression
 */
export function recordChange(
  db: Database,
  tenantId: string,
  event: { readonly kind: EventKind; readonly subject: string; readonly picture: SQL },
): [SQL, SQL] {
  const { kind, subject, picture } = event;
  return [
    recordEvent(db, tenantId, { kind, subject, before: picture }),
    sql`UPDATE events SET after = ${picture}
      WHERE id = (SELECT max(id) FROM events) AND tenant_id = ${tenantId} AND kind = ${kind}`,
  ];
}

function notBeforeTheLast(tenantId: string, now: SQL): SQL {
  return sql`max(${now}, coalesce((SELECT at FROM events WHERE tenant_id = ${tenantId} ORDER BY at DESC LIMIT 1), 0))`;
}
