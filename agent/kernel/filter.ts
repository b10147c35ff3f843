/** The agent's table of nftables in the kernel: made in one transaction, then changed by what differs. */
import { SysError } from '../sys/errno.linux.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import {
  changeElements,
  deleteTable,
  encodeInterface,
  type NftMessage,
  newTable,
  nftTransaction,
  type Table,
} from '../sys/nftables-message.ts';
import { DEVICES, type Element, elementsOf, encodeTable, SET_NAMES, tableOf } from './filter-rules.ts';
import type { WantedNetwork } from './wanted-network.ts';

export interface FilterOptions {
  /** Of the underlay. */
  readonly isIpv6: boolean;
  readonly vxlanPort: number;
  /** The interfaces that VXLAN must come and go by, by index; absent: any. */
  readonly devices?: readonly number[] | undefined;
}

export class Filter {
  readonly table: Table;
  readonly #socket: NetlinkSocket;
  readonly #vxlanPort: number;
  /** What the kernel has, by network. */
  readonly #installed = new Map<number, Map<string, Element>>();
  /** See `FilterOptions`. */
  #devices: readonly number[] | undefined;
  #stands = false;

  /** @param socket of NETLINK_NETFILTER. */
  constructor(socket: NetlinkSocket, identity: string, { isIpv6, vxlanPort, devices }: FilterOptions) {
    this.#socket = socket;
    this.table = tableOf(identity, isIpv6);
    this.#vxlanPort = vxlanPort;
    this.#devices = devices;
  }

  /** Has VXLAN come and go by these from now on, or from the next `apply` where the table does not stand. @throws SysError; then it is as it was. */
  setDevices(devices: readonly number[]): void {
    const before = this.#devices ?? [];
    const changes = [
      ...this.#deviceMessages(
        'delete',
        before.filter((index) => !devices.includes(index)),
      ),
      ...this.#deviceMessages(
        'add',
        devices.filter((index) => !before.includes(index)),
      ),
    ];
    try {
      if (this.#stands && changes.length > 0) this.#transact(changes);
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== 'ENOENT') throw error;
      this.#stands = false;
    }
    this.#devices = devices;
  }

  /**
   * Puts in force what the changed networks ask for (of those that went, nothing), or everything where the table does not stand: what an
   * earlier run left is replaced in the same transaction, so that no frame passes unjudged and none is lost.
   * @throws SysError; then the kernel has what it had.
   */
  apply(networks: ReadonlyMap<number, WantedNetwork>, changed: Iterable<number>): void {
    if (this.#stands) {
      try {
        this.#change(networks, changed);
        return;
      } catch (error) {
        // Somebody deleted something of it: the notification is on its way.
        if (!(error instanceof SysError) || error.code !== 'ENOENT') throw error;
      }
    }
    this.#rebuild(networks);
  }

  /** Somebody else changed the table: at the next `apply` it is made anew. */
  distrust(): void {
    this.#stands = false;
  }

  /** Takes the table away. */
  remove(): void {
    this.#transact(withoutTable(this.table));
    this.#removeOther();
    this.#stands = false;
    this.#installed.clear();
  }

  #change(networks: ReadonlyMap<number, WantedNetwork>, changed: Iterable<number>): void {
    const next = new Map<number, Map<string, Element>>();
    const add: Element[] = [];
    const remove: Element[] = [];
    for (const vni of changed) {
      const network = networks.get(vni);
      const wanted = network === undefined ? new Map<string, Element>() : elementsOf(network);
      const installed = this.#installed.get(vni) ?? new Map<string, Element>();
      for (const [name, element] of wanted) if (!installed.has(name)) add.push(element);
      for (const [name, element] of installed) if (!wanted.has(name)) remove.push(element);
      next.set(vni, wanted);
    }
    const changes = [...this.#elementMessages('delete', remove), ...this.#elementMessages('add', add)];
    if (changes.length > 0) this.#transact(changes);
    for (const [vni, elements] of next) {
      if (networks.has(vni)) this.#installed.set(vni, elements);
      else this.#installed.delete(vni);
    }
  }

  #rebuild(networks: ReadonlyMap<number, WantedNetwork>): void {
    const installed = new Map([...networks].map(([vni, network]) => [vni, elementsOf(network)]));
    const elements = [...installed.values()].flatMap((each) => [...each.values()]);
    this.#removeOther();
    this.#transact([
      ...withoutTable(this.table),
      ...encodeTable(this.table, this.#vxlanPort, this.#devices !== undefined),
      ...this.#deviceMessages('add', this.#devices ?? []),
      ...this.#elementMessages('add', elements),
    ]);
    this.#installed.clear();
    for (const [vni, each] of installed) this.#installed.set(vni, each);
    this.#stands = true;
  }

  /** What this agent left when its underlay was of the other IP family, which this kernel may not even have. */
  #removeOther(): void {
    try {
      this.#transact(withoutTable({ ...this.table, family: this.table.family === 'ip' ? 'ip6' : 'ip' }));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  #elementMessages(action: 'add' | 'delete', elements: readonly Element[]): NftMessage[] {
    return SET_NAMES.flatMap((set) => {
      const keys = elements.filter((element) => element.set === set).map(({ key }) => key);
      return changeElements(action, this.table, set, keys);
    });
  }

  #deviceMessages(action: 'add' | 'delete', indexes: readonly number[]): NftMessage[] {
    return changeElements(action, this.table, DEVICES, indexes.map(encodeInterface));
  }

  #transact(changes: readonly NftMessage[]): void {
    this.#socket.transact(nftTransaction(changes));
  }
}

/** Made first, so that deleting one that is not there is no error. */
function withoutTable(table: Table): NftMessage[] {
  return [newTable(table), deleteTable(table)];
}

/** @returns one line for people. */
export function explainFilter(error: SysError): string {
  switch (error.code) {
    case 'EPERM':
      return "can't make the table of nftables that keeps strangers out: run as root or with CAP_NET_ADMIN";
    case 'EPROTONOSUPPORT':
    case 'EOPNOTSUPP':
    case 'ENOENT':
    case 'EINVAL':
      return `this kernel has no nftables (${error.code}), which keeps strangers out: load nf_tables, or use --datapath userspace`;
    default:
      return `can't make the table of nftables that keeps strangers out: ${error.message}`;
  }
}
