/** What an agent reports of the paths to its peers, by probes on the way that frames take. */
import * as v from 'valibot';
import { TransportSchema } from './wireguard.ts';

export const PATH_STATES = ['reachable', 'silent', 'unreachable'] as const;
export type PathState = (typeof PATH_STATES)[number];

/** How many a report names at most. */
export const MAX_REPORTED_PATHS = 1000;

const count = v.pipe(
  v.number('must be a number'),
  v.integer('must be a whole number'),
  v.minValue(0, 'must not be negative'),
);
const bytes = v.pipe(count, v.maxValue(65_535, 'must be at most 65535'));

/** As one site sees it: what it sends to the other. */
export const pathEntries = {
  /** `silent`: it never gave an answer, as static VTEPs don't. `unreachable`: it did, and the last ten probes were lost. */
  state: v.picklist(PATH_STATES, `must be ${PATH_STATES.map((state) => `"${state}"`).join(', ')}`),
  /** The smoothed round trip, in milliseconds. */
  rttMs: v.optional(
    v.pipe(v.number('must be a number'), v.finite('must be finite'), v.minValue(0, 'must not be negative')),
  ),
  /** How many of the last probes were lost. */
  asked: count,
  lost: count,
  /** The largest packet that came there, in bytes of IP packet; and what the networks need. */
  mtu: v.optional(bytes),
  neededMtu: bytes,
  /** False where that does not pass; absent while it is not known. */
  carriesNeeded: v.optional(v.boolean('must be true or false')),
  /** Whether anything of the other came here lately. */
  hears: v.boolean('must be true or false'),
};

/** One path in a site's report. */
export const PathReportSchema = v.object({
  /** The other site's id. */
  site: v.pipe(v.string('must be the id of a site'), v.maxLength(100, 'must be the id of a site')),
  transport: v.optional(TransportSchema, 'plain'),
  ...pathEntries,
});
export type PathReport = v.InferOutput<typeof PathReportSchema>;
