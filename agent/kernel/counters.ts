/**
 * What the kernel counted: of each network by its vxlan device, of each peer by the elements of the filter's sets. A segment that the kernel
 * passes on whole counts as one frame. Read on the main thread, by a socket of its own: a few calls, however much passes.
 */
import { formatIp } from '../../src/contract/ip.ts';
import type { DatapathCounters, NetworkCounters, PeerCounters } from '../datapath/datapath.ts';
import { vniOfAlias } from '../ports/ownership.ts';
import { SysError } from '../sys/errno.linux.ts';
import { decodeLink, type Link } from '../sys/link-message.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import {
  askElements,
  askRules,
  type CountedElement,
  type CountedRule,
  decodeElements,
  decodeRule,
  NFT_MSG_GETRULE,
  NFT_MSG_GETSETELEM,
  type Table,
} from '../sys/nftables-message.ts';
import { encodeLinkHeader, RTM_GETLINK } from '../sys/rtnetlink.ts';
import {
  COUNTED_SETS,
  type CountedSet,
  gateOfChain,
  readKey,
  type SetKey,
  type Tables,
  tablesOf,
} from './filter-rules.ts';

const ETHERNET_HEADER = 14;
/** Outer IP, UDP and VXLAN headers, which the filter counts along. */
const OUTER_IPV4 = 36;
const OUTER_IPV6 = 56;

export class KernelCounters {
  readonly #identity: string;
  readonly #tables: Tables;
  readonly #route = new NetlinkSocket(NETLINK_ROUTE);
  readonly #netfilter = new NetlinkSocket(NETLINK_NETFILTER);

  constructor(identity: string, isIpv6: boolean) {
    this.#identity = identity;
    this.#tables = tablesOf(identity, isIpv6);
  }

  /** Of this moment; nothing of the filter where it does not stand. */
  read(): DatapathCounters {
    const counted = new Map(COUNTED_SETS.map((set) => [set, this.#elements(set)]));
    const outer = this.#tables.outer.family === 'ip' ? OUTER_IPV4 : OUTER_IPV6;
    const gates = this.#gates();
    const networks = new Map<number, NetworkCounters>();
    for (const { body } of this.#route.dump(RTM_GETLINK, encodeLinkHeader(0))) {
      const link = decodeLink(body);
      const vni = link.kind === 'vxlan' ? vniOfAlias(this.#identity, link.alias) : null;
      if (vni !== null)
        networks.set(vni, {
          totals: totalsOf(link, vni, counted, gates.get(vni)),
          peers: peersOf(vni, counted, outer),
        });
    }
    const [dropNoVniFlag = 0, dropUnknownVni = 0] = this.#rules(this.#tables.outer)
      .filter(({ chain }) => chain === 'vxlan')
      .map(({ packets }) => packets);
    return { agent: { dropNoVniFlag, dropUnknownVni }, networks };
  }

  close(): void {
    this.#route.close();
    this.#netfilter.close();
  }

  #elements(set: CountedSet): Map<number, Counted[]> {
    const { outer } = this.#tables;
    const elements = this.#dump(NFT_MSG_GETSETELEM, askElements(outer, set)).flatMap(decodeElements);
    return Map.groupBy(
      elements.map((element) => ({ ...element, ...readKey(outer.family, set, element.key) })),
      ({ vni }) => vni,
    );
  }

  /** Those that count, in their order. */
  #rules(table: Table): CountedRule[] {
    return this.#dump(NFT_MSG_GETRULE, askRules(table)).flatMap((body) => decodeRule(body) ?? []);
  }

  /** What the gates dropped, by network. */
  #gates(): Map<number, GateDrops> {
    return new Map(
      this.#rules(this.#tables.inner).flatMap(({ chain, packets, bytes }) => {
        const gate = gateOfChain(chain);
        return gate === null ? [] : [[gate.vni, { isStrict: gate.isStrict, packets, bytes }]];
      }),
    );
  }

  #dump(type: number, question: readonly Uint8Array[]): Uint8Array[] {
    try {
      return this.#netfilter.dump(type, ...question).map(({ body }) => body);
    } catch (error) {
      if (error instanceof SysError) return [];
      throw error;
    }
  }
}

interface GateDrops {
  readonly isStrict: boolean;
  readonly packets: number;
  /** Of what is within Ethernet. */
  readonly bytes: number;
}
type Counted = CountedElement & SetKey;
/** The elements of each set, by network. */
type CountedBySet = ReadonlyMap<CountedSet, ReadonlyMap<number, readonly Counted[]>>;

function totalsOf(
  { stats }: Link,
  vni: number,
  counted: CountedBySet,
  dropped: GateDrops = { isStrict: false, packets: 0, bytes: 0 },
): Record<string, number> {
  const { rxPackets = 0, rxBytes = 0, txPackets = 0, txBytes = 0 } = stats ?? {};
  const unlisted = counted.get('guarded')?.get(vni)?.[0]?.packets ?? 0;
  const rxFrames = rxPackets - dropped.packets;
  return {
    vtepRxFrames: rxFrames,
    // The device counts what is within Ethernet, before its gate.
    vtepRxBytes: rxBytes - dropped.bytes + rxFrames * ETHERNET_HEADER,
    vtepTxFrames: txPackets,
    vtepTxBytes: txBytes + txPackets * ETHERNET_HEADER,
    dropUnlistedVtep: unlisted + (dropped.isStrict ? 0 : dropped.packets),
    dropSpoofedSource: dropped.isStrict ? dropped.packets : 0,
    dropInnerRunt: stats?.rxLengthErrors ?? 0,
    dropNoDestination: stats?.txDropped ?? 0,
    dropUnreachable: stats?.txCarrierErrors ?? 0,
  };
}

/** @param outer the length of the headers that the filter counts along. */
function peersOf(vni: number, counted: CountedBySet, outer: number): PeerCounters[] {
  const of = (set: CountedSet): readonly Counted[] => counted.get(set)?.get(vni) ?? [];
  const received = new Map(of('vteps').map((each) => [formatIp(each.address), each]));
  return of('sent').map((sent) => {
    const address = formatIp(sent.address);
    const { packets = 0, bytes = 0 } = received.get(address) ?? {};
    return {
      address,
      port: sent.port,
      counters: {
        rxFrames: packets,
        rxBytes: bytes - packets * outer,
        txFrames: sent.packets,
        txBytes: sent.bytes - sent.packets * outer,
      },
    };
  });
}
