/**
 * Events stand in the batch of the change that they tell of: no change without its event, no event without its change.
 *
 * Who made the change is known to the handle of the store that it is written through (`writtenBy`). An event's time never runs
 * backwards within its tenant, whatever clocks say, so that the order of times is the order of commits and a reader who goes on from
 * one event misses none.
 */
import { and, asc, desc, eq, type InferSelectModel, type SQL, sql } from 'drizzle-orm';
import type { EventKind, EventPosition } from '../contract/events.ts';
import type { Database } from './database.ts';
import { revision } from './revision.ts';
import { events } from './schema.ts';
import { PURGE_LIMIT } from './tombstones.ts';

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

/** @returns the statements that record the event. For the batch of the change, after its `takeRevision`. */
export function recordEvent(db: Database, tenantId: string, event: EventText): SQL[] {
  const { author } = db;
  const actor = JSON.stringify(author?.actor ?? { kind: 'system' });
  const now = author === undefined ? sql`CAST(unixepoch('subsec') * 1000 AS INTEGER)` : sql`${author.at}`;
  const insert = sql`INSERT INTO events (tenant_id, at, kind, revision, actor, address, request_id, subject, number, before, after)
    SELECT ${tenantId}, ${notBeforeTheLast(tenantId, now)}, ${event.kind}, coalesce(${revision(tenantId)}, 0), ${actor},
      ${author?.address ?? null}, ${author?.requestId ?? null}, ${event.subject},
      ${lastNumber(tenantId, event.kind)} + row_number() OVER (), ${event.before ?? null}, ${event.after ?? null}
    ${event.from ?? sql``}`;
  return [insert, forgetOldest(tenantId, event.kind)];
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
): [SQL[], SQL] {
  const { kind, subject, picture } = event;
  return [
    recordEvent(db, tenantId, { kind, subject, before: picture }),
    sql`UPDATE events SET after = ${picture}
      WHERE id = (SELECT max(id) FROM events) AND tenant_id = ${tenantId} AND kind = ${kind}`,
  ];
}

/** Records that a tenant came near a limit: once, with the change that took the count to nine tenths of it. */
export function recordQuotaNear(db: Database, tenantId: string, of: 'networks' | 'sites'): SQL[] {
  const [count, limit] = { networks: ['network_count', 'limit_networks'], sites: ['site_count', 'limit_sites'] }[
    of
  ].map((column) => sql.raw(column));
  return recordEvent(db, tenantId, {
    kind: 'quota_near',
    subject: of,
    after: sql`json_object('used', ${count}, 'limit', ${limit})`,
    from: sql`FROM tenants WHERE id = ${tenantId} AND ${count} * 10 >= ${limit} * 9 AND (${count} - 1) * 10 < ${limit} * 9`,
  });
}

/**
 * The same, of MACs, a network at a time, whose id is the event's subject. Goes before the counts are changed.
 *
 * @param which the networks, as a condition on rows of `networks`; `coming`: how many MACs each is about to get, likewise
 */
export function recordMacsNear(db: Database, tenantId: string, which: SQL, coming: SQL): SQL[] {
  return recordEvent(db, tenantId, {
    kind: 'quota_near',
    subject: sql`near.id`,
    after: sql`json_object('used', near.had + near.coming, 'limit', near.allowed)`,
    from: sql`FROM (SELECT id, mac_count AS had, ${coming} AS coming,
        (SELECT limit_macs_per_network FROM tenants WHERE id = ${tenantId}) AS allowed
        FROM networks WHERE tenant_id = ${tenantId} AND ${which}) AS near
      WHERE near.had * 10 < near.allowed * 9 AND (near.had + near.coming) * 10 >= near.allowed * 9`,
  });
}

function lastNumber(tenantId: string, kind: EventKind): SQL {
  return sql`coalesce((SELECT number FROM events WHERE tenant_id = ${tenantId} AND kind = ${kind} ORDER BY at DESC, id DESC LIMIT 1), 0)`;
}

/** So many of a kind a tenant keeps, the newest: whoever makes many of one kind pushes no other out. */
const KEPT_OF_A_KIND = 20_000;

/** Reads two events where none has to go. Where there are many more, from before there was a bound, they go in several batches. */
function forgetOldest(tenantId: string, kind: EventKind): SQL {
  const ofKind = sql`FROM events WHERE tenant_id = ${tenantId} AND kind = ${kind} ORDER BY at, id`;
  const over = sql`${lastNumber(tenantId, kind)} - coalesce((SELECT number ${ofKind} LIMIT 1), 0) + 1 - ${KEPT_OF_A_KIND}`;
  return sql`DELETE FROM events WHERE id IN (SELECT id ${ofKind} LIMIT min(max(0, ${over}), ${KEPT_OF_A_KIND}))`;
}

function notBeforeTheLast(tenantId: string, now: SQL): SQL {
  return sql`max(${now}, coalesce((SELECT at FROM events WHERE tenant_id = ${tenantId} ORDER BY at DESC LIMIT 1), 0))`;
}

