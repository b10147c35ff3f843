/**
 * Which flow a frame belongs to, so that one flow keeps one outer source port and different flows spread: "the source port ... be
 * calculated using a hash of fields from the inner packet" (RFC 7348 §5). The 5-tuple where there is one; every fragment of a
 * datagram by its addresses alone, so that they stay together; else the MAC addresses.
 */
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  readDestinationHigh,
  readDestinationLow,
  readEtherType,
  readSourceHigh,
  readSourceLow,
} from '../wire/ethernet.ts';
import {
  ipv4HeaderLength,
  isIpv4Fragment,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  readIpv4Destination,
  readIpv4Protocol,
  readIpv4Source,
} from '../wire/ipv4.ts';
import { IPV6_DESTINATION, IPV6_HEADER_LENGTH, IPV6_SOURCE, isIpv6, readIpv6NextHeader } from '../wire/ipv6.ts';
import { readPorts } from '../wire/udp.ts';

/** @returns 32 bits; the low ones are as good as the high ones. */
export function hashFlow(view: DataView, offset: number, length: number): number {
  const ip = offset + ETHERNET_HEADER_LENGTH;
  const left = length - ETHERNET_HEADER_LENGTH;
  switch (readEtherType(view, offset)) {
    case ETHERTYPE_IPV4: {
      const headerLength = ipv4HeaderLength(view, ip, left);
      if (headerLength === 0) break;
      const protocol = readIpv4Protocol(view, ip);
      const addresses = mix(mix(protocol, readIpv4Source(view, ip)), readIpv4Destination(view, ip));
      if (!hasPorts(protocol) || isIpv4Fragment(view, ip) || left < headerLength + 4) return finish(addresses);
      return finish(mix(addresses, readPorts(view, ip + headerLength)));
    }
    case ETHERTYPE_IPV6: {
      if (!isIpv6(view, ip, left)) break;
      const protocol = readIpv6NextHeader(view, ip);
      let hash = protocol;
      for (let at = 0; at < 16; at += 4) {
        hash = mix(hash, view.getUint32(ip + IPV6_SOURCE + at));
        hash = mix(hash, view.getUint32(ip + IPV6_DESTINATION + at));
      }
      if (!hasPorts(protocol) || left < IPV6_HEADER_LENGTH + 4) return finish(hash);
      return finish(mix(hash, readPorts(view, ip + IPV6_HEADER_LENGTH)));
    }
  }
  const source = mix(readSourceHigh(view, offset), readSourceLow(view, offset));
  return finish(mix(mix(source, readDestinationHigh(view, offset)), readDestinationLow(view, offset)));
}

function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL_TCP || protocol === PROTOCOL_UDP;
}

function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x9e3779b1);
  return h ^ (h >>> 16);
}

function finish(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
