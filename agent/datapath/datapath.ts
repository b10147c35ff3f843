/**
 * What carries frames, as control sees it. Control never sees a packet and the data path never sees HTTP: they meet in the table.
 *
 * Implementations: `agent/kernel` (the Linux kernel's own VXLAN), `agent/userspace` (VXLAN in TypeScript), `in-memory.ts` (tests and
 * simulations).
 */
import type { TableUpdate } from '../../src/contract/table.ts';
import type { Transport } from '../../src/contract/wireguard.ts';

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

  /**
   * Calls `listener` with how the networks fare when it has looked after them of itself: a bridge may have gone since, or come. One
   * listener at most.
   */
  onReport(listener: (report: ApplyReport) => void): void;

  /**
   * Tells which stations came to be on this host's own ports, and which no longer are: what other sites should send here.
   *
   * Announced: a unicast MAC when it is first heard on a port, and again when its IP address became known or changed. Withdrawn: one
   * that was announced and aged, whose port went, or that a row of the table now places at another site. What is heard after such a
   * row is heard anew: the station may have come back, and the gateway decides. A row that names a site not among the network's VTEPs
   * (this site's own rows are such) places it nowhere else. What comes from the underlay is never announced.
   *
   * Changes are gathered for about 100 ms, each MAC in at most one of the two lists, so that a storm of new MACs is a few calls. They
   * need no answer: whoever listens keeps them until the gateway has them. One listener at most.
   */
  onLearned(listener: (changes: LearnedChanges) => void): void;

  /**
   * All stations on this host's own ports at this moment, whole: what was announced and not withdrawn, with changes not told yet
   * counted in. Asked after a reconnection, and whenever the listener isn't sure any more.
   */
  localMacs(): Promise<readonly LocalMac[]>;

  /** What the data path forwards by, at this moment. */
  fdb(): Promise<readonly NetworkFdb[]>;

  /** Totals since the start. Cheap enough to be read every second. */
  counters(): DatapathCounters;

  /** What the path to each VTEP of the tables is like, by asking over what its frames take. */
  paths(): readonly PeerPath[];

  /** Calls `listener` when one of them became what it was not: it is reachable or no more, or carries more or less. One listener at most. */
  onPathChange(listener: () => void): void;

  /** Watches the frames of a network that pass, from when it resolves. Absent where the host's own tools do that: the kernel's devices can be watched by tcpdump. */
  capture?(request: CaptureRequest): Promise<Capture>;

  /** Called once if the data path dies of itself; it forwards nothing from then on. */
  onFailure(listener: (reason: Error) => void): void;

  /**
   * Stops, and removes every device that it made.
   * @param options.keep leave them, and the kernel forwarding where it does: for the next start to take over.
   */
  stop(options?: { readonly keep: boolean }): Promise<void>;
}

/** One whose VTEP can move to other addresses while it forwards. */
export interface MovableDatapath extends Datapath {
  /** Takes VXLAN by each of these from now on, and sends from the first. @throws DatapathError where they stay what they were. */
  setSources(sources: readonly VtepSource[]): Promise<void>;
}

/** Where VXLAN is taken in and sent from: an address, by that device alone. */
export interface VtepSource {
  /** In canonical text. */
  readonly address: string;
  readonly device: string;
  /** Of the device: one that was made anew has another. */
  readonly index: number;
}

/** Why frames can't be captured, to a person. */
export const KERNEL_CARRIES = 'the kernel carries the frames here: watch its devices with tcpdump';

export interface ApplyReport {
  /** The networks that are not carried, by VNI, with one line that says why and what to do. */
  readonly errors: ReadonlyMap<number, string>;
  /** The MTU in force on the port of each network that is carried, in bytes: lower than asked for where the underlay leaves less. */
  readonly mtus: ReadonlyMap<number, number>;
}

/** A station on a port of this host. */
export interface LocalMac {
  readonly vni: number;
  /** Lower case with colons. */
  readonly mac: string;
  /**
   * One address that the station itself gave, in ARP or neighbour discovery, in canonical text. Of several it stays the one that was
   * announced for as long as that is heard, since every change of it goes to all sites; IPv4 goes first.
   */
  readonly ip?: string;
}

export interface LearnedChanges {
  readonly announce: readonly LocalMac[];
  readonly withdraw: readonly { readonly vni: number; readonly mac: string }[];
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
  /** By VNI. */
  readonly networks: ReadonlyMap<number, NetworkCounters>;
}

export interface NetworkCounters {
  readonly totals: Readonly<Record<string, number>>;
  /** The VTEPs of the network's table; what went to and came from others is in the totals alone. */
  readonly peers: readonly PeerCounters[];
}

/**
 * What passed between this site and one VTEP in one network: `rxFrames`, `rxBytes`, `txFrames`, `txBytes` (bytes of the inner frames), and
 * `drop…` for what could not be sent there, by reason. From 0 when the VTEP comes into the network's table, at another address, too.
 */
export interface PeerCounters extends VtepAddress {
  readonly counters: Readonly<Record<string, number>>;
}

/** Times and sizes are of the last minutes. */
export interface PeerPath extends VtepAddress {
  readonly site: string;
  readonly transport: Transport;
  /**
   * `new`: no answer yet, and not asked often enough to say so. `silent`: it never answered, nor asked. `unreachable`: it was heard, and
   * the last ten asks were lost.
   */
  readonly state: 'new' | 'reachable' | 'silent' | 'unreachable';
  /** Smoothed, in milliseconds, without the time that the answer was held there. */
  readonly rttMs?: number;
  /** Of the last asks, at most 32, since it became reachable. */
  readonly asked: number;
  readonly lost: number;
  /** The largest packet that came there, in bytes of IP packet. */
  readonly mtu?: number;
  /** What the networks need of it, and how much of that VXLAN adds. */
  readonly neededMtu: number;
  readonly overhead: number;
  /** False where that does not pass; absent while it is not known. */
  readonly carriesNeeded?: boolean;
  /** It asked or answered lately: the way from there to here is open. */
  readonly hears: boolean;
}

export interface CaptureRequest {
  readonly vni: number;
  /** Lower case with colons: only frames from or to one of these; every one where there are none. */
  readonly macs: readonly string[];
  /** How many bytes of a frame are kept, at most. */
  readonly snapLength: number;
}

/** A watch on passing frames. It never holds them up: what its reader does not take in time is not kept, and counted. */
export interface Capture {
  /** What passed since it was last asked, the oldest first; not all at once where there is much. */
  read(): CapturedFrame[];
  /** How many frames were not kept so far. */
  readonly dropped: number;
  end(): void;
}

/** A frame on its way out of the data path: what a sender left to a device to do (checksums, cutting) may not be done yet. */
export interface CapturedFrame {
  /** Microseconds since 1970. */
  readonly time: number;
  /** `agent`: it was made here, as an answer to its receiver. */
  readonly from: CapturePlace | 'agent';
  /** `flood`: every other site. */
  readonly to: CapturePlace | 'flood';
  /** Of the whole frame, in bytes. */
  readonly length: number;
  readonly bytes: Uint8Array;
  /** How many frames before it were not kept, since the capture began. */
  readonly dropped: number;
}

export type CapturePlace = FdbEntry['to'];
