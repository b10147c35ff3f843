/**
 * The table: all that control and data path say to each other, and all that the gateway says to an agent.
 *
 * It comes as a snapshot (the whole truth) or as a delta (what changed from one cursor to another); which of the two it is is never
 * unclear, and an empty list means none, never "unchanged".
 */
import * as v from 'valibot';
import { ToldPortSchema } from './port.ts';
import { MacSchema, MtuSchema, MulticastIpSchema, UdpPortSchema, UnicastIpSchema, VniSchema } from './primitives.ts';
import { TunnelEndSchema } from './wireguard.ts';

export const FLOOD_MODES = ['headend', 'multicast', 'none'] as const;
export const ANTI_SPOOF_MODES = ['vtep', 'strict', 'off'] as const;
export type FloodMode = (typeof FLOOD_MODES)[number];
export type AntiSpoofMode = (typeof ANTI_SPOOF_MODES)[number];

export const FloodSchema = v.picklist(FLOOD_MODES, 'must be "headend", "multicast" or "none"');
export const AntiSpoofSchema = v.picklist(ANTI_SPOOF_MODES, 'must be "vtep", "strict" or "off"');

/** A peer: where a site of the network takes VXLAN. */
export const VtepSchema = v.object({
  site: v.string(),
  address: UnicastIpSchema,
  port: UdpPortSchema,
  /** Where the transport is `wireguard`: the ends of its tunnel. The first one's address is `address`; from the others it may send too. */
  wireguard: v.optional(v.array(TunnelEndSchema)),
});
export type Vtep = v.InferOutput<typeof VtepSchema>;

/**
 * One row of the MAC/IP table. `seq` is the gateway's: the tenant's revision at which the row last changed, so the higher one is the newer
 * and two sites can't tie. A site is given its own rows too, whose `site` is then none of `vteps`.
 */
export const MacRowSchema = v.object({
  mac: MacSchema,
  ip: v.optional(UnicastIpSchema),
  site: v.string(),
  seq: v.pipe(v.number(), v.integer(), v.minValue(0)),
  sticky: v.boolean(),
});
export type MacRow = v.InferOutput<typeof MacRowSchema>;

const RevisionSchema = v.pipe(v.number(), v.integer(), v.minValue(0));

const networkEntries = {
  vni: VniSchema,
  /** The network's id, and its name for people. */
  network: v.string(),
  name: v.string(),
  mtu: MtuSchema,
  port: ToldPortSchema,
  flood: FloodSchema,
  multicastGroup: v.optional(MulticastIpSchema),
  antiSpoof: AntiSpoofSchema,
  arpSuppression: v.boolean(),
  /**
   * What carries its VXLAN: absent is `plain`. An agent that can't do what it says must carry nothing. A network whose transport changed
   * is told in full.
   */
  transport: v.optional(v.string()),
  /** The tenant's revision at which this table last changed, and the digest of it once applied. */
  revision: RevisionSchema,
  digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  /** Every other site that carries the network: never the site that asks. */
  vteps: v.array(VtepSchema),
  macs: v.array(MacRowSchema),
};

/** One network in full. */
export const NetworkTableSchema = v.object(networkEntries);
export type NetworkTable = v.InferOutput<typeof NetworkTableSchema>;

/** One network's change: `vteps` and `macs` are set, what `gone` names is removed (first). The other fields are always in full. */
export const NetworkChangeSchema = v.object({
  ...networkEntries,
  gone: v.optional(v.object({ vteps: v.array(v.string()), macs: v.array(MacSchema) })),
  /** Somebody asked for all that `gone.vteps` names to go. */
  intended: v.optional(v.literal(true)),
});
export type NetworkChange = v.InferOutput<typeof NetworkChangeSchema>;

export const CursorSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const SnapshotSchema = v.object({
  kind: v.literal('snapshot'),
  cursor: CursorSchema,
  networks: v.array(NetworkTableSchema),
});
export type Snapshot = v.InferOutput<typeof SnapshotSchema>;

export const DeltaSchema = v.object({
  kind: v.literal('delta'),
  from: CursorSchema,
  cursor: CursorSchema,
  networks: v.array(NetworkChangeSchema),
  /** Networks that the site no longer carries. Applied before `networks`, so that a number given anew is not lost. */
  goneNetworks: v.optional(v.array(VniSchema)),
  /** Somebody asked for all that `goneNetworks` names to go. */
  intended: v.optional(v.literal(true)),
});
export type Delta = v.InferOutput<typeof DeltaSchema>;

export const TableUpdateSchema = v.variant('kind', [SnapshotSchema, DeltaSchema]);
export type TableUpdate = v.InferOutput<typeof TableUpdateSchema>;
