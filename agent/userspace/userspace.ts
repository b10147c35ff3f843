/**
 * The userspace data path as control sees it: makes the devices, and hands them and the table to the thread that forwards.
 */
import { extname } from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { parseIp } from '../../src/contract/ip.ts';
import type { PortSpec } from '../../src/contract/port.ts';
import type { NetworkChange, NetworkTable, TableUpdate } from '../../src/contract/table.ts';
import { MAX_NETWORKS } from '../datapath/apply-table.ts';
import { createCounterMemory, readCounters } from '../datapath/counters.ts';
import type {
  ApplyReport,
  Datapath,
  DatapathCounters,
  LearnedChanges,
  LocalMac,
  NetworkCounters,
  NetworkFdb,
} from '../datapath/datapath.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import { createPeerCounterMemory, MAX_COUNTED_PEERS, readPeerCounters } from '../datapath/peer-counters.ts';
import {
  forgetTap,
  maintainTap,
  openTap,
  PortError,
  removeLeftTaps,
  type TapDevice,
  type TapRequest,
} from '../ports/tap-device.linux.ts';
import { Arena } from '../sys/arena.linux.ts';
import { write } from '../sys/libc.linux.ts';
import { findLinkByAddress } from '../sys/link.linux.ts';
import { VXLAN_OVERHEAD_IPV4, VXLAN_OVERHEAD_IPV6 } from '../wire/vxlan.ts';
import type { FromThread, PortAssignment, ThreadOptions, ToThread } from './protocol.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface UserspaceOptions {
  /** Where this site takes VXLAN. An address that is not this host's (it is a NAT's, say) or null: on every address. */
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** The same across restarts, another for each agent of a host: devices are known by it. */
  readonly identity: string;
  readonly rules?: ForwardingRules;
  readonly log: (level: LogLevel, message: string) => void;
}

/** The data path can't start. `code` is an errno's name or `internal`; `message` is one line for people. */
export class DatapathError extends Error {
  override readonly name = 'DatapathError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** How often devices are looked after without being asked: a bridge may be made anew, a link's MTU may change. */
const UPKEEP_SECONDS = 10;

interface Wanted {
  readonly network: string;
  readonly port: PortSpec;
  readonly mtu: number;
}

interface OpenDevice extends TapDevice {
  /** The network and port it was opened for; another wants another device. */
  readonly key: string;
}

/** @throws DatapathError */
export async function openUserspaceDatapath(options: UserspaceOptions): Promise<Datapath> {
  const { address, port } = options.vtep;
  const isLocal = address !== null && (isLoopback(address) || findLinkByAddress(address) !== undefined);
  if (address !== null && !isLocal) {
    options.log('info', `the VTEP address ${address} is not on this host: taking VXLAN on every address`);
  }
  const counters = createCounterMemory(MAX_NETWORKS);
  const peerCounters = createPeerCounterMemory(MAX_NETWORKS, MAX_COUNTED_PEERS);
  const { port1, port2 } = new MessageChannel();
  const thread = new Worker(new URL(`./thread${extname(import.meta.url)}`, import.meta.url), {
    name: 'datapath',
    workerData: {
      port: port2,
      options: {
        address: isLocal ? address : null,
        port,
        counters,
        peerCounters,
        rules: options.rules ?? {},
      } satisfies ThreadOptions,
    },
    transferList: [port2],
  });
  const first = await new Promise<FromThread>((resolve, reject) => {
    port1.once('message', resolve);
    thread.once('error', reject);
  });
  if (first.type !== 'ready') {
    port1.close();
    await thread.terminate();
    if (first.type === 'failed') throw new DatapathError(first.code, explainStart(first.code, first.message, options));
    throw new DatapathError('internal', `the data path's thread began with ${first.type}`);
  }
  return new UserspaceDatapath(options, { thread, port: port1, wakeFd: first.wakeFd, counters, peerCounters });
}

class UserspaceDatapath implements Datapath {
  readonly #options: UserspaceOptions;
  readonly #thread: Worker;
  readonly #port: MessagePort;
  readonly #wakeFd: number;
  readonly #counters: Float64Array;
  readonly #peerCounters: Float64Array;
  readonly #wakeValue: Arena;
  readonly #wanted = new Map<number, Wanted>();
  readonly #devices = new Map<number, OpenDevice>();
  /** Why a network has no port, by VNI; and what the thread could not do. */
  readonly #portErrors = new Map<number, string>();
  readonly #problems = new Map<number, string>();
  #mtus = new Map<number, number>();
  #counterBases: ReadonlyMap<number, number> = new Map();
  readonly #answers = new Map<number, (answer: FromThread) => void>();
  #learned: (changes: LearnedChanges) => void = () => {};
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  readonly #upkeep: NodeJS.Timeout;
  #nextId = 1;
  #queue: Promise<unknown> = Promise.resolve();
  #leftRemoved = false;
  #stopping = false;
  #failure: Error | null = null;

