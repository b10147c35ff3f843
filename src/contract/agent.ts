/**
 * What an agent sends, and the paths and times both sides keep to. Fields that are not here are passed over: they are a newer agent's
 * (`version.ts`).
 */
import * as v from 'valibot';
import { MAX_REPORTED_PATHS, PathReportSchema } from './path-report.ts';
import { MtuSchema, NameSchema, SlugSchema, UdpPortSchema, UnicastIpSchema, VniSchema } from './primitives.ts';
import { CursorSchema } from './table.ts';

/** A token lives this long at most; clocks may differ by the skew before it is refused. */
export const AGENT_TOKEN_SECONDS = 120;
export const CLOCK_SKEW_SECONDS = 60;
/** How often an agent pulls when nothing tells it to, and how often it reports. */
export const PULL_SECONDS = 5;
export const HEARTBEAT_SECONDS = 30;
/** A site that was silent for this long is offline: two heartbeats missed, and a margin. */
export const OFFLINE_AFTER_SECONDS = 75;
/** The same of an agent that holds a watch socket: it is told of changes, and its going is seen by the socket. */
export const WATCHING_PULL_SECONDS = 3600;
export const WATCHING_HEARTBEAT_SECONDS = 600;
export const WATCHING_OFFLINE_AFTER_SECONDS = 1300;

const PUBLIC_KEY_MESSAGE = 'must be the 32 bytes of an Ed25519 public key in base64url without padding (43 characters)';
export const PublicKeySchema = v.pipe(v.string(PUBLIC_KEY_MESSAGE), v.regex(/^[A-Za-z0-9_-]{43}$/, PUBLIC_KEY_MESSAGE));

const VERSION_MESSAGE = 'must be a version such as 1.2.3';
const VersionSchema = v.pipe(
  v.string(VERSION_MESSAGE),
  v.maxLength(100, VERSION_MESSAGE),
  v.regex(/^\d+\.\d+\.\d+([-+.][0-9A-Za-z.+-]+)?$/, VERSION_MESSAGE),
);

/**
 * The body of `POST /v1/agent/enroll`. The request also carries `Authorization: Bearer <JWT>`, EdDSA by the private half of
 * `publicKey`, with `kid` and `iss` the public key itself and `aud` the gateway's origin: possession, proven.
 */
export const EnrollSchema = v.object({
  token: v.pipe(v.string('must be a join token'), v.regex(/^olj_/, 'must be a join token: it starts with olj_')),
  name: NameSchema,
  publicKey: PublicKeySchema,
  vtep: v.object({ address: v.optional(UnicastIpSchema), port: UdpPortSchema }),
  version: VersionSchema,
});
export type Enroll = v.InferOutput<typeof EnrollSchema>;

/** `site` is the site's id (the `kid` and `iss` of its tokens), `tenant` the tenant's slug, `vtep` what was registered. */
export const EnrolledSchema = v.object({
  site: NameSchema,
  tenant: SlugSchema,
  name: NameSchema,
  vtep: v.object({ address: UnicastIpSchema, port: UdpPortSchema }),
});
export type Enrolled = v.InferOutput<typeof EnrolledSchema>;

/**
 * The body of `POST /v1/agent/key`, whose request is signed by the key that the site has: `proof` is a JWT by the private half of
 * `publicKey`, as an enrolment's, with `sub` the site's id. Done again, by either key, it changes nothing.
 */
export const RotateKeySchema = v.object({
  publicKey: PublicKeySchema,
  proof: v.pipe(v.string('must be a JWT by the new key'), v.maxLength(2000, 'must be a JWT by the new key')),
});
export type RotateKey = v.InferOutput<typeof RotateKeySchema>;

/** Totals since the agent started, by name; drops by reason. One that is not said is 0. */
export const CountersSchema = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(/^[a-zA-Z][a-zA-Z0-9]{0,63}$/, 'counter names are letters and digits')),
    v.pipe(v.number('must be a number'), v.finite('must be a number'), v.minValue(0, 'must not be negative')),
  ),
  v.check((counters) => Object.keys(counters).length <= 100, 'must have at most 100 counters'),
);
export type Counters = v.InferOutput<typeof CountersSchema>;

export const NetworkReportSchema = v.object({
  vni: VniSchema,
  revision: v.pipe(v.number(), v.integer(), v.minValue(0)),
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/, 'must be 12 hex digits')),
  counters: CountersSchema,
  /** How many peers would go by what the gateway said last, though nobody asked for that: the site goes on until it is said again. */
  heldRemovals: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** The MTU in force on its port, in bytes; said where the transport is `wireguard`. */
  mtu: v.optional(MtuSchema),
  /** Why this network is not carried as the table says, in one line. */
  error: v.optional(v.pipe(v.string(), v.maxLength(500))),
});
export type NetworkReport = v.InferOutput<typeof NetworkReportSchema>;

export const HeartbeatSchema = v.object({
  cursor: CursorSchema,
  networks: v.pipe(
    v.array(NetworkReportSchema),
    v.maxLength(10_000),
    v.check((networks) => new Set(networks.map(({ vni }) => vni)).size === networks.length, 'must name each VNI once'),
  ),
  version: VersionSchema,
  /** What the paths to its peers are like. */
  paths: v.optional(
    v.pipe(v.array(PathReportSchema), v.maxLength(MAX_REPORTED_PATHS, `must have at most ${MAX_REPORTED_PATHS} paths`)),
  ),
  /** True where the agent holds a watch socket, and so will not report again for `WATCHING_HEARTBEAT_SECONDS`. */
  watching: v.optional(v.boolean('must be true or false')),
});
export type Heartbeat = v.InferOutput<typeof HeartbeatSchema>;
