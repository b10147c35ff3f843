/** The agent's tables of nftables in the kernel: made in one transaction, then changed by what differs. */
import { randomInt } from 'node:crypto';
import { SysError } from '../sys/errno.linux.ts';
import type { NetlinkSocket } from '../sys/netlink-socket.linux.ts';
import {
  askGeneration,
  askRules,
  changeElements,
  decodeGeneration,
  decodeRule,
  deleteChain,
  deleteTable,
  encodeInterface,
  NFT_MSG_GETGEN,
  NFT_MSG_GETRULE,
  type NftMessage,
  newTable,
  nftTransaction,
  type Table,
} from '../sys/nftables-message.ts';
import {
  chainOf,
  DEVICES,
  type Element,
  elementsOf,
  encodeGate,
  encodePort,
  encodeTables,
  type Gate,
  gateOf,
  gateOfChain,
  SET_NAMES,
  STRICT_PASSES,
  strictPass,
  type Tables,
  tablesOf,
} from './filter-rules.ts';
import type { WantedNetwork } from './wanted-network.ts';

export interface FilterOptions {
  /** Of the underlay. */
  readonly isIpv6: boolean;
  readonly vxlanPort: number;
  /** The interfaces that VXLAN must come and go by, by index; absent: any. */
  readonly devices?: readonly number[] | undefined;
  /** Where probes are taken, if anywhere. */
  readonly probePort?: number | null;
}

/** What the kernel has of one network. */
interface Installed {
  readonly elements: ReadonlyMap<string, Element>;
  readonly gate: Gate;
}

export class Filter {
  /** Why strangers can't be kept out, in one line, or null. */
  problem: string | null = null;
  readonly #tables: Tables;
  readonly #socket: NetlinkSocket;
  readonly #vxlanPort: number;
  readonly #probePort: number | null;
  readonly #installed = new Map<number, Installed>();
  /** The vxlan devices that have a gate, by network. */
  readonly #gated = new Map<number, string>();
  /** The UDP ports at which what is sent is counted. */
  readonly #ports = new Set<number>();
  /** Of the VTEPs of strict networks, by network and address: none is given twice. */
  readonly #passes = new Map<string, Uint8Array>();
  /** Not 0: another agent of this host gives passes too, which shall be none of ours. */
  readonly #firstPass = randomInt(STRICT_PASSES);
  /** See `FilterOptions`. */
  #devices: readonly number[] | undefined;
  #stands = false;
  /** The kernel's at our last transaction, where since all was made anew there were none but ours. */
  #generation: number | null = null;

