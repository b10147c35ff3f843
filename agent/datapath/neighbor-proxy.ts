/**
 * ARP and neighbour discovery at the port: what stations say of their addresses is noted, and a question whose answer is in the registry
 * is answered on the spot instead of being flooded to every site.
 *
 * Only for an address at another site: one on this host's own segment answers for itself. Never for a probe (RFC 5227) or duplicate
 * address detection (RFC 4862), which must be heard by whoever has the address.
 */
import {
  ARP_LENGTH,
  ARP_REQUEST,
  ARP_SENDER_IP,
  isArp,
  readArpOperation,
  readArpSenderIp,
  readArpSenderMacHigh,
  readArpSenderMacLow,
  readArpTargetIp,
  writeArpReply,
} from '../wire/arp.ts';
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  isGroup,
  readDestinationHigh,
  readEtherType,
  readSourceHigh,
  readSourceLow,
  writeEthernet,
} from '../wire/ethernet.ts';
import { IPV6_DESTINATION, IPV6_HEADER_LENGTH, IPV6_SOURCE, writeIpv6PayloadLength } from '../wire/ipv6.ts';
import {
  NEIGHBOR_ADVERTISEMENT,
  NEIGHBOR_ADVERTISEMENT_LENGTH,
  NEIGHBOR_SOLICITATION,
  NEIGHBOR_TARGET,
  neighborType,
  writeNeighborAdvertisement,
} from '../wire/neighbor.ts';
import type { PacketMemory } from '../wire/packet-batch.ts';
import { VIRTIO_NET_HEADER_LENGTH, writePlainVirtioNet } from '../wire/virtio-net.ts';
import type { Network } from './network.ts';
import type { Stations } from './stations.ts';

/** An answer is written over the question; 0 where there is none. */
const NO_ANSWER = 0;

export class NeighborProxy {
  readonly #memory: PacketMemory;
  readonly #stations: Stations;
  readonly #words = new Uint32Array(4);

  constructor(memory: PacketMemory, stations: Stations) {
    this.#memory = memory;
    this.#stations = stations;
  }

  /**
   * Looks at a frame that came from a port of this host.
   * @returns the length of the answer that is now at `offset`, to be given back to the port; 0 where the frame goes its way.
   */
  look(network: Network, offset: number, length: number, now: number): number {
    const view = this.#memory.view;
    const etherType = readEtherType(view, offset);
    if (etherType === ETHERTYPE_ARP) return this.#lookAtArp(network, offset, length, now);
    if (etherType !== ETHERTYPE_IPV6) return NO_ANSWER;
    const type = neighborType(view, offset + ETHERNET_HEADER_LENGTH, length - ETHERNET_HEADER_LENGTH);
    return type === 0 ? NO_ANSWER : this.#lookAtNeighbor(network, offset, type, now);
  }

  #lookAtArp(network: Network, offset: number, length: number, now: number): number {
    const view = this.#memory.view;
    const arp = offset + ETHERNET_HEADER_LENGTH;
    if (!isArp(view, arp, length - ETHERNET_HEADER_LENGTH)) return NO_ANSWER;
    const high = readSourceHigh(view, offset);
    const low = readSourceLow(view, offset);
    const senderIp = readArpSenderIp(view, arp);
    // A sender that speaks for another station is believed by nobody here.
    const isOwn = readArpSenderMacHigh(view, arp) === high && readArpSenderMacLow(view, arp) === low;
    if (isOwn && senderIp !== 0) this.#note(network, high, low, arp + ARP_SENDER_IP, 4, now);

    const targetIp = readArpTargetIp(view, arp);
    const isQuestion = readArpOperation(view, arp) === ARP_REQUEST && senderIp !== 0 && senderIp !== targetIp;
    if (!isQuestion || !isGroup(readDestinationHigh(view, offset)) || !network.settings.arpSuppression)
      return NO_ANSWER;
    this.#words[0] = 0;
    this.#words[1] = 0;
    this.#words[2] = 0xffff;
    this.#words[3] = targetIp;
    const answer = network.remoteMacOf(this.#words);
    if (answer === 0) return NO_ANSWER;

    const asker = high * 2 ** 32 + low;
    writeEthernet(view, offset, asker, answer, ETHERTYPE_ARP);
    writeArpReply(view, arp, answer, targetIp, asker, senderIp);
    writePlainVirtioNet(view, offset - VIRTIO_NET_HEADER_LENGTH);
    return ETHERNET_HEADER_LENGTH + ARP_LENGTH;
  }

  #lookAtNeighbor(network: Network, offset: number, type: number, now: number): number {
    const { bytes, view } = this.#memory;
    const ip = offset + ETHERNET_HEADER_LENGTH;
    const target = ip + IPV6_HEADER_LENGTH + NEIGHBOR_TARGET;
    const high = readSourceHigh(view, offset);
    const low = readSourceLow(view, offset);
    const isFromNobody =
      view.getUint32(ip + IPV6_SOURCE) === 0 &&
      view.getUint32(ip + IPV6_SOURCE + 4) === 0 &&
      view.getUint32(ip + IPV6_SOURCE + 8) === 0 &&
      view.getUint32(ip + IPV6_SOURCE + 12) === 0;
    if (type === NEIGHBOR_ADVERTISEMENT) this.#note(network, high, low, target, 16, now);
    else if (!isFromNobody) this.#note(network, high, low, ip + IPV6_SOURCE, 16, now);

    const isQuestion = type === NEIGHBOR_SOLICITATION && !isFromNobody && isGroup(readDestinationHigh(view, offset));
    if (!isQuestion || !network.settings.arpSuppression) return NO_ANSWER;
    for (let i = 0; i < 4; i++) this.#words[i] = view.getUint32(target + i * 4);
    const answer = network.remoteMacOf(this.#words);
    if (answer === 0) return NO_ANSWER;

    writeEthernet(view, offset, high * 2 ** 32 + low, answer, ETHERTYPE_IPV6);
    bytes.copyWithin(ip + IPV6_DESTINATION, ip + IPV6_SOURCE, ip + IPV6_SOURCE + 16);
    bytes.copyWithin(ip + IPV6_SOURCE, target, target + 16);
    writeIpv6PayloadLength(view, ip, NEIGHBOR_ADVERTISEMENT_LENGTH);
    writeNeighborAdvertisement(view, ip, answer);
    writePlainVirtioNet(view, offset - VIRTIO_NET_HEADER_LENGTH);
    return ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + NEIGHBOR_ADVERTISEMENT_LENGTH;
  }

  /** Allocates, as ARP is rare: a station that floods it is slowed by nothing else. */
  #note(network: Network, high: number, low: number, address: number, length: number, now: number): void {
    this.#stations.gaveAddress(
      network.vni,
      high * 2 ** 32 + low,
      this.#memory.bytes.slice(address, address + length),
      now,
    );
  }
}
