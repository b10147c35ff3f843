/** A tenant's sites and networks and which carries which, all in one answer, small enough for hundreds of sites. */
import * as v from 'valibot';
import { SiteSchema } from './sites.ts';
import { TransportSchema } from './wireguard.ts';

/**
 * How a site stands in a network, by what its agent last said; an attachment has the index into this. `behind`: changes are not applied
 * yet. `differs`: all are, and its table is not the registry's. `unknown`: it has said nothing of it yet. `none`: nobody is asked, since
 * the site is static or disabled.
 */
export const STEP_STATES = ['in_step', 'behind', 'differs', 'error', 'unknown', 'none'] as const;
export type StepState = (typeof STEP_STATES)[number];

const { networks: _, wireguard: __, ...site } = SiteSchema.entries;

export const TopologySchema = v.object({
  /** The tenant's. */
  revision: v.number(),
  /** By name. */
  sites: v.array(
    v.object({
      ...site,
      /** Whether it has published a WireGuard key: without one it carries nothing of an encrypted network. */
      encrypts: v.optional(v.boolean()),
    }),
  ),
  /** By name. `macs`: how many its MAC/IP table has. */
  networks: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      vni: v.number(),
      subnet: v.optional(v.string()),
      description: v.optional(v.string()),
      macs: v.number(),
      transport: v.optional(TransportSchema, 'plain'),
      revision: v.number(),
    }),
  ),
  /** The index of the site, of the network, and of the state in `STEP_STATES`. */
  attachments: v.array(v.tuple([v.number(), v.number(), v.number()])),
});
export type Topology = v.InferOutput<typeof TopologySchema>;
