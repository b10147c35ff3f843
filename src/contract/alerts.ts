/** What is not well in a tenant at this moment. */
import * as v from 'valibot';

export const ALERT_KINDS = [
  'site_offline',
  'mac_frozen',
  /** A site has applied all changes and its table is still not the registry's. */
  'digest_mismatch',
  /** A site does not come to apply a change. */
  'behind',
  'network_error',
  /** A site goes on with peers that the gateway says are gone, until it is told so again. */
  'removal_held',
  'quota_near',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export const MAX_ALERTS = 500;

const ThingSchema = v.object({ id: v.string(), name: v.string() });

export const AlertsSchema = v.object({
  /** The worst kinds first, as `ALERT_KINDS` has them; at most `MAX_ALERTS`. */
  items: v.array(
    v.object({
      kind: v.picklist(ALERT_KINDS),
      site: v.optional(ThingSchema),
      network: v.optional(ThingSchema),
      mac: v.optional(v.string()),
      /** Absent where it isn't known. */
      since: v.optional(v.string()),
      /** One line for people. */
      detail: v.string(),
    }),
  ),
  /** How many there are, shown or not. */
  total: v.number(),
});
export type Alerts = v.InferOutput<typeof AlertsSchema>;
