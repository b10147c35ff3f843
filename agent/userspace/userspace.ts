/**
 * The userspace data path as control sees it: makes the devices, and hands them and the table to the threads that forward.
 *
 * Threads share what was heard of stations, and each has its own of all that the table says; an update is in force when every one of
 * them has applied it. They get updates in the same order, so that what they number alike stays alike.
 */
import type { TableUpdate } from '../../src/contract/table.ts';
import { MAX_NETWORKS } from '../datapath/apply-table.ts';
import { createCounterMemory, readCounters } from '../datapath/counters.ts';
import type {
  ApplyReport,
  Capture,
  CaptureRequest,
  DatapathCounters,
  LearnedChanges,
  LocalMac,
  MovableDatapath,
  NetworkCounters,
  NetworkFdb,
  PeerPath,
} from '../datapath/datapath.ts';
import { DatapathError } from '../datapath/datapath-error.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import { createPeerCounterMemory, MAX_COUNTED_PEERS, readPeerCounters } from '../datapath/peer-counters.ts';
import { type OpenProber, openProber } from '../paths/open-prober.linux.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import { LinkWatch } from '../sys/link-watch.linux.ts';
import { innerMtuLimit } from '../underlay/inner-mtu.linux.ts';
import type { UnderlaySource } from '../underlay/udp.linux.ts';
import { openCapture } from './capture.ts';
import { DataThread, type Said } from './data-thread.ts';
import { Devices } from './devices.ts';
import { NetworkMemories } from './network-memories.ts';
import type { Answer, PortAssignment, ToThread } from './protocol.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface UserspaceOptions {
  /** Where this site takes VXLAN. An address that is not this host's (it is a NAT's, say) or null: on every address. */
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** The one interface that VXLAN comes and goes by, which has the VTEP's address; absent: any. */
  readonly device?: { readonly name: string; readonly index: number };
  /** The same across restarts, another for each agent of a host: devices are known by it. */
  readonly identity: string;
  /** How many threads forward. */
  readonly threads: number;
  readonly rules?: ForwardingRules;
  readonly log: (level: LogLevel, message: string) => void;
}

/** How often is looked whether an interface of the host changed: a bridge is made anew, a link has another MTU. Then ours are looked after. */
const LINKS_MS = 500;
/** And how often they are in any case. */
const UPKEEP_SECONDS = 10;

interface RunningThread {
  readonly thread: DataThread;
  readonly counters: Float64Array;
  readonly peerCounters: Float64Array;
  counterBases: ReadonlyMap<number, number>;
}

/** @throws DatapathError */
export async function openUserspaceDatapath(options: UserspaceOptions): Promise<MovableDatapath> {
  const { device } = options;
  const { address, port } = options.vtep;
  const isLocal = address !== null && (isLoopback(address) || findLinkByAddress(address) !== undefined);
  if (address !== null && !isLocal) {
    options.log('info', `the VTEP address ${address} is not on this host: taking VXLAN on every address`);
  }
  const source = { address: isLocal ? address : null, ...(device && { device: device.name, index: device.index }) };
  const threads: RunningThread[] = [];
  try {
    // One after the other: the first has the UDP port to itself, or fails.
    for (let index = 0; index < options.threads; index++) {
      const counters = createCounterMemory(MAX_NETWORKS);
      const peerCounters = createPeerCounterMemory(MAX_NETWORKS, MAX_COUNTED_PEERS);
      const thread = await DataThread.start({
        index,
        count: options.threads,
        source,
        port,
        counters,
        peerCounters,
        rules: options.rules ?? {},
      });
      threads.push({ thread, counters, peerCounters, counterBases: new Map() });
    }
  } catch (error) {
    await Promise.all(threads.map(({ thread }) => thread.stop()));
    if (!(error instanceof DatapathError)) throw error;
    throw new DatapathError(error.code, explainStart(error.code, error.message, options));
  }
  return new ThreadsDatapath(options, threads, openProber(source, port));
}

class ThreadsDatapath implements MovableDatapath {
  readonly #options: UserspaceOptions;
  /** Of the VTEP. */
  #address: string | null;
  readonly #threads: readonly RunningThread[];
  /** Keeps the site's stations, and answers for all. */
  readonly #first: DataThread;
  readonly #devices: Devices;
  readonly #prober: OpenProber;
  readonly #memories = new NetworkMemories();
  /** What the threads could not do, by VNI. */
  readonly #problems = new Map<number, string>();
  #learned: (changes: LearnedChanges) => void = () => {};
  #reported: (report: ApplyReport) => void = () => {};
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  readonly #links = new LinkWatch();
  readonly #upkeep: NodeJS.Timeout;
  #lookedAfterAt = performance.now();
  readonly #noticed = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #stopping = false;
  #failure: Error | null = null;

