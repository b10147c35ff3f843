import * as v from 'valibot';
import { SlugSchema, TimeSchema, TitleSchema } from './primitives.ts';
import { TransportSchema } from './wireguard.ts';

const LIMIT_MESSAGE = 'must be a whole number from 0 to 10000000';
export const LimitSchema = v.pipe(
  v.number(LIMIT_MESSAGE),
  v.integer(LIMIT_MESSAGE),
  v.minValue(0, LIMIT_MESSAGE),
  v.maxValue(10_000_000, LIMIT_MESSAGE),
);

export const DEFAULT_LIMITS = { networks: 100, sites: 100, macsPerNetwork: 10_000 } as const;

export const LimitsSchema = v.object({ networks: v.number(), sites: v.number(), macsPerNetwork: v.number() });

const LimitsPatchSchema = v.strictObject({
  networks: v.optional(LimitSchema),
  sites: v.optional(LimitSchema),
  macsPerNetwork: v.optional(LimitSchema),
});

export const TenantCreateSchema = v.strictObject({
  slug: SlugSchema,
  name: TitleSchema,
  limits: v.optional(LimitsPatchSchema),
  /** `wireguard`: all of its networks must be encrypted. */
  transport: v.optional(TransportSchema),
});
export type TenantCreate = v.InferOutput<typeof TenantCreateSchema>;

export const TenantPatchSchema = v.strictObject({
  name: v.optional(TitleSchema),
  limits: v.optional(LimitsPatchSchema),
  transport: v.optional(TransportSchema),
});
export type TenantPatch = v.InferOutput<typeof TenantPatchSchema>;

export const TenantSchema = v.object({
  id: v.string(),
  slug: v.string(),
  name: v.string(),
  limits: LimitsSchema,
  /** What networks are made with unless said; where it is `wireguard`, none may be plain. */
  transport: v.optional(TransportSchema, 'plain'),
  /** Goes up by one with every change in the tenant. */
  revision: v.number(),
  createdAt: v.string(),
});
export type Tenant = v.InferOutput<typeof TenantSchema>;

export const ROLES = ['admin', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

export const ApiKeyCreateSchema = v.strictObject({
  name: TitleSchema,
  role: v.picklist(ROLES, 'must be "admin" or "viewer"'),
  expiresAt: v.optional(TimeSchema),
});
export type ApiKeyCreate = v.InferOutput<typeof ApiKeyCreateSchema>;

export const ApiKeySchema = v.object({
  id: v.string(),
  name: v.string(),
  role: v.picklist(ROLES),
  expiresAt: v.optional(v.string()),
  createdAt: v.string(),
});
export type ApiKey = v.InferOutput<typeof ApiKeySchema>;

const OVERLAP_MESSAGE = `must be a whole number of seconds from 0 to ${30 * 24 * 3600}`;

/** For how long the old key goes on working beside the new one; 0 ends it at once. */
export const ApiKeyRotateSchema = v.strictObject({
  overlapSeconds: v.pipe(
    v.number(OVERLAP_MESSAGE),
    v.integer(OVERLAP_MESSAGE),
    v.minValue(0, OVERLAP_MESSAGE),
    v.maxValue(30 * 24 * 3600, OVERLAP_MESSAGE),
  ),
});

/** The answer to creating a key: the only one that ever carries it. */
export const ApiKeyCreatedSchema = v.object({ ...ApiKeySchema.entries, key: v.string() });
export type ApiKeyCreated = v.InferOutput<typeof ApiKeyCreatedSchema>;
