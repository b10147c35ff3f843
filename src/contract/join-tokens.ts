import * as v from 'valibot';
import { PortSchema } from './port.ts';
import { LabelsSchema, NameSchema, TitleSchema } from './primitives.ts';

export const DEFAULT_TOKEN_SECONDS = 24 * 3600;
export const MAX_TOKEN_SECONDS = 365 * 24 * 3600;

const USES_MESSAGE = 'must be a whole number of uses from 1 to 100000';
const SECONDS_MESSAGE = `must be a whole number of seconds from 1 to ${MAX_TOKEN_SECONDS}`;

export const MaxUsesSchema = v.pipe(
  v.number(USES_MESSAGE),
  v.integer(USES_MESSAGE),
  v.minValue(1, USES_MESSAGE),
  v.maxValue(100_000, USES_MESSAGE),
);

export const JoinTokenCreateSchema = v.strictObject({
  name: v.optional(TitleSchema),
  /** How many sites may be enrolled with it; one unless said. */
  maxUses: v.optional(MaxUsesSchema),
  expiresInSeconds: v.optional(
    v.pipe(
      v.number(SECONDS_MESSAGE),
      v.integer(SECONDS_MESSAGE),
      v.minValue(1, SECONDS_MESSAGE),
      v.maxValue(MAX_TOKEN_SECONDS, SECONDS_MESSAGE),
    ),
  ),
  /** What a site that enrols with it is attached to at once. */
  networks: v.optional(
    v.pipe(
      v.array(v.strictObject({ network: NameSchema, port: PortSchema }), 'must be a list of {network, port}'),
      v.maxLength(100, 'must name at most 100 networks'),
    ),
  ),
  labels: v.optional(LabelsSchema),
});
export type JoinTokenCreate = v.InferOutput<typeof JoinTokenCreateSchema>;

export const JoinTokenSchema = v.object({
  id: v.string(),
  name: v.optional(v.string()),
  maxUses: v.number(),
  uses: v.number(),
  expiresAt: v.string(),
  networks: v.array(v.object({ network: v.string(), port: PortSchema })),
  labels: v.record(v.string(), v.string()),
  createdAt: v.string(),
});
export type JoinToken = v.InferOutput<typeof JoinTokenSchema>;

/** The answer to creating a token: the only one that ever carries it. */
export const JoinTokenCreatedSchema = v.object({ ...JoinTokenSchema.entries, token: v.string() });
