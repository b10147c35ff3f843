import * as v from 'valibot';
import { NameSchema, SlugSchema, VniSchema } from './primitives.ts';

/** The pool that is there from the start, open to every tenant; every other pool is carved out of what it has free. */
export const SHARED_POOL = 'shared';

export const VniPoolCreateSchema = v.pipe(
  v.strictObject({
    name: NameSchema,
    first: VniSchema,
    last: VniSchema,
    /** The slug of the one tenant that the pool is for; without it, it is open to all. */
    tenant: v.optional(SlugSchema),
  }),
  v.forward(
    v.check(({ first, last }) => first <= last, 'must not be before first'),
    ['last'],
  ),
);
export type VniPoolCreate = v.InferOutput<typeof VniPoolCreateSchema>;

export const VniPoolSchema = v.object({
  id: v.string(),
  name: v.string(),
  first: v.number(),
  last: v.number(),
  tenant: v.optional(v.string()),
  /** How many of its numbers can be had, are networks', and rest. */
  free: v.number(),
  used: v.number(),
  quarantined: v.number(),
});
export type VniPool = v.InferOutput<typeof VniPoolSchema>;

/** A released number at rest: nobody gets it before `until`. */
export const QuarantinedVniSchema = v.object({
  vni: v.number(),
  /** The tenant that had it, while that is there. */
  tenant: v.optional(v.string()),
  releasedAt: v.string(),
  until: v.string(),
});
export type QuarantinedVni = v.InferOutput<typeof QuarantinedVniSchema>;
