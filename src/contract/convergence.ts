/** Is everyone in step? What a script asks after a change, until the answer is yes. */
import * as v from 'valibot';

const REVISION_MESSAGE = 'must be a revision: a whole number, 0 or more';

export const ConvergenceQuerySchema = v.strictObject({
  /** Unless said, the network's current one. */
  revision: v.optional(
    v.pipe(v.string(REVISION_MESSAGE), v.regex(/^\d{1,15}$/, REVISION_MESSAGE), v.transform(Number)),
  ),
});

export const ConvergenceSchema = v.object({
  /** The tenant's revision that was asked for. */
  revision: v.number(),
  /** True where every site below is in step. */
  converged: v.boolean(),
  /** The sites with an agent that carry the network, by name, but those that are disabled. */
  sites: v.array(
    v.object({
      site: v.string(),
      name: v.string(),
      /** True where the site has applied all that was changed in this network up to the revision. */
      inStep: v.boolean(),
      /** Absent where it has not said anything of this network yet. */
      appliedRevision: v.optional(v.number()),
      /** How many revisions lie between what it has and what it should have by now. */
      lag: v.optional(v.number()),
      /** Whether its table has the registry's digest; false also while it lags. */
      digestMatch: v.optional(v.boolean()),
      online: v.boolean(),
    }),
  ),
});
export type Convergence = v.InferOutput<typeof ConvergenceSchema>;
