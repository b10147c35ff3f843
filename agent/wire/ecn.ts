/**
 * Congestion marks through a tunnel (RFC 6040): the two ECN bits below the DSCP in IPv4's type of service and IPv6's traffic class
 * (RFC 3168 §5).
 */
import { updateChecksum } from './checksum.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from './ethernet.ts';
import { IPV4_CHECKSUM, ipv4HeaderLength } from './ipv4.ts';
import { isIpv6 } from './ipv6.ts';

export const ECN_MASK = 0x03;
export const NOT_ECT = 0;
export const ECT_1 = 1;
export const ECT_0 = 2;
export const CE = 3;

export const MARK_NONE = 0;
export const MARK_TAKEN = 1;
export const MARK_DROP = 2;

/** The DSCP and ECN bits of the IP packet in a frame; 0 where it holds none. */
export function readTrafficClass(view: DataView, frame: number, length: number): number {
  const ip = frame + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  const etherType = readEtherType(view, frame);
  if (etherType === ETHERTYPE_IPV4) return ipv4HeaderLength(view, ip, left) === 0 ? 0 : view.getUint8(ip + 1);
  if (etherType === ETHERTYPE_IPV6) return isIpv6(view, ip, left) ? (view.getUint16(ip) >> 4) & 0xff : 0;
  return 0;
}

/**
 * Brings the underlay's mark into the frame, by RFC 6040 §4.2, figure 4:
 *
 *     inner \ outer | Not-ECT   ECT(0)    ECT(1)    CE
 *     Not-ECT       | Not-ECT   Not-ECT   Not-ECT   <drop>
 *     ECT(0)        | ECT(0)    ECT(0)    ECT(1)    CE
 *     ECT(1)        | ECT(1)    ECT(1)    ECT(1)    CE
 *     CE            | CE        CE        CE        CE
 *
 * So only an outer ECT(1) or CE, which have the low bit set, ever change or drop anything. What is not IP has no such bits and stays.
 * @param outer the ECN bits of the outer header.
 * @returns MARK_NONE, MARK_TAKEN where the frame was changed, MARK_DROP where it must not go on.
 */
export function takeMark(view: DataView, frame: number, length: number, outer: number): number {
  const ip = frame + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  const etherType = readEtherType(view, frame);
  const isIpv4 = etherType === ETHERTYPE_IPV4;
  if (isIpv4 ? ipv4HeaderLength(view, ip, left) === 0 : etherType !== ETHERTYPE_IPV6 || !isIpv6(view, ip, left)) {
    return MARK_NONE;
  }
  const shift = isIpv4 ? 0 : 4;
  const before = view.getUint16(ip);
  const inner = (before >> shift) & ECN_MASK;
  if (inner === NOT_ECT) return outer === CE ? MARK_DROP : MARK_NONE;
  if (outer !== CE && !(outer === ECT_1 && inner === ECT_0)) return MARK_NONE;
  if (inner === outer) return MARK_NONE;
  const after = (before & ~(ECN_MASK << shift)) | (outer << shift);
  view.setUint16(ip, after);
  if (isIpv4) {
    view.setUint16(ip + IPV4_CHECKSUM, updateChecksum(view.getUint16(ip + IPV4_CHECKSUM), before, after));
  }
  return MARK_TAKEN;
}
