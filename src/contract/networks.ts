import * as v from 'valibot';
import { DescriptionSchema, MtuSchema, MulticastIpSchema, NameSchema, SubnetSchema, VniSchema } from './primitives.ts';
import { AntiSpoofSchema, FloodSchema } from './table.ts';

/** What is left of an Ethernet MTU of 1500 after VXLAN over IPv4; an agent lowers it where its underlay leaves less. */
export const DEFAULT_MTU = 1450;

const settings = {
  mtu: v.optional(MtuSchema),
  subnet: v.optional(v.nullable(SubnetSchema)),
  description: v.optional(v.nullable(DescriptionSchema)),
  antiSpoof: v.optional(AntiSpoofSchema),
  arpSuppression: v.optional(v.boolean('must be true or false')),
  flood: v.optional(FloodSchema),
  multicastGroup: v.optional(v.nullable(MulticastIpSchema)),
};

export const NetworkCreateSchema = v.strictObject({ name: NameSchema, vni: v.optional(VniSchema), ...settings });
export type NetworkCreate = v.InferOutput<typeof NetworkCreateSchema>;

/** A network keeps its VNI for life: to change it, make a new one. */
export const NetworkPatchSchema = v.strictObject({ name: v.optional(NameSchema), ...settings });
export type NetworkPatch = v.InferOutput<typeof NetworkPatchSchema>;

export const NetworkSchema = v.object({
  id: v.string(),
  name: v.string(),
  vni: v.number(),
  mtu: v.number(),
  subnet: v.optional(v.string()),
  description: v.optional(v.string()),
  antiSpoof: AntiSpoofSchema,
  arpSuppression: v.boolean(),
  flood: FloodSchema,
  multicastGroup: v.optional(v.string()),
  /** How many its MAC/IP table has. */
  macs: v.number(),
  /** The tenant's revision at which this network's table last changed. */
  revision: v.number(),
  createdAt: v.string(),
});
export type Network = v.InferOutput<typeof NetworkSchema>;
