/**
 * What carries frames, as control sees it. Control never sees a packet and the data path never sees HTTP: they meet in the table.
 *
 * Implementations: `agent/userspace` (VXLAN in TypeScript), `in-memory.ts` (tests and simulations), and the Linux kernel's own VXLAN
 * to come.
 */
import type { TableUpdate } from '../../src/contract/table.ts';

export interface Datapath {
  /**
   * Puts a table in force. A snapshot is the whole truth: what it does not name goes. A delta changes what it names, on top of
   * everything applied before. Updates are applied in the order of the calls.
   *
   * Resolves when frames are forwarded by it. One network that can't be carried (its bridge is missing, its interface's name is taken)
   * never holds up the others: it is named in the report, and tried again with every later call.
   */
  apply(update: TableUpdate): Promise<ApplyReport>;

  /**
   * Looks after what stands: tries again the networks that could not be carried, mends devices that somebody changed, and says how
   * all stand now. Called now and then.
   */
  retry(): Promise<ApplyReport>;

  /** What the data path forwards by, at this moment. */
  fdb(): Promise<readonly NetworkFdb[]>;

  /** Totals since the start. Cheap enough to be read every second. */
  counters(): DatapathCounters;

  /** Called once if the data path dies of itself; it forwards nothing from then on. */
  onFailure(listener: (reason: Error) => void): void;

  /** Stops forwarding and removes every device that it made. */
  stop(): Promise<void>;
}

export interface ApplyReport {
  /** The networks that are not carried, by VNI, with one line that says why and what to do. */
  readonly errors: ReadonlyMap<number, string>;
  /** The MTU in force on the port of each network that is carried, in bytes: lower than asked for where the underlay leaves less. */
  readonly mtus: ReadonlyMap<number, number>;
}

export interface NetworkFdb {
  readonly vni: number;
  readonly name: string;
  /** Where broadcast, multicast and unknown unicast go. */
  readonly flood: readonly VtepAddress[];
  readonly entries: readonly FdbEntry[];
}

export interface FdbEntry {
  readonly mac: string;
  /** An interface of this host, or a VTEP. */
  readonly to: { readonly port: string } | { readonly vtep: VtepAddress };
  readonly origin: 'registry' | 'learned';
  /** Seconds since a learned entry was last heard; absent for the registry's. */
  readonly ageSeconds?: number;
}

export interface VtepAddress {
  readonly address: string;
  readonly port: number;
}

export interface DatapathCounters {
  /** What can't be put down to a network: datagrams with an unknown VNI, say. */
  readonly agent: Readonly<Record<string, number>>;
  readonly networks: ReadonlyMap<number, Readonly<Record<string, number>>>;
}
