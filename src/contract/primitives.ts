/** The small values that bodies are made of. Every message says what would be right. */
import * as v from 'valibot';
import { canonicalIp, isMulticastIp, isUnicastIp, parseIp } from './ip.ts';
import { formatMac, isGroupMac, type Mac, parseMac } from './mac.ts';

/** A VNI is 24 bits (RFC 7348 §5); 0 is not given to anyone, since some equipment takes it for "none". */
export const VNI_MIN = 1;
export const VNI_MAX = 2 ** 24 - 1;
const VNI_MESSAGE = `must be a whole number from ${VNI_MIN} to ${VNI_MAX}`;
export const VniSchema = v.pipe(
  v.number(VNI_MESSAGE),
  v.integer(VNI_MESSAGE),
  v.minValue(VNI_MIN, VNI_MESSAGE),
  v.maxValue(VNI_MAX, VNI_MESSAGE),
);

/** The smallest MTU IPv4 allows a link (RFC 791), and the largest an IP packet's length field can say. */
export const MTU_MIN = 576;
export const MTU_MAX = 65_535;
const MTU_MESSAGE = `must be a whole number of bytes from ${MTU_MIN} to ${MTU_MAX}`;
export const MtuSchema = v.pipe(
  v.number(MTU_MESSAGE),
  v.integer(MTU_MESSAGE),
  v.minValue(MTU_MIN, MTU_MESSAGE),
  v.maxValue(MTU_MAX, MTU_MESSAGE),
);

const UDP_PORT_MESSAGE = 'must be a whole number from 1 to 65535';
export const UdpPortSchema = v.pipe(
  v.number(UDP_PORT_MESSAGE),
  v.integer(UDP_PORT_MESSAGE),
  v.minValue(1, UDP_PORT_MESSAGE),
  v.maxValue(65_535, UDP_PORT_MESSAGE),
);

/** The port IANA gave VXLAN (RFC 7348 §5). */
export const VXLAN_PORT = 4789;

const SLUG_MESSAGE =
  'must be 1 to 63 lower-case letters, digits and hyphens, starting and ending with a letter or digit';
export const SlugSchema = v.pipe(v.string(SLUG_MESSAGE), v.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, SLUG_MESSAGE));

/** Names stand in URLs and on command lines, so they take no spaces. */
const NAME_MESSAGE =
  'must be 1 to 63 letters, digits, dots, hyphens and underscores, starting and ending with a letter or digit (no spaces)';
export const NameSchema = v.pipe(
  v.string(NAME_MESSAGE),
  v.regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, NAME_MESSAGE),
);

const TITLE_MESSAGE = 'must be 1 to 200 characters';
export const TitleSchema = v.pipe(
  v.string(TITLE_MESSAGE),
  v.trim(),
  v.minLength(1, TITLE_MESSAGE),
  v.maxLength(200, TITLE_MESSAGE),
);
const DESCRIPTION_MESSAGE = 'must be text of at most 1000 characters';
export const DescriptionSchema = v.pipe(v.string(DESCRIPTION_MESSAGE), v.maxLength(1000, DESCRIPTION_MESSAGE));

const IP_MESSAGE = 'must be an IPv4 or IPv6 address, such as 192.0.2.1 or 2001:db8::1';
const IpSchema = v.pipe(
  v.string(IP_MESSAGE),
  v.check((text) => canonicalIp(text) !== null, IP_MESSAGE),
  v.transform((text) => canonicalIp(text) ?? text),
);
/** One host's address in canonical text. */
export const UnicastIpSchema = v.pipe(
  IpSchema,
  v.check((text) => isUnicastIp(parseIp(text)!), 'must be one host’s address, not multicast, broadcast or unspecified'),
);
/** A multicast group in canonical text. */
export const MulticastIpSchema = v.pipe(
  IpSchema,
  v.check((text) => isMulticastIp(parseIp(text)!), 'must be a multicast address, such as 239.1.1.1 or ff05::1'),
);

const SUBNET_MESSAGE = 'must be a subnet such as 10.20.0.0/24 or 2001:db8:1::/64';
/** A prefix in canonical text; host bits are refused, since they are more often a mistake than a wish. */
export const SubnetSchema = v.pipe(
  v.string(SUBNET_MESSAGE),
  v.check((text) => canonicalSubnet(text) !== null, SUBNET_MESSAGE),
  v.transform((text) => canonicalSubnet(text) ?? text),
);

const MAC_MESSAGE = 'must be a unicast MAC address such as 02:00:00:00:00:0a';
export const MacSchema = v.pipe(
  v.string(MAC_MESSAGE),
  v.check((text) => {
    const mac = parseMac(text);
    return mac !== null && mac !== 0 && !isGroupMac(mac);
  }, MAC_MESSAGE),
  v.transform((text) => formatMac(parseMac(text) as Mac)),
);

const TIME_MESSAGE = 'must be an RFC 3339 time such as 2026-12-31T23:59:59Z';
/** A time; kept and shown in UTC. */
export const TimeSchema = v.pipe(
  v.string(TIME_MESSAGE),
  v.check((text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)), TIME_MESSAGE),
  v.transform((text) => new Date(text).toISOString()),
);

const LABEL_MESSAGE = 'must be text of at most 200 characters';
/** Free labels on a site: at most 32. */
export const LabelsSchema = v.pipe(
  v.record(NameSchema, v.pipe(v.string(LABEL_MESSAGE), v.maxLength(200, LABEL_MESSAGE)), 'must be an object of texts'),
  v.check((labels) => Object.keys(labels).length <= 32, 'must have at most 32 labels'),
);

function canonicalSubnet(text: string): string | null {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = canonicalIp(match?.[1] ?? '');
  if (match === null || address === null) return null;
  const bytes = parseIp(address)!;
  const bits = Number(match[2]);
  if (bits > bytes.length * 8) return null;
  for (let bit = bits; bit < bytes.length * 8; bit++) {
    if ((bytes[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) return null;
  }
  return `${address}/${bits}`;
}
