/** Where a site's network comes out on its host. The same on every datapath. */
import * as v from 'valibot';

/** `IFNAMSIZ` (linux/if.h) is 16 with the closing NUL. */
const INTERFACE_MESSAGE =
  'must be an interface name of 1 to 15 characters, without spaces, slashes, colons or percent signs';
export const InterfaceNameSchema = v.pipe(
  v.string(INTERFACE_MESSAGE),
  v.regex(/^(?!\.{1,2}$)[!-$&-.0-9;-~]{1,15}$/, INTERFACE_MESSAGE),
);

const VID_MESSAGE = 'must be a VLAN id: a whole number from 1 to 4094';
const VidSchema = v.pipe(
  v.number(VID_MESSAGE),
  v.integer(VID_MESSAGE),
  v.minValue(1, VID_MESSAGE),
  v.maxValue(4094, VID_MESSAGE),
);

/** An interface of that name appears on the host. */
const HOST = { type: v.literal('host'), name: InterfaceNameSchema };
/** Joins the bridge of that name, which is there already. */
const BRIDGE = { type: v.literal('bridge'), name: InterfaceNameSchema };
/** The frames of one VLAN of a trunk. */
const VLAN = { type: v.literal('vlan'), interface: InterfaceNameSchema, vid: VidSchema };
/** A static site: no agent, so no port of ours. */
const NONE = { type: v.literal('none') };

const PORT_MESSAGE =
  'must be a port: {type: "host", name}, {type: "bridge", name}, {type: "vlan", interface, vid} or {type: "none"}';

/** As people say it. */
export const PortSchema = v.variant(
  'type',
  [v.strictObject(HOST), v.strictObject(BRIDGE), v.strictObject(VLAN), v.strictObject(NONE)],
  PORT_MESSAGE,
);
export type PortSpec = v.InferOutput<typeof PortSchema>;

/** As a gateway says it, which may know more of it. */
export const ToldPortSchema = v.variant('type', [v.object(HOST), v.object(BRIDGE), v.object(VLAN), v.object(NONE)]);
