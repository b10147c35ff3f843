/**
 * Carries encrypted networks: VXLAN, by whichever data path, over WireGuard devices of the site's own alone. The devices are there only while
 * there is such a network. Without WireGuard it carries nothing and says why, for as long as it is so.
 *
 * A key is changed by having two for a while, each with a device and an address: VXLAN is taken in by either and sent by the first.
 */
import { reasonOf } from '../../shared/failure.ts';
import { Turns } from '../../shared/turns.ts';
import type { TableUpdate } from '../../src/contract/table.ts';
import { type LastGood, mergeUpdate, toSnapshot } from '../control/merge.ts';
import {
  type ApplyReport,
  type Capture,
  type CaptureRequest,
  type Datapath,
  type DatapathCounters,
  KERNEL_CARRIES,
  type LearnedChanges,
  type LocalMac,
  type MovableDatapath,
  type NetworkFdb,
  type PeerPath,
  type VtepSource,
} from '../datapath/datapath.ts';
import { type DeviceKey, missingWireguard, removeLeftDevices } from './device.linux.ts';
import { peersOf, type WireguardPeer } from './peers.ts';
import { Sessions } from './sessions.ts';
import { Tunnel } from './tunnel.ts';
import { tunnelMtu } from './underlay-mtu.linux.ts';

const UPKEEP_SECONDS = 5;

export interface EncryptedDatapathOptions {
  /** The site's keys; the first is the one to send by. */
  readonly keys: readonly DeviceKey[];
  /** Of the VTEP, which says what the underlay leaves. */
  readonly vtepAddress: string | null;
  readonly identity: string;
  /** Removes what an earlier run's data path left, where this one is not opened. */
  readonly removeLeft: () => void;
  /** Opens what carries VXLAN by that device alone. @throws DatapathError */
  readonly openInner: (source: VtepSource) => Promise<MovableDatapath>;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

export class EncryptedDatapath implements Datapath {
  readonly #options: EncryptedDatapathOptions;
  readonly #tunnel: Tunnel;
  readonly #sessions = new Sessions();
  #keys: readonly DeviceKey[];
  #table: LastGood | null = null;
  #inner: MovableDatapath | null = null;
  #sources: readonly VtepSource[] = [];
  readonly #learnedListeners: ((changes: LearnedChanges) => void)[] = [];
  #reported: (report: ApplyReport) => void = () => {};
  #pathChanged: () => void = () => {};
  readonly #failureListeners: ((reason: Error) => void)[] = [];
  readonly #upkeep: NodeJS.Timeout;
  readonly #turns = new Turns();
  #leftRemoved = false;
  /** The data path does not certainly forward by the table. */
  #isStale = false;
  #stopping = false;

