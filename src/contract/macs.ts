/** The MAC/IP table of a network: what agents say of the stations on their ports, and what people set and see. */
import * as v from 'valibot';
import type { ErrorCode } from './errors.ts';
import { PageQuerySchema, SearchSchema } from './pages.ts';
import { MacSchema, NameSchema, UnicastIpSchema, VniSchema } from './primitives.ts';

/** In one call, announced and withdrawn together: an agent with more makes more calls. */
export const MAX_MACS_PER_CALL = 5000;

const LIST_MESSAGE = 'must be a list';
const LocalMacSchema = v.object({ vni: VniSchema, mac: MacSchema, ip: v.optional(UnicastIpSchema) });
const GoneMacSchema = v.object({ vni: VniSchema, mac: MacSchema });

/** What changed on a site's ports. An IP address that is not said is not known: it takes none away. */
export const MacReportSchema = v.pipe(
  v.object({ announce: v.array(LocalMacSchema, LIST_MESSAGE), withdraw: v.array(GoneMacSchema, LIST_MESSAGE) }),
  v.check(
    ({ announce, withdraw }) => announce.length + withdraw.length <= MAX_MACS_PER_CALL,
    `must name at most ${MAX_MACS_PER_CALL} MAC addresses`,
  ),
  v.check(({ announce, withdraw }) => {
    const named = [...announce, ...withdraw].map(({ vni, mac }) => `${vni} ${mac}`);
    return new Set(named).size === named.length;
  }, 'must name each MAC address of a VNI once'),
);
export type MacReport = v.InferOutput<typeof MacReportSchema>;

/** Why a MAC was not taken; the others of the call are. */
export const MAC_REJECTIONS = [
  'mac_sticky',
  'mac_frozen',
  'quota_exceeded',
  'not_found',
] as const satisfies readonly ErrorCode[];
export type MacRejection = (typeof MAC_REJECTIONS)[number];

/** `cursor` is of the table that has all of it: a pull gives that one or a later. */
export const MacReportedSchema = v.object({
  cursor: v.string(),
  rejected: v.array(v.object({ vni: VniSchema, mac: MacSchema, code: v.picklist(MAC_REJECTIONS) })),
});
export type MacReported = v.InferOutput<typeof MacReportedSchema>;

/** `site` is its id or name, and the site must carry the network. */
export const MacPutSchema = v.strictObject({ site: NameSchema, ip: v.optional(UnicastIpSchema) });

export const MacsQuerySchema = v.strictObject({
  ...PageQuerySchema.entries,
  mac: v.optional(MacSchema),
  ip: v.optional(UnicastIpSchema),
  /** A site's id or name. */
  site: v.optional(NameSchema),
  /** How the MAC or the IP address begins, or a part of the site's name. */
  search: v.optional(SearchSchema),
});

/** A MAC as the registry has it. */
export const MacViewSchema = v.object({
  mac: v.string(),
  ip: v.optional(v.string()),
  /** The site's id, and its name for people. */
  site: v.string(),
  siteName: v.string(),
  /** The tenant's revision at which it last changed: of two, the higher one is the newer. */
  seq: v.number(),
  /** Set by a person: no announcement moves or withdraws it. */
  sticky: v.boolean(),
  /** False where agents are not told of it, since its site is disabled or doesn't carry the network at the moment. */
  live: v.boolean(),
  /** Until when it stays where it is, since it moved too often. */
  frozenUntil: v.optional(v.string()),
});
export type MacView = v.InferOutput<typeof MacViewSchema>;