export type EventRow = InferSelectModel<typeof events>;

/** Which events are wanted: all of these. A page goes through the tenant's events until it has enough, or has looked at many. */
export interface EventFilter {
  readonly kind: EventKind | undefined;
  /** Ids. */
  readonly site: string | undefined;
  readonly network: string | undefined;
  readonly search: string | undefined;
}

/** Of a site or network, or of something else that names it. */
function isAbout(id: string, field: 'site' | 'network'): SQL {
  const path = `$.${field}`;
  return sql`(${events.subject} = ${id} OR ${events.actor} ->> '$.id' = ${id} OR ${events.before} ->> ${path} = ${id}
    OR ${events.after} ->> ${path} = ${id})`;
}

/** What its fields are called is no part of it. Both are made small by the store, which knows no case but that of ASCII. */
function mentions(text: string): SQL {
  const has = (where: SQL, what = text): SQL => sql`instr(lower(${where}), lower(${what})) > 0`;
  const plain = sql`${events.kind} || ' ' || ${events.subject} || ' ' || coalesce(${events.address}, '')`;
  const json = sql`${events.actor} || ' ' || coalesce(${events.before}, '') || ' ' || coalesce(${events.after}, '')`;
  const inValues = sql.join(
    [events.actor, events.before, events.after].map(
      (column) => sql`EXISTS (SELECT 1 FROM json_tree(${column}) t WHERE t.atom IS NOT NULL AND ${has(sql`t.atom`)})`,
    ),
    sql` OR `,
  );
  // Few have it anywhere in their text: only of those is the text taken apart.
  return sql`(${has(plain)} OR (${has(json, JSON.stringify(text).slice(1, -1))} AND (${inValues})))`;
}

interface EventRange {
  readonly order: 'oldest' | 'newest';
  readonly since: EventPosition | null;
  /** The place after which the list begins, in its order; null for the beginning. */
  readonly after: EventPosition | null;
}

/** So many events are looked at for one page: a search for what is rare would hold up everybody else. */
const MAX_LOOKED_AT = 20_000;

/** @returns the last place that one page with a filter may look at; null where there are no more events than it may. */
export async function lastLookedAt(db: Database, tenantId: string, range: EventRange): Promise<EventPosition | null> {
  const [last] = await db
    .select({ at: events.at, number: events.id })
    .from(events)
    .where(within(tenantId, range))
    .orderBy(...inOrder(range))
    .limit(1)
    .offset(MAX_LOOKED_AT - 1);
  return last ?? null;
}

/** @param upTo the last place of the list, in its order; null for the end. */
export async function listEvents(
  db: Database,
  tenantId: string,
  want: EventRange & EventFilter & { readonly upTo: EventPosition | null; readonly limit: number },
): Promise<EventRow[]> {
  const { order, upTo, kind, site, network, search } = want;
  return db
    .select()
    .from(events)
    .where(
      and(
        within(tenantId, want),
        upTo === null ? undefined : sql`${PLACE} ${sql.raw(order === 'oldest' ? '<=' : '>=')} ${placeOf(upTo)}`,
        kind === undefined ? undefined : eq(events.kind, kind),
        site === undefined ? undefined : isAbout(site, 'site'),
        network === undefined ? undefined : isAbout(network, 'network'),
        search === undefined ? undefined : mentions(search),
      ),
    )
    .orderBy(...inOrder(want))
    .limit(want.limit);
}

const PLACE = sql`(${events.at}, ${events.id})`;

function placeOf({ at, number }: EventPosition): SQL {
  return sql`(${at}, ${number})`;
}

function within(tenantId: string, { order, since, after }: EventRange): SQL | undefined {
  return and(
    eq(events.tenantId, tenantId),
    since === null ? undefined : sql`${PLACE} > ${placeOf(since)}`,
    after === null ? undefined : sql`${PLACE} ${sql.raw(order === 'oldest' ? '>' : '<')} ${placeOf(after)}`,
  );
}

function inOrder({ order }: EventRange): SQL[] {
  return order === 'oldest' ? [asc(events.at), asc(events.id)] : [desc(events.at), desc(events.id)];
}

/**
 * Forgets events from before `before` (milliseconds since 1970): the oldest first, so that none of them is looked for.
 *
 * @returns how many; `limit` means there may be more.
 */
export async function purgeEvents(db: Database, before: number, limit: number = PURGE_LIMIT): Promise<number> {
  const gone = await db.all(
    // Where the oldest event may stay none is due, and that one row is all that is read.
    sql`DELETE FROM events WHERE at < ${before} AND id IN (SELECT id FROM events ORDER BY id
      LIMIT (CASE WHEN (SELECT at FROM events ORDER BY id LIMIT 1) < ${before} THEN ${limit} ELSE 0 END)) RETURNING 1`,
  );
  return gone.length;
}