  constructor(options: EncryptedDatapathOptions) {
    this.#options = options;
    this.#keys = options.keys;
    this.#tunnel = new Tunnel({
      identity: options.identity,
      mtu: () => tunnelMtu(options.vtepAddress),
      log: (line) => options.log('warn', `WireGuard: ${line}`),
      onLost: () => {
        if (this.#stopping) return;
        options.log('warn', 'a WireGuard device is gone: it is made again');
        this.#lookAfter();
      },
    });
    this.#upkeep = setInterval(() => {
      if (this.#isStale) this.#lookAfter();
      else void this.#turns.take(() => this.#lookAtSessions()).catch(() => undefined);
    }, UPKEEP_SECONDS * 1000);
    this.#upkeep.unref();
  }

  apply(update: TableUpdate): Promise<ApplyReport> {
    return this.#turns.take(async () => {
      const merged = mergeUpdate(this.#table, update);
      if (merged.kind === 'resync') {
        this.#table = null;
        throw new Error(merged.reason);
      }
      this.#table = merged.table;
      return this.#putInForce(update);
    });
  }

  retry(): Promise<ApplyReport> {
    return this.#turns.take(() => this.#putInForce(null));
  }

  onReport(listener: (report: ApplyReport) => void): void {
    this.#reported = listener;
  }

  /** Goes over to these keys: VXLAN is sent by the first when this resolves, and taken in by each. @throws Error where that can't be had. */
  setKeys(keys: readonly DeviceKey[]): Promise<void> {
    return this.#turns.take(async () => {
      const before = this.#keys;
      this.#keys = keys;
      if (this.#inner === null) return;
      try {
        await this.#openTunnel(this.#inner);
        await this.#tunnel.keep(keys);
      } catch (error) {
        this.#keys = before;
        await this.#tunnel.keep(before);
        throw error;
      }
    });
  }

  /** True where nobody that the site has a session with by its first key has to wait for one by its last. */
  async isWarm(): Promise<boolean> {
    const [current, next] = [this.#keys[0]!, this.#keys.at(-1)!];
    return this.#inner === null || this.#tunnel.isWarm(next, current);
  }

  /** Peers that there is no session with: they can't be reached, nor reach this site. */
  get withoutSession(): readonly WireguardPeer[] {
    return this.#inner === null ? [] : this.#sessions.missing;
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#learnedListeners.push(listener);
  }

  async localMacs(): Promise<readonly LocalMac[]> {
    return this.#inner?.localMacs() ?? [];
  }

  async fdb(): Promise<readonly NetworkFdb[]> {
    return this.#inner?.fdb() ?? [];
  }

  counters(): DatapathCounters {
    return this.#inner?.counters() ?? { agent: {}, networks: new Map() };
  }

  paths(): readonly PeerPath[] {
    return this.#inner?.paths() ?? [];
  }

  onPathChange(listener: () => void): void {
    this.#pathChanged = listener;
  }

  async capture(request: CaptureRequest): Promise<Capture> {
    if (this.#inner === null) throw new Error('the network is not carried');
    if (this.#inner.capture === undefined) throw new Error(KERNEL_CARRIES);
    return this.#inner.capture(request);
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#failureListeners.push(listener);
  }

  /** What is kept waits for the next start: without the devices of WireGuard nothing passes. */
  stop(options?: { readonly keep: boolean }): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#upkeep);
    return this.#turns.take(() => this.#close(options));
  }

  /** Of itself, so how the networks fare then is told. */
  #lookAfter(): void {
    this.retry().then(
      (report) => this.#reported(report),
      () => undefined,
    );
  }

  async #lookAtSessions(): Promise<void> {
    if (this.#inner === null || this.#table === null) return;
    this.#sessions.look(this.#table.networks.values(), await this.#tunnel.handshakes(), Date.now() / 1000);
  }

  async #putInForce(update: TableUpdate | null): Promise<ApplyReport> {
    const table = this.#table;
    if (this.#stopping || table === null || table.networks.size === 0) {
      await this.#close();
      // A network that is plain now would want the interface of its name.
      if (table !== null && !this.#leftRemoved) {
        this.#leftRemoved = true;
        removeLeftDevices(this.#options.identity);
        this.#options.removeLeft();
      }
      this.#isStale = false;
      return { errors: new Map(), mtus: new Map() };
    }
    try {
      if (this.#inner === null) {
        const missing = missingWireguard();
        if (missing !== null) throw new Error(missing);
        this.#isStale = true;
        this.#inner = await this.#open(table);
        this.#leftRemoved = true;
      } else if (this.#isStale || update === null || concernsPeers(update)) {
        await this.#openTunnel(this.#inner);
      }
      const report = await this.#tell(this.#inner, this.#isStale ? toSnapshot(table) : update);
      this.#isStale = false;
      return report;
    } catch (error) {
      // What stands keeps its interfaces. It sends by a device of WireGuard's or not at all, so nothing of it goes in plain.
      this.#isStale = true;
      const reason = `not carried, since it must be encrypted by WireGuard: ${reasonOf(error)}`;
      return { errors: new Map([...table.networks.keys()].map((vni) => [vni, reason])), mtus: new Map() };
    }
  }

  #tell(inner: MovableDatapath, update: TableUpdate | null): Promise<ApplyReport> {
    return update === null ? inner.retry() : inner.apply(update);
  }

  async #open(table: LastGood): Promise<MovableDatapath> {
    this.#sources = await this.#tunnel.open(this.#keys, peersOf(table.networks.values()));
    const inner = await this.#options.openInner(this.#sources[0]!);
    inner.onLearned((changes) => {
      for (const listener of this.#learnedListeners) listener(changes);
    });
    inner.onReport((report) => {
      // Without WireGuard's devices what it carries goes nowhere, however well it does.
      if (!this.#isStale) this.#reported(report);
    });
    inner.onPathChange(() => this.#pathChanged());
    inner.onFailure((reason) => {
      for (const listener of this.#failureListeners) listener(reason);
    });
    if (this.#sources.length > 1) await inner.setSources(this.#sources);
    return inner;
  }

  /** Brings devices and peers in step, and VXLAN to where the devices are. */
  async #openTunnel(inner: MovableDatapath): Promise<void> {
    const sources = await this.#tunnel.open(this.#keys, peersOf(this.#table!.networks.values()));
    if (JSON.stringify(sources) !== JSON.stringify(this.#sources)) await inner.setSources(sources);
    this.#sources = sources;
  }

  async #close(options?: { readonly keep: boolean }): Promise<void> {
    const inner = this.#inner;
    this.#inner = null;
    await inner?.stop(options);
    await this.#tunnel.keep([]);
  }
}

function concernsPeers(update: TableUpdate): boolean {
  if (update.kind === 'snapshot' || (update.goneNetworks ?? []).length > 0) return true;
  return update.networks.some(({ vteps, gone }) => vteps.length + (gone?.vteps.length ?? 0) > 0);
}