  constructor(options: UserspaceOptions, threads: readonly RunningThread[], prober: OpenProber) {
    const { identity, threads: count } = options;
    this.#options = options;
    this.#address = options.vtep.address;
    this.#threads = threads;
    this.#prober = prober;
    this.#first = threads[0]!.thread;
    this.#devices = new Devices({ identity, threads: count, notice: (message) => this.#notice(message) });
    for (const { thread } of threads) {
      thread.onSaid = (said) => this.#take(said);
      thread.onFailure = (reason) => this.#fail(reason);
    }
    this.#upkeep = setInterval(() => {
      const isDue = performance.now() - this.#lookedAfterAt >= UPKEEP_SECONDS * 1000;
      if (this.#links.hasChanged() || isDue) this.#lookAfter();
    }, LINKS_MS);
    this.#upkeep.unref();
  }

  apply(update: TableUpdate): Promise<ApplyReport> {
    return this.#inOrder(() => this.#apply(update));
  }

  retry(): Promise<ApplyReport> {
    return this.#inOrder(() => this.#apply(null));
  }

  onReport(listener: (report: ApplyReport) => void): void {
    this.#reported = listener;
  }

  async fdb(): Promise<readonly NetworkFdb[]> {
    return (await this.#first.ask('fdb', (id) => ({ type: 'fdb', id }))).networks;
  }

  counters(): DatapathCounters {
    const peers = readPeerCounters(this.#threads.map(({ peerCounters }) => peerCounters));
    const networks = new Map<number, NetworkCounters>();
    for (const vni of this.#threads[0]!.counterBases.keys()) {
      const totals = this.#sum(({ counterBases }) => counterBases.get(vni));
      networks.set(vni, { totals, peers: peers.get(vni) ?? [] });
    }
    const agent = this.#sum(() => 0);
    // Of those that share an address with a listed one.
    return { agent: { ...agent, dropUnlistedProbe: (agent.dropUnlistedProbe ?? 0) + this.#prober.unlisted }, networks };
  }

  paths(): readonly PeerPath[] {
    return this.#prober.paths();
  }

  onPathChange(listener: () => void): void {
    this.#prober.onChange = listener;
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#learned = listener;
  }

  async localMacs(): Promise<readonly LocalMac[]> {
    // What the others know and have not said yet goes to the first before it is asked.
    await Promise.all(this.#threads.slice(1).map(({ thread }) => thread.ask('hinted', (id) => ({ type: 'hint', id }))));
    return (await this.#first.ask('localMacs', (id) => ({ type: 'localMacs', id }))).macs;
  }

  capture(request: CaptureRequest): Promise<Capture> {
    const threads = this.#threads.map(({ thread }) => ({
      begin: (capture: Omit<Extract<ToThread, { type: 'capture' }>, 'type' | 'id'>) =>
        thread.ask('capturing', (id) => ({ type: 'capture', id, ...capture })),
      end: (number: number) => thread.send({ type: 'endCapture', number }),
    }));
    return openCapture(request, threads);
  }

  setSources(sources: readonly UnderlaySource[]): Promise<void> {
    return this.#inOrder(async () => {
      // The first has the port to itself before the others join it there.
      for (const { thread } of this.#threads) {
        const { error } = await thread.ask('sourced', (id) => ({ type: 'sources', id, sources }));
        if (error !== null) throw new DatapathError('internal', `the VTEP can't move: ${error}`);
      }
      this.#address = sources[0]?.address ?? null;
      if (sources[0] !== undefined) this.#prober.setSource(sources[0]);
    });
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#failureListeners.push(listener);
  }

  /** Kept, the interfaces stay with their addresses, and nothing passes until the next start. */
  stop({ keep } = { keep: false }): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#stopping) return;
      this.#stopping = true;
      this.#prober.stop();
      if (this.#failure === null) this.#endUpkeep();
      if (!keep) this.#devices.forgetAll();
      await Promise.all(this.#threads.map(({ thread }) => thread.stop()));
    });
  }

  #lookAfter(): void {
    this.#lookedAfterAt = performance.now();
    this.retry().then(
      (report) => this.#reported(report),
      () => undefined,
    );
  }

  async #apply(update: TableUpdate | null): Promise<ApplyReport> {
    if (this.#stopping) throw new DatapathError('stopped', 'the data path was stopped');
    if (this.#failure !== null) throw this.#failure;
    if (update !== null) {
      this.#devices.want(update);
      this.#prober.follow(update);
    }
    // First what goes, since what comes may take its interface's name.
    const closePorts = this.#devices.closeUnwanted();
    if (closePorts.length > 0) await this.#tell({ closePorts });
    const openPorts = this.#devices.openWanted(innerMtuLimit(this.#address));
    const problems = await this.#tell({ update, openPorts });
    if (update?.kind === 'snapshot') this.#problems.clear();
    for (const { vni } of update?.networks ?? []) this.#problems.delete(vni);
    for (const [vni, problem] of problems) this.#problems.set(vni, problem);
    for (const vni of this.#problems.keys()) if (!this.#devices.isWanted(vni)) this.#problems.delete(vni);
    this.#prober.inForce(this.#devices.mtus);
    return { errors: new Map([...this.#problems, ...this.#devices.errors]), mtus: this.#devices.mtus };
  }

  /** Tells every thread, the first one first, and waits for all. @returns what could not be done, by VNI. */
  async #tell(change: {
    readonly closePorts?: readonly number[];
    readonly update?: TableUpdate | null;
    readonly openPorts?: readonly (readonly PortAssignment[])[];
  }): Promise<ReadonlyMap<number, string>> {
    const { closePorts = [], update = null, openPorts } = change;
    const isShared = this.#threads.length > 1 && update !== null;
    const memories = isShared ? this.#memories.follow(update) : new Map<number, SharedArrayBuffer>();
    const { mtus } = this.#devices;
    const answers = await Promise.all(
      this.#threads.map(({ thread }, i) =>
        thread.ask('applied', (id) => {
          const ports = openPorts?.[i] ?? [];
          return { type: 'apply', id, closePorts, update, memories, mtus, openPorts: ports };
        }),
      ),
    );
    for (const [i, { counterBases }] of answers.entries()) this.#threads[i]!.counterBases = counterBases;
    return new Map(answers.flatMap(({ problems }: Answer & { readonly type: 'applied' }) => [...problems]));
  }

  /** @param baseOf where a thread's block begins, if it has one. */
  #sum(baseOf: (thread: RunningThread) => number | undefined): Record<string, number> {
    const sum: Record<string, number> = {};
    for (const thread of this.#threads) {
      const base = baseOf(thread);
      if (base === undefined) continue;
      for (const [name, count] of Object.entries(readCounters(thread.counters, base))) {
        sum[name] = (sum[name] ?? 0) + count;
      }
    }
    return sum;
  }

  #take(said: Said): void {
    switch (said.type) {
      case 'learned':
        this.#learned(said.changes);
        break;
      case 'hints':
        this.#first.send(said);
        break;
      case 'portLost': {
        const name = this.#devices.lose(said.vni, said.portId);
        if (name === null) break;
        this.#options.log('warn', `the interface ${name} was deleted by somebody`);
        this.#lookAfter();
        break;
      }
      case 'probes':
        for (const heard of said.heard) this.#prober.heard(heard);
        break;
      case 'notice':
        this.#notice(said.message);
        break;
    }
  }

  /** Once, though each thread and each device may find it out for itself. */
  #notice(message: string): void {
    if (!this.#noticed.has(message)) this.#options.log('info', message);
    this.#noticed.add(message);
  }

  #fail(reason: Error): void {
    if (this.#stopping || this.#failure !== null) return;
    this.#prober.stop();
    this.#endUpkeep();
    this.#failure = reason;
    for (const listener of this.#failureListeners) listener(reason);
  }

  #endUpkeep(): void {
    clearInterval(this.#upkeep);
    this.#links.close();
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function explainStart(code: string, message: string, { vtep }: UserspaceOptions): string {
  switch (code) {
    case 'EADDRINUSE':
      return `UDP port ${vtep.port} is in use, by another agent or by a kernel vxlan device: stop that, or choose another --vtep-port`;
    case 'EACCES':
      return `may not use UDP port ${vtep.port}: ports below 1024 need root or CAP_NET_BIND_SERVICE`;
    case 'EAFNOSUPPORT':
      return `this host has no IPv6, which the VTEP address ${vtep.address} needs`;
    default:
      return `the data path can't start: ${message}`;
  }
}
