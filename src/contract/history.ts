/** What a tenant, a site, a network, or a network at a site carried, in equal steps of time. */
import * as v from 'valibot';
import { NameSchema, TimeSchema } from './primitives.ts';
import { TrafficSchema } from './traffic.ts';

export const STEP_SECONDS = 600;
/** The step where more than `FINE_SECONDS` are asked for. */
export const LONG_STEP_SECONDS = 3600;
export const FINE_SECONDS = 48 * 3600;
export const KEPT_SECONDS = 31 * 24 * 3600;
export const DEFAULT_SPAN_SECONDS = 24 * 3600;

export const HistoryQuerySchema = v.strictObject({
  /** Ids or names; without either it is of the whole tenant. */
  site: v.optional(NameSchema),
  network: v.optional(NameSchema),
  /** The last day unless said. */
  since: v.optional(TimeSchema),
  until: v.optional(TimeSchema),
});

export const HistorySchema = v.object({
  stepSeconds: v.number(),
  /** One for every step that `since` and `until` touch, in order; the last may not be over yet. What a step has is what was carried in it. */
  points: v.array(
    v.object({
      /** When the step began. */
      at: v.string(),
      ...TrafficSchema.entries,
      /** How many of the sites concerned that have an agent were online, on average; of one site from 0 to 1. */
      online: v.number(),
    }),
  ),
});
export type History = v.InferOutput<typeof HistorySchema>;
