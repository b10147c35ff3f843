import * as v from 'valibot';

const AmountSchema = v.object({ used: v.number(), limit: v.number() });

/** What a tenant has of what it may have; of MACs, how many the network has that has the most. */
export const UsageSchema = v.object({
  networks: AmountSchema,
  sites: AmountSchema,
  macsPerNetwork: AmountSchema,
  /** In use and at rest together, which may be twice its networks. */
  vnis: v.optional(AmountSchema),
  /** How long a VNI rests here once its network is deleted. */
  vniHoldSeconds: v.number(),
});
export type Usage = v.InferOutput<typeof UsageSchema>;
