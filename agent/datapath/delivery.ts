/**
 * Readying a frame that came through the tunnel for the host: what its virtio-net header must say.
 *
 * A kernel VTEP on the same host (veth: containers, namespaces) never finishes its offloads. Its frames arrive with the TCP or UDP
 * checksum incomplete (the field holds the folded pseudo-header sum), and as one TCP segment of up to 64 KiB, far beyond the MTU.
 * Delivered as they are, ping passes and TCP dies. So such a frame goes to the host with NEEDS_CSUM, and a large one with a GSO type
 * and the segment size that the port's MTU gives; the host then finishes what the sender left.
 *
 * A complete checksum may by chance equal the pseudo-header sum. That is harmless: what the host then computes is the same value.
 */
import { finishChecksum, foldSum } from '../wire/checksum.ts';
import type { ChecksumMemory } from '../wire/checksum-memory.ts';
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV4, ETHERTYPE_IPV6, readEtherType } from '../wire/ethernet.ts';
import {
  ipv4HeaderLength,
  isIpv4Fragment,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIpv4Protocol,
  readIpv4TotalLength,
  sumIpv4PseudoHeader,
} from '../wire/ipv4.ts';
import {
  IPV6_HEADER_LENGTH,
  isIpv6,
  readIpv6NextHeader,
  readIpv6PayloadLength,
  sumIpv6PseudoHeader,
} from '../wire/ipv6.ts';
import { readTcpFlags, TCP_CHECKSUM, TCP_FLAG_CWR, tcpHeaderLength } from '../wire/tcp.ts';
import { UDP_CHECKSUM, UDP_HEADER_LENGTH } from '../wire/udp.ts';
import {
  readVirtioCsumOffset,
  readVirtioCsumStart,
  readVirtioFlags,
  VIRTIO_NET_GSO_ECN,
  VIRTIO_NET_GSO_NONE,
  VIRTIO_NET_GSO_TCPV4,
  VIRTIO_NET_GSO_TCPV6,
  VIRTIO_NET_HEADER_LENGTH,
  VIRTIO_NET_NEEDS_CSUM,
  writePlainVirtioNet,
  writeVirtioNet,
} from '../wire/virtio-net.ts';

export const DELIVER = 0;
export const DELIVER_TOO_BIG = 1;
export const DELIVER_BAD_CHECKSUM = 2;

/**
 * Writes the virtio-net header in the 12 bytes before the frame at `offset`.
 * @param mtu of the port, in bytes of IP packet.
 * @returns DELIVER, or why the frame can't be given to the host.
 */
export function prepareDelivery(memory: ChecksumMemory, offset: number, length: number, mtu: number): number {
  const { view } = memory;
  const header = offset - VIRTIO_NET_HEADER_LENGTH;
  writePlainVirtioNet(view, header);
  const tooBig = length > mtu + ETHERNET_HEADER_LENGTH;
  const unfinished = tooBig ? DELIVER_TOO_BIG : DELIVER;

  const ip = offset + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  const etherType = readEtherType(view, offset);
  let protocol: number;
  let ipLength: number;
  let segmentLength: number;
  if (etherType === ETHERTYPE_IPV4) {
    ipLength = ipv4HeaderLength(view, ip, left);
    if (ipLength === 0 || isIpv4Fragment(view, ip)) return unfinished;
    protocol = readIpv4Protocol(view, ip);
    segmentLength = readIpv4TotalLength(view, ip) - ipLength;
  } else if (etherType === ETHERTYPE_IPV6) {
    if (!isIpv6(view, ip, left)) return unfinished;
    ipLength = IPV6_HEADER_LENGTH;
    protocol = readIpv6NextHeader(view, ip);
    segmentLength = readIpv6PayloadLength(view, ip);
  } else {
    return unfinished;
  }
  if (segmentLength < 0 || segmentLength > left - ipLength) return unfinished;

  const transport = ip + ipLength;
  let checksumOffset: number;
  let tcpLength = 0;
  if (protocol === PROTOCOL_TCP) {
    tcpLength = tcpHeaderLength(view, transport, segmentLength);
    if (tcpLength === 0) return unfinished;
    checksumOffset = TCP_CHECKSUM;
  } else if (protocol === PROTOCOL_UDP && segmentLength >= UDP_HEADER_LENGTH) {
    checksumOffset = UDP_CHECKSUM;
  } else {
    return unfinished;
  }

  const pseudo =
    etherType === ETHERTYPE_IPV4
      ? sumIpv4PseudoHeader(view, ip, protocol, segmentLength)
      : sumIpv6PseudoHeader(view, ip, protocol, segmentLength);
  const folded = foldSum(pseudo);
  const incomplete = view.getUint16(transport + checksumOffset) === folded;
  const checksumStart = transport - offset;

  if (!tooBig) {
    if (incomplete) {
      writeVirtioNet(view, header, VIRTIO_NET_NEEDS_CSUM, VIRTIO_NET_GSO_NONE, 0, 0, checksumStart, checksumOffset);
    }
    return DELIVER;
  }
  // Only TCP says by itself how it may be cut again, and what is behind the packet's end would be taken for its payload. The other side's
  // device may have finished the checksum of the large segment; to have it cut, the field must be brought back to the pseudo-header
  // sum, and so it is verified here, where that is done for the last time.
  if (tcpLength === 0 || segmentLength !== left - ipLength) return DELIVER_TOO_BIG;
  if (!incomplete) {
    if (foldSum(pseudo + memory.sum(transport, segmentLength)) !== 0xffff) return DELIVER_BAD_CHECKSUM;
    view.setUint16(transport + TCP_CHECKSUM, folded);
  }
  const gsoSize = mtu - ipLength - tcpLength;
  if (gsoSize <= 0) return DELIVER_TOO_BIG;
  const ecn = (readTcpFlags(view, transport) & TCP_FLAG_CWR) !== 0 ? VIRTIO_NET_GSO_ECN : 0;
  const gsoType = (etherType === ETHERTYPE_IPV4 ? VIRTIO_NET_GSO_TCPV4 : VIRTIO_NET_GSO_TCPV6) | ecn;
  const headerLength = checksumStart + tcpLength;
  writeVirtioNet(view, header, VIRTIO_NET_NEEDS_CSUM, gsoType, headerLength, gsoSize, checksumStart, checksumOffset);
  return DELIVER;
}

/**
 * Completes the checksum that the host left to us, before a frame is encapsulated: its virtio-net header goes, and nobody else would.
 * @returns false where the header points outside the frame.
 */
export function completeChecksum(memory: ChecksumMemory, offset: number, length: number): boolean {
  const { view } = memory;
  const header = offset - VIRTIO_NET_HEADER_LENGTH;
  if ((readVirtioFlags(view, header) & VIRTIO_NET_NEEDS_CSUM) === 0) return true;
  const start = readVirtioCsumStart(view, header);
  const field = start + readVirtioCsumOffset(view, header);
  if (field + 2 > length) return false;
  // The field holds the pseudo-header's sum, so it is summed with the rest.
  const sum = finishChecksum(memory.sum(offset + start, length - start));
  // Zero would mean "none" in UDP (RFC 768); 0xffff is the same number in one's complement.
  view.setUint16(offset + field, sum === 0 ? 0xffff : sum);
  return true;
}
