/** What the paths between a tenant's sites are like, each as both ends see it. */
import * as v from 'valibot';
import { pathEntries } from './path-report.ts';
import { SITE_KINDS } from './sites.ts';
import { TransportSchema } from './wireguard.ts';

const SeenSchema = v.object({ ...pathEntries, reportedAt: v.string() });
export type PathSeen = v.InferOutput<typeof SeenSchema>;

export const PathsSchema = v.object({
  /** One for each other site and transport, by name. */
  items: v.array(
    v.object({
      site: v.object({ id: v.string(), name: v.string(), kind: v.picklist(SITE_KINDS) }),
      transport: TransportSchema,
      /** As the site that was asked for sees it, and as the other one does; absent where that has not said so. */
      there: v.optional(SeenSchema),
      back: v.optional(SeenSchema),
    }),
  ),
});
export type Paths = v.InferOutput<typeof PathsSchema>;
