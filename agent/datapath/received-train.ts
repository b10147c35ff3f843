/**
 * What a datagram is of which the kernel says that it is several (`UDP_GRO`): mostly that, each with a VXLAN header of its own. But a
 * kernel VTEP on the same machine also passes on, uncut, the large UDP segments of its own hosts (`UDP_SEGMENT` inside VXLAN), and the
 * size that then comes with it is that of the *inner* datagrams. Cut by that size it would be taken apart in the middle of its
 * payload, and whoever wrote the payload could have put a VXLAN header there, of any network.
 *
 * So it is one frame where its IP header says that it is as long as all of it. A train whose first frame lies so about its length
 * begins every datagram with a VXLAN header; what could be either is dropped whole.
 */
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  isVlanType,
  readEtherType,
  VLAN_TAG_LENGTH,
} from '../wire/ethernet.ts';
import { IPV4_MIN_LENGTH, readIpv4TotalLength } from '../wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, readIpv6PayloadLength } from '../wire/ipv6.ts';
import { looksLikeVxlan, VXLAN_HEADER_LENGTH } from '../wire/vxlan.ts';

export const TRAIN = 0;
export const ONE_FRAME = 1;
export const AMBIGUOUS = 2;

/**
 * @param datagram where it starts, of `length` bytes, more than `segmentSize`.
 * @returns TRAIN, ONE_FRAME or AMBIGUOUS.
 */
export function lookAtTrain(view: DataView, datagram: number, length: number, segmentSize: number): number {
  const end = datagram + length;
  let frame = datagram + VXLAN_HEADER_LENGTH;
  while (frame + ETHERNET_HEADER_LENGTH <= end && isVlanType(readEtherType(view, frame))) frame += VLAN_TAG_LENGTH;
  // Less than the shortest header of either: no frame that could be cut.
  if (frame + ETHERNET_HEADER_LENGTH + IPV4_MIN_LENGTH > end) return TRAIN;
  if (frame + ETHERNET_HEADER_LENGTH + ipLength(view, frame) !== end) return TRAIN;
  for (let at = datagram + segmentSize; at + VXLAN_HEADER_LENGTH <= end; at += segmentSize) {
    if (looksLikeVxlan(view, at)) return AMBIGUOUS;
  }
  return ONE_FRAME;
}

/** How long the packet says that it is, or 0. */
function ipLength(view: DataView, frame: number): number {
  const ip = frame + ETHERNET_HEADER_LENGTH;
  switch (readEtherType(view, frame)) {
    case ETHERTYPE_IPV4:
      return readIpv4TotalLength(view, ip);
    case ETHERTYPE_IPV6:
      return IPV6_HEADER_LENGTH + readIpv6PayloadLength(view, ip);
    default:
      return 0;
  }
}
