import * as v from 'valibot';
import { CountersSchema } from './agent.ts';
import { PortSchema } from './port.ts';
import { LabelsSchema, NameSchema, TitleSchema, UdpPortSchema, UnicastIpSchema } from './primitives.ts';
import { TransportSchema, TunnelEndSchema } from './wireguard.ts';

export const SITE_KINDS = ['agent', 'static'] as const;
export type SiteKind = (typeof SITE_KINDS)[number];
export const SITE_STATUSES = ['online', 'offline', 'disabled'] as const;
export type SiteStatus = (typeof SITE_STATUSES)[number];

const VtepAddressSchema = v.strictObject({ address: UnicastIpSchema, port: v.optional(UdpPortSchema) });

/** A site with an agent comes by enrolment; this makes one without: a hardware switch, another system's host. */
export const SiteCreateSchema = v.strictObject({
  name: NameSchema,
  kind: v.literal('static', 'must be "static": a site with an agent is made by its enrolment'),
  vtep: VtepAddressSchema,
  labels: v.optional(LabelsSchema),
  where: v.optional(TitleSchema),
});
export type SiteCreate = v.InferOutput<typeof SiteCreateSchema>;

export const SitePatchSchema = v.strictObject({
  name: v.optional(NameSchema),
  vtep: v.optional(VtepAddressSchema),
  disabled: v.optional(v.boolean('must be true or false')),
  labels: v.optional(LabelsSchema),
  where: v.optional(v.nullable(TitleSchema)),
});
export type SitePatch = v.InferOutput<typeof SitePatchSchema>;

export const AttachSchema = v.strictObject({ port: PortSchema });
export type Attach = v.InferOutput<typeof AttachSchema>;

export const AttachmentSchema = v.object({
  site: v.string(),
  network: v.string(),
  vni: v.number(),
  port: PortSchema,
  revision: v.number(),
});
export type Attachment = v.InferOutput<typeof AttachmentSchema>;

/** One network of a site, with how far the site's agent has come. */
export const SiteNetworkSchema = v.object({
  network: v.string(),
  name: v.string(),
  vni: v.number(),
  port: PortSchema,
  transport: v.optional(TransportSchema, 'plain'),
  /** What its port's interface has, as the agent said it, where the transport is `wireguard`. */
  mtu: v.optional(v.number()),
  /** The revision the site should have applied, the one it said it has, and how many changes lie between. */
  revision: v.number(),
  appliedRevision: v.optional(v.number()),
  lag: v.optional(v.number()),
  digestMatch: v.optional(v.boolean()),
  counters: v.optional(CountersSchema),
  error: v.optional(v.string()),
});

export const SiteSchema = v.object({
  id: v.string(),
  name: v.string(),
  kind: v.picklist(SITE_KINDS),
  status: v.picklist(SITE_STATUSES),
  vtep: v.object({ address: v.string(), port: v.number() }),
  /** The ends of its tunnel, where it published any: peers send to the first. */
  wireguard: v.optional(v.array(TunnelEndSchema)),
  version: v.optional(v.string()),
  lastSeenAt: v.optional(v.string()),
  labels: v.record(v.string(), v.string()),
  where: v.optional(v.string()),
  networks: v.array(SiteNetworkSchema),
  createdAt: v.string(),
});
export type Site = v.InferOutput<typeof SiteSchema>;
