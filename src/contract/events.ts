/** What happened in a tenant: who changed what, from where, before and after; and what happened by itself. */
import * as v from 'valibot';
import { PageQuerySchema, SearchSchema } from './pages.ts';
import { NameSchema, TimeSchema } from './primitives.ts';

/** A closed set, like the errors: clients branch on it. */
export const EVENT_KINDS = [
  'tenant_created',
  'tenant_changed',
  'tenant_deleted',
  'api_key_created',
  'api_key_rotated',
  'api_key_deleted',
  'vni_pool_created',
  'vni_pool_deleted',
  'vni_released',
  'network_created',
  'network_changed',
  'network_deleted',
  'join_token_created',
  'join_token_deleted',
  'site_created',
  'site_enrolled',
  'site_changed',
  'site_deleted',
  'site_key_rotated',
  'site_attached',
  'site_detached',
  'mac_set',
  'mac_deleted',
  'mac_moved',
  'mac_frozen',
  'mac_unfrozen',
  'removal_held',
  'site_online',
  'site_offline',
  'quota_near',
  'session_created',
  'session_ended',
  'member_created',
  'member_changed',
  'member_deleted',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

const SINCE_MESSAGE = 'must be the id of an event, or an RFC 3339 time such as 2026-12-31T23:59:59Z';
const EVENT_ID = /^(\d{1,15})-(\d{1,15})$/;

/** Where a list of events begins: after an event, or at a time (milliseconds since 1970). */
export interface EventPosition {
  readonly at: number;
  /** Zero is before every event of that time. */
  readonly number: number;
}

/** @returns the position, or null where `text` is no event's id. */
export function parseEventId(text: string): EventPosition | null {
  const id = EVENT_ID.exec(text);
  return id === null ? null : { at: Number(id[1]), number: Number(id[2]) };
}

export function formatEventId({ at, number }: EventPosition): string {
  return `${at}-${number}`;
}

export const EventsQuerySchema = v.strictObject({
  ...PageQuerySchema.entries,
  /** After this event, or from this time on; from the beginning unless said. */
  since: v.optional(
    v.pipe(
      v.string(SINCE_MESSAGE),
      v.check((text) => positionOf(text) !== null, SINCE_MESSAGE),
      v.transform((text) => positionOf(text)!),
    ),
  ),
  kind: v.optional(v.picklist(EVENT_KINDS, `must be one of ${EVENT_KINDS.join(', ')}`)),
  /** The id of a site or network that the event is about, or that did it. */
  site: v.optional(NameSchema),
  network: v.optional(NameSchema),
  /** A part of who did it, of what it is about, or of what it was or became. */
  search: v.optional(SearchSchema),
  order: v.optional(v.picklist(['oldest', 'newest'], 'must be "oldest" or "newest"'), 'oldest'),
});

export const ACTOR_KINDS = ['operator', 'key', 'member', 'site', 'system'] as const;

/** Who did it: a key, a person and a site by id and name, the operator and the gateway itself as they are. */
export const ActorSchema = v.object({
  kind: v.picklist(ACTOR_KINDS),
  id: v.optional(v.string()),
  name: v.optional(v.string()),
});
export type Actor = v.InferOutput<typeof ActorSchema>;

export const EventSchema = v.object({
  /** Grows from event to event of a tenant; `?since=` takes it. */
  id: v.string(),
  at: v.string(),
  kind: v.picklist(EVENT_KINDS),
  /** The tenant's revision as of the event. */
  revision: v.number(),
  actor: ActorSchema,
  /** The IP address that the request came from, and its id. */
  address: v.optional(v.string()),
  requestId: v.optional(v.string()),
  /** The id of what it is about: a network, a site, a key, a MAC address. */
  subject: v.string(),
  /** What it was and what it became, without secrets; neither where there was or is nothing. */
  before: v.optional(v.unknown()),
  after: v.optional(v.unknown()),
});
export type Event = v.InferOutput<typeof EventSchema>;

function positionOf(text: string): EventPosition | null {
  const position = parseEventId(text);
  if (position !== null) return position;
  const time = v.safeParse(TimeSchema, text);
  return time.success ? { at: Date.parse(time.output), number: 0 } : null;
}
