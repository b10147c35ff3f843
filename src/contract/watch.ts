/**
 * What goes over `GET /v1/agent/watch`, a WebSocket: the gateway tells of a change when it commits, so that the agent need not ask.
 *
 * The agent names the cursor of the table it holds, in the query and again (`at`) after every pull. A delta follows on the one before,
 * in order; where it can't, the agent is told `changed` and pulls, and is told nothing more until it says where it is. Losing the socket
 * loses nothing: whoever connects anew pulls once.
 */
import * as v from 'valibot';
import { CursorSchema, DeltaSchema } from './table.ts';

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
]);
export type Push = v.InferOutput<typeof PushSchema>;

/** What the agent sends, beside pings: the cursor of the table that it now holds. */
export const WatcherSaysSchema = v.object({ type: v.literal('at'), cursor: CursorSchema });
export type WatcherSays = v.InferOutput<typeof WatcherSaysSchema>;
