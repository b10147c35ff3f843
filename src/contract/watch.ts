/**
 * What goes over `GET /v1/agent/watch`, a WebSocket: the gateway tells of a change when it commits, so that the agent need not ask.
 *
 * The agent names the cursor of the table it holds, in the query and again (`at`) after every pull. A delta follows on the one before,
 * in order; where it can't, the agent is told `changed` and pulls, and is told nothing more until it says where it is. Losing the socket
 * loses nothing: whoever connects anew pulls once.
 *
 * While somebody looks at the tenant's dashboard, each agent is asked for its traffic, and says it so often for so long.
 *
 * Either side passes over a `type` that it doesn't know: it is a newer one's, who must not need it to be heard.
 */
import * as v from 'valibot';
import { CursorSchema, DeltaSchema } from './table.ts';
import { NetworkTrafficSchema } from './traffic.ts';

/** Keepalives are text, so that a host may answer them without waking anything: the agent asks, the gateway answers. */
export const PING = 'ping';
export const PONG = 'pong';
export const PING_SECONDS = 30;
/** A ping unanswered for so long means that the socket is dead. */
export const PONG_SECONDS = 10;
/** A socket that the gateway heard no ping on for so long is dead to it: two missed, and a margin. */
export const SILENT_SECONDS = 75;

/** Why the gateway closes a socket, as the close code; the reason is the error's code in `ERRORS`. */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_UNAUTHENTICATED = 4401;
export const CLOSE_DISABLED = 4403;
export const CLOSE_MALFORMED = 4400;
export const CLOSE_SILENT = 4408;
export const CLOSE_REPLACED = 4409;
export const CLOSE_RATE_LIMITED = 4429;

/** What the gateway sends. */
export const PushSchema = v.variant('type', [
  v.object({ type: v.literal('delta'), ...DeltaSchema.entries }),
  v.object({
    type: v.literal('changed'),
    /** Pull at a random moment within so many milliseconds, where many are told at once; absent: now. */
    withinMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(60_000))),
  }),
  v.object({
    type: v.literal('traffic'),
    /** Say it now and then so often, for so long; asked again, the later word counts. Zero: no more. */
    everyMs: v.pipe(v.number(), v.minValue(1000), v.maxValue(60_000)),
    forMs: v.pipe(v.number(), v.minValue(0), v.maxValue(600_000)),
  }),
]);
export type Push = v.InferOutput<typeof PushSchema>;

/** In one message: an agent with more networks sends several. */
export const MAX_TRAFFIC_NETWORKS = 200;

/** What the agent sends, beside pings: the cursor of the table that it now holds, and its traffic where it was asked for. */
export const WatcherSaysSchema = v.variant('type', [
  v.object({ type: v.literal('at'), cursor: CursorSchema }),
  v.object({
    type: v.literal('traffic'),
    networks: v.pipe(v.array(NetworkTrafficSchema), v.maxLength(MAX_TRAFFIC_NETWORKS)),
  }),
]);
export type WatcherSays = v.InferOutput<typeof WatcherSaysSchema>;

const KNOWN_TYPES: ReadonlySet<unknown> = new Set(
  [...PushSchema.options, ...WatcherSaysSchema.options].map(({ entries }) => entries.type.literal),
);

/** True of a message that is in form, of a type that is none of these: a newer side's, to be passed over. */
export function isOfUnknownType(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('type' in json)) return false;
  return typeof json.type === 'string' && !KNOWN_TYPES.has(json.type);
}
