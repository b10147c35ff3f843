/**
 * What goes over `GET /v1/tenants/{tenant}/live`, a WebSocket: the tenant as it moves, for people who look at it.
 *
 * Losing it loses nothing: whoever connects anew is told the revision, fetches what may have changed, and asks for the events since the
 * last one it has. The client keeps it alive by `PING` (see watch.ts) and says nothing else.
 */
import * as v from 'valibot';
import { EventSchema } from './events.ts';
import { NetworkTrafficSchema } from './traffic.ts';

export const LiveSchema = v.variant('type', [
  /** First of all: the tenant's revision. */
  v.object({ type: v.literal('hello'), revision: v.number() }),
  /** Something was changed: fetch anew what is shown. */
  v.object({ type: v.literal('changed'), revision: v.number() }),
  v.object({ type: v.literal('event'), event: EventSchema }),
  /** The site's agent connected, or is gone for longer than it takes to connect anew. */
  v.object({ type: v.literal('site'), site: v.string(), status: v.picklist(['online', 'offline']) }),
  /** Totals of the sites that said theirs since the last such message; milliseconds since 1970, by the gateway's clock. */
  v.object({
    type: v.literal('traffic'),
    at: v.number(),
    sites: v.array(v.object({ site: v.string(), networks: v.array(NetworkTrafficSchema) })),
  }),
]);
export type Live = v.InferOutput<typeof LiveSchema>;