  constructor(
    options: UserspaceOptions,
    running: {
      readonly thread: Worker;
      readonly port: MessagePort;
      readonly wakeFd: number;
      readonly counters: Float64Array;
      readonly peerCounters: Float64Array;
    },
  ) {
    this.#options = options;
    this.#thread = running.thread;
    this.#port = running.port;
    this.#wakeFd = running.wakeFd;
    this.#counters = running.counters;
    this.#peerCounters = running.peerCounters;
    this.#wakeValue = new Arena(64);
    this.#wakeValue.view.setUint32(0, 1, true);
    this.#port.on('message', (message: FromThread) => this.#take(message));
    this.#thread.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#upkeep = setInterval(() => void this.retry().catch(() => undefined), UPKEEP_SECONDS * 1000);
    this.#upkeep.unref();
    this.#thread.on('exit', () => this.#fail(new Error("the data path's thread ended")));
  }

  apply(update: TableUpdate): Promise<ApplyReport> {
    return this.#inOrder(() => this.#apply(update));
  }

  retry(): Promise<ApplyReport> {
    return this.#inOrder(() => this.#apply(null));
  }

  async fdb(): Promise<readonly NetworkFdb[]> {
    const answer = await this.#ask((id) => ({ type: 'fdb', id }));
    return answer.type === 'fdb' ? answer.networks : [];
  }

