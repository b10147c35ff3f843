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
  decodeElements,
  decodeRuleCounter,
  NFT_MSG_GETRULE,
  NFT_MSG_GETSETELEM,
  type Table,
} from '../sys/nftables-message.ts';
import { encodeLinkHeader, RTM_GETLINK } from '../sys/rtnetlink.ts';
import { COUNTED_SETS, type CountedSet, readKey, type SetKey, tableOf } from './filter-rules.ts';

const ETHERNET_HEADER = 14;
/** Outer IP, UDP and VXLAN headers, which the filter counts along. */
const OUTER_IPV4 = 36;
const OUTER_IPV6 = 56;

export class KernelCounters {
  readonly #identity: string;
  readonly #table: Table;
  readonly #route = new NetlinkSocket(NETLINK_ROUTE);
  readonly #netfilter = new NetlinkSocket(NETLINK_NETFILTER);

  constructor(identity: string, isIpv6: boolean) {
    this.#identity = identity;
    this.#table = tableOf(identity, isIpv6);
  }

  /** Of this moment; nothing of the filter where it does not stand. */
  read(): DatapathCounters {
    const counted = new Map(COUNTED_SETS.map((set) => [set, this.#elements(set)]));
    const outer = this.#table.family === 'ip' ? OUTER_IPV4 : OUTER_IPV6;
    const networks = new Map<number, NetworkCounters>();
    for (const { body } of this.#route.dump(RTM_GETLINK, encodeLinkHeader(0))) {
      const link = decodeLink(body);
      const vni = link.kind === 'vxlan' ? vniOfAlias(this.#identity, link.alias) : null;
      if (vni !== null)
        networks.set(vni, { totals: totalsOf(link, vni, counted), peers: peersOf(vni, counted, outer) });
    }
    const [dropNoVniFlag = 0, dropUnknownVni = 0] = this.#ruleCounters();
    return { agent: { dropNoVniFlag, dropUnknownVni }, networks };
  }

  close(): void {
    this.#route.close();
    this.#netfilter.close();
  }

  #elements(set: CountedSet): Map<number, Counted[]> {
    const elements = this.#dump(NFT_MSG_GETSETELEM, askElements(this.#table, set)).flatMap(decodeElements);
    return Map.groupBy(
      elements.map((element) => ({ ...element, ...readKey(this.#table, set, element.key) })),
      ({ vni }) => vni,
    );
  }

  /** In the order of the rules. */
  #ruleCounters(): number[] {
    return this.#dump(NFT_MSG_GETRULE, askRules(this.#table)).flatMap((body) => decodeRuleCounter(body) ?? []);
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

type Counted = CountedElement & SetKey;
/** The elements of each set, by network. */
type CountedBySet = ReadonlyMap<CountedSet, ReadonlyMap<number, readonly Counted[]>>;

function totalsOf({ stats }: Link, vni: number, counted: CountedBySet): Record<string, number> {
  const dropped = (set: CountedSet): number => counted.get(set)?.get(vni)?.[0]?.packets ?? 0;
  const { rxPackets = 0, rxBytes = 0, txPackets = 0, txBytes = 0 } = stats ?? {};
  return {
    vtepRxFrames: rxPackets,
    // The device counts what is within Ethernet.
    vtepRxBytes: rxBytes + rxPackets * ETHERNET_HEADER,
    vtepTxFrames: txPackets,
    vtepTxBytes: txBytes + txPackets * ETHERNET_HEADER,
    dropUnlistedVtep: dropped('guarded'),
    dropSpoofedSource: dropped('spoofed'),
    dropInnerRunt: stats?.rxLengthErrors ?? 0,
    dropNoDestination: stats?.txDropped ?? 0,
    dropUnreachable: stats?.txCarrierErrors ?? 0,
  };
}

/** @param outer the length of the headers that the filter counts along. */
function peersOf(vni: number, counted: CountedBySet, outer: number): PeerCounters[] {
  const of = (set: CountedSet): readonly Counted[] => counted.get(set)?.get(vni) ?? [];
  const received = new Map([...of('vteps'), ...of('strictVteps')].map((each) => [formatIp(each.address), each]));
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
