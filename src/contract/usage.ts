import * as v from 'valibot';

const AmountSchema = v.object({ used: v.number(), limit: v.number() });

/** What a tenant has of what it may have. Each network has as many MACs at most as `limits.macsPerNetwork` says. */
export const UsageSchema = v.object({ networks: AmountSchema, sites: AmountSchema });
export type Usage = v.InferOutput<typeof UsageSchema>;