  counters(): DatapathCounters {
    const peers = readPeerCounters([this.#peerCounters]);
    const networks = new Map<number, NetworkCounters>();
    for (const [vni, base] of this.#counterBases) {
      networks.set(vni, { totals: readCounters(this.#counters, base), peers: peers.get(vni) ?? [] });
    }
    return { agent: readCounters(this.#counters, 0), networks };
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#learned = listener;
  }

  async localMacs(): Promise<readonly LocalMac[]> {
    const answer = await this.#ask((id) => ({ type: 'localMacs', id }));
    return answer.type === 'localMacs' ? answer.macs : [];
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#failureListeners.push(listener);
  }

  stop(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#stopping) return;
      this.#stopping = true;
      clearInterval(this.#upkeep);
      for (const device of this.#devices.values()) forgetTap(device);
      this.#devices.clear();
      if (this.#failure !== null) return;
      const ended = new Promise((resolve) => this.#thread.once('exit', resolve));
      this.#send({ type: 'stop' });
      await ended;
      this.#port.close();
    });
  }

  async #apply(update: TableUpdate | null): Promise<ApplyReport> {
    if (this.#stopping) throw new DatapathError('stopped', 'the data path was stopped');
    if (update !== null) this.#want(update);
    if (!this.#leftRemoved) {
      removeLeftTaps(this.#options.identity, (name, vni) => {
        const port = this.#wanted.get(vni)?.port;
        return port !== undefined && requestOf(vni, port, 0)?.name === name;
      });
      this.#leftRemoved = true;
    }
    // First what goes, since what comes may take its interface's name.
    const closePorts = this.#closeUnwanted();
    if (closePorts.length > 0) await this.#tell({ closePorts });
    const openPorts = this.#openWanted();
    const answer = await this.#tell({ update, openPorts, mtus: this.#mtus });
    if (answer.type === 'applied') {
      this.#counterBases = answer.counterBases;
      if (update?.kind === 'snapshot') this.#problems.clear();
      for (const { vni } of update?.networks ?? []) this.#problems.delete(vni);
      for (const [vni, problem] of answer.problems) this.#problems.set(vni, problem);
    }
    for (const vni of this.#problems.keys()) if (!this.#wanted.has(vni)) this.#problems.delete(vni);
    return { errors: new Map([...this.#problems, ...this.#portErrors]), mtus: new Map(this.#mtus) };
  }

  #want(update: TableUpdate): void {
    if (update.kind === 'snapshot') this.#wanted.clear();
    else for (const vni of update.goneNetworks ?? []) this.#wanted.delete(vni);
    for (const { vni, network, port, mtu } of update.networks as readonly (NetworkTable | NetworkChange)[]) {
      this.#wanted.set(vni, { network, port, mtu });
    }
  }

  #closeUnwanted(): number[] {
    const closed: number[] = [];
    for (const [vni, device] of this.#devices) {
      const wanted = this.#wanted.get(vni);
      if (wanted !== undefined && keyOf(wanted) === device.key) continue;
      forgetTap(device);
      this.#devices.delete(vni);
      closed.push(vni);
    }
    return closed;
  }

  #openWanted(): PortAssignment[] {
    const opened: PortAssignment[] = [];
    const limit = this.#mtuLimit();
    this.#mtus = new Map();
    this.#portErrors.clear();
    for (const [vni, wanted] of this.#wanted) {
      const mtu = Math.min(wanted.mtu, limit);
      try {
        const request = requestOf(vni, wanted.port, mtu);
        if (request === null) throw new PortError(`this version of the agent has no ports of type ${wanted.port.type}`);
        if (this.#devices.has(vni)) {
          maintainTap(request);
        } else {
          const made = openTap(this.#options.identity, request);
          this.#devices.set(vni, { ...made, key: keyOf(wanted) });
          opened.push({ vni, device: made });
        }
        this.#mtus.set(vni, mtu);
      } catch (error) {
        this.#portErrors.set(vni, error instanceof Error ? error.message : String(error));
      }
    }
    return opened;
  }

  /** The largest MTU a port may have: what the underlay leaves. It is read each time, since a link's MTU can change. */
  #mtuLimit(): number {
    const { address } = this.#options.vtep;
    const link = address === null ? undefined : findLinkByAddress(address);
    if (address === null || link === undefined) return Number.POSITIVE_INFINITY;
    return link.mtu - (parseIp(address)!.length === 4 ? VXLAN_OVERHEAD_IPV4 : VXLAN_OVERHEAD_IPV6);
  }

  #take(message: FromThread): void {
    switch (message.type) {
      case 'applied':
      case 'localMacs':
      case 'fdb': {
        const answer = this.#answers.get(message.id);
        this.#answers.delete(message.id);
        answer?.(message);
        break;
      }
      case 'learned':
        this.#learned(message.changes);
        break;
      case 'portLost': {
        const device = this.#devices.get(message.vni);
        this.#devices.delete(message.vni);
        this.#portErrors.set(
          message.vni,
          `the interface ${device?.name ?? ''} was deleted by somebody; it is made again`,
        );
        this.#options.log('warn', `the interface ${device?.name ?? ''} was deleted by somebody`);
        this.retry().catch(() => undefined);
        break;
      }
      case 'failed':
        this.#fail(new DatapathError(message.code, message.message));
        break;
      case 'notice':
        this.#options.log('info', message.message);
        break;
      case 'ready':
        break;
    }
  }

  #fail(reason: Error): void {
    if (this.#stopping || this.#failure !== null) return;
    clearInterval(this.#upkeep);
    this.#failure = reason;
    for (const answer of this.#answers.values()) answer({ type: 'failed', code: 'internal', message: reason.message });
    this.#answers.clear();
    for (const listener of this.#failureListeners) listener(reason);
  }

  #tell(change: Partial<Omit<ToThread & { readonly type: 'apply' }, 'type' | 'id'>>): Promise<FromThread> {
    return this.#ask((id) => ({
      type: 'apply',
      id,
      closePorts: [],
      update: null,
      mtus: new Map(),
      openPorts: [],
      ...change,
    }));
  }

  async #ask(message: (id: number) => ToThread): Promise<FromThread> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextId++;
    const answer = new Promise<FromThread>((resolve) => this.#answers.set(id, resolve));
    this.#send(message(id));
    const got = await answer;
    if (got.type === 'failed') throw new DatapathError(got.code, got.message);
    return got;
  }

  #send(message: ToThread): void {
    this.#port.postMessage(message);
    write(this.#wakeFd, this.#wakeValue.address, 8);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** What device a port needs; null for a kind of port that we have none for. A bridge's port has a name of its own making. */
function requestOf(vni: number, port: PortSpec, mtu: number): TapRequest | null {
  if (port.type === 'host') return { name: port.name, vni, mtu };
  if (port.type === 'bridge') return { name: `ovl${vni}`, vni, mtu, bridge: port.name };
  return null;
}

function keyOf({ network, port }: Wanted): string {
  return `${network} ${JSON.stringify(port)}`;
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