  /** @param socket of NETLINK_NETFILTER. */
  constructor(
    socket: NetlinkSocket,
    identity: string,
    { isIpv6, vxlanPort, devices, probePort = null }: FilterOptions,
  ) {
    this.#socket = socket;
    this.#tables = tablesOf(identity, isIpv6);
    this.#vxlanPort = vxlanPort;
    this.#devices = devices;
    this.#probePort = probePort;
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

  /** What its tables are called. */
  get name(): string {
    return this.#tables.outer.name;
  }

  /**
   * Puts in force what the changed networks ask for, and those that went no more, or everything where the tables do not stand: what an
   * earlier run left is replaced in the same transaction, so that no frame passes unjudged and none is lost.
   * Where it fails, the kernel has what it had, and there is a problem.
   * @param standing the vxlan devices that are there, by network.
   */
  apply(
    networks: ReadonlyMap<number, WantedNetwork>,
    changed: readonly number[],
    standing: ReadonlyMap<number, string>,
  ): void {
    this.#attempt(() => {
      this.#apply(networks, changed, standing);
      this.problem = null;
    });
  }

  /**
   * Gives devices that were just made, and are not up, their gates, where the tables stand.
   * Where it fails there is a problem, and the next `apply` makes all anew.
   * @param made networks by the names of their devices.
   */
  guard(made: ReadonlyMap<string, WantedNetwork>): void {
    if (!this.#stands || made.size === 0) return;
    this.#stands = false;
    this.#attempt(() => {
      const vnis = new Set([...made.values()].map(({ settings }) => settings.vni));
      const gates = [...made].flatMap(([device, network]) => encodeGate(this.#tables, gateOf(network), device));
      this.#transact([...this.#withoutGates((vni) => vnis.has(vni)), ...gates]);
      this.#stands = true;
    });
    for (const [device, { settings }] of made) this.#gated.set(settings.vni, device);
  }

  /** Somebody else changed the tables: at the next `apply` they are made anew. */
  distrust(): void {
    this.#stands = false;
  }

  /** Whether nobody can have changed the tables since: for when notifications were lost, which many elements of our own see to. */
  isUntouched(): boolean {
    return this.#stands && this.#generation !== null && this.#generation === this.#askGeneration();
  }

  /** Takes the tables away. */
  remove(): void {
    this.#transact([...without(this.#tables.outer), ...without(this.#tables.inner)]);
    this.#removeOther();
    this.#stands = false;
    this.#forget();
  }

  #apply(
    networks: ReadonlyMap<number, WantedNetwork>,
    changed: readonly number[],
    standing: ReadonlyMap<number, string>,
  ): void {
    if (this.#stands) {
      try {
        const gone = [...this.#installed.keys()].filter((vni) => !networks.has(vni));
        this.#change(networks, [...changed, ...gone]);
        return;
      } catch (error) {
        // Somebody deleted something of it: the notification is on its way.
        if (!(error instanceof SysError) || error.code !== 'ENOENT') throw error;
      }
    }
    this.#rebuild(networks, standing);
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.problem = explain(error);
    }
  }

  #change(networks: ReadonlyMap<number, WantedNetwork>, changed: readonly number[]): void {
    const next = new Map<number, Installed>();
    const add: Element[] = [];
    const remove: Element[] = [];
    const gates: NftMessage[] = [];
    for (const vni of changed) {
      const network = networks.get(vni);
      const installed = this.#installed.get(vni);
      const device = this.#gated.get(vni);
      const wanted = network === undefined ? null : this.#wantedOf(network);
      if (wanted !== null) next.set(vni, wanted);
      for (const [name, element] of wanted?.elements ?? []) if (!installed?.elements.has(name)) add.push(element);
      for (const [name, element] of installed?.elements ?? []) if (!wanted?.elements.has(name)) remove.push(element);
      if (wanted === null || installed === undefined || device === undefined) continue;
      if (wanted.gate.isStrict === installed.gate.isStrict) continue;
      gates.push(deleteChain(this.#tables.inner, chainOf(installed.gate)));
      gates.push(...encodeGate(this.#tables, wanted.gate, device));
    }
    const ports = portsOf(next.keys(), networks).filter((port) => !this.#ports.has(port));
    const changes = [
      ...gates,
      ...ports.map((port) => encodePort(this.#tables, port)),
      ...this.#elementMessages('delete', remove),
      ...this.#elementMessages('add', add),
    ];
    if (changes.length > 0) this.#transact(changes);
    for (const port of ports) this.#ports.add(port);
    for (const [vni, each] of next) this.#installed.set(vni, each);
    const gone = changed.filter((vni) => !next.has(vni) && this.#installed.delete(vni));
    for (const vni of gone) this.#gated.delete(vni);
    const chains = gone.length > 0 ? this.#withoutGates((vni) => gone.includes(vni)) : [];
    if (chains.length > 0) this.#transact(chains);
  }

  #rebuild(networks: ReadonlyMap<number, WantedNetwork>, standing: ReadonlyMap<number, string>): void {
    const installed = new Map([...networks].map(([vni, network]) => [vni, this.#wantedOf(network)]));
    const elements = [...installed.values()].flatMap((each) => [...each.elements.values()]);
    const gates = [...standing].flatMap(([vni, device]) => {
      const network = networks.get(vni);
      return network === undefined ? [] : encodeGate(this.#tables, gateOf(network), device);
    });
    const ports = new Set([this.#vxlanPort, ...portsOf(networks.keys(), networks)]);
    this.#removeOther();
    this.#generation = this.#askGeneration();
    this.#transact([
      ...without(this.#tables.outer),
      ...without(this.#tables.inner),
      ...encodeTables(this.#tables, this.#vxlanPort, this.#devices !== undefined, this.#probePort),
      ...[...ports].map((port) => encodePort(this.#tables, port)),
      ...this.#deviceMessages('add', this.#devices ?? []),
      ...gates,
      ...this.#elementMessages('add', elements),
    ]);
    this.#forget();
    for (const [vni, each] of installed) this.#installed.set(vni, each);
    for (const [vni, device] of standing) this.#gated.set(vni, device);
    for (const port of ports) this.#ports.add(port);
    this.#stands = true;
  }

  #wantedOf(network: WantedNetwork): Installed {
    const { vni } = network.settings;
    return { elements: elementsOf(network, (address) => this.#passOf(vni, address)), gate: gateOf(network) };
  }

  #passOf(vni: number, address: string): Uint8Array {
    const key = `${vni} ${address}`;
    const pass = this.#passes.get(key) ?? strictPass(this.#firstPass + this.#passes.size);
    this.#passes.set(key, pass);
    return pass;
  }

  /** Some kernels take a chain along with its device, others keep it for the next of that name: they are asked. */
  #withoutGates(isGone: (vni: number) => boolean): NftMessage[] {
    const { inner } = this.#tables;
    const rules = this.#socket.dump(NFT_MSG_GETRULE, ...askRules(inner)).flatMap(({ body }) => decodeRule(body) ?? []);
    return rules.flatMap(({ chain }) => {
      const gate = gateOfChain(chain);
      return gate !== null && isGone(gate.vni) ? deleteChain(inner, chain) : [];
    });
  }

  #forget(): void {
    this.#installed.clear();
    this.#gated.clear();
    this.#ports.clear();
  }

  /** What this agent left when its underlay was of the other IP family, which this kernel may not even have. */
  #removeOther(): void {
    const { family, name } = this.#tables.outer;
    try {
      this.#transact(without({ family: family === 'ip' ? 'ip6' : 'ip', name }));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  }

  #elementMessages(action: 'add' | 'delete', elements: readonly Element[]): NftMessage[] {
    const { outer, inner } = this.#tables;
    return SET_NAMES.flatMap((set) => {
      const changed = elements.filter((element) => element.set === set);
      return changeElements(action, set === 'stations' ? inner : outer, set, changed);
    });
  }

  #deviceMessages(action: 'add' | 'delete', indexes: readonly number[]): NftMessage[] {
    return changeElements(
      action,
      this.#tables.outer,
      DEVICES,
      indexes.map((index) => ({ key: encodeInterface(index) })),
    );
  }

  #transact(changes: readonly NftMessage[]): void {
    this.#socket.transact(nftTransaction(changes));
    if (this.#generation === null) return;
    const expected = (this.#generation + 1) >>> 0;
    this.#generation = this.#askGeneration() === expected ? expected : null;
  }

  /** @returns null where the kernel has no such thing. */
  #askGeneration(): number | null {
    try {
      return decodeGeneration(this.#socket.get(NFT_MSG_GETGEN, ...askGeneration())[0]!.body);
    } catch (error) {
      if (error instanceof SysError) return null;
      throw error;
    }
  }
}

/** The ports that these networks' VTEPs are at. */
function portsOf(vnis: Iterable<number>, networks: ReadonlyMap<number, WantedNetwork>): number[] {
  const ports = [...vnis].flatMap((vni) => [...(networks.get(vni)?.vteps.values() ?? [])].map(({ port }) => port));
  return [...new Set(ports)];
}

/** Made first, so that deleting one that is not there is no error. */
function without(table: Table): NftMessage[] {
  return [newTable(table), deleteTable(table)];
}

/** @returns one line for people. */
function explain(error: SysError): string {
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
