/** A data path that carries no frame, for tests and simulations: it keeps the tables it is given and does what it is told to. */
import type { MacRow, NetworkChange, TableUpdate, Vtep } from '../../src/contract/table.ts';
import type {
  ApplyReport,
  Capture,
  CapturedFrame,
  CaptureRequest,
  Datapath,
  DatapathCounters,
  LearnedChanges,
  LocalMac,
  NetworkFdb,
  PeerPath,
} from './datapath.ts';

export interface InMemoryNetwork {
  readonly vni: number;
  readonly network: string;
  readonly name: string;
  readonly mtu: number;
  /** By site. */
  readonly vteps: Map<string, Vtep>;
  /** By MAC. */
  readonly macs: Map<string, MacRow>;
}

interface Watch {
  readonly vni: number;
  readonly frames: CapturedFrame[];
}

export class InMemoryDatapath implements Datapath {
  /** By VNI: all that it was told of, also what can't be carried. */
  readonly networks = new Map<number, InMemoryNetwork>();
  /** Every update in the order of the calls. */
  readonly applied: TableUpdate[] = [];
  stopped = false;
  /** The captures that run. */
  readonly watches = new Set<Watch>();
  readonly #failing = new Map<number, string>();
  readonly #listeners: ((reason: Error) => void)[] = [];
  readonly #local = new Map<string, LocalMac>();
  #reported: (report: ApplyReport) => void = () => {};
  #learned: (changes: LearnedChanges) => void = () => {};
  #paths: readonly PeerPath[] = [];
  #pathChanged: () => void = () => {};
  #nextRejection: Error | null = null;

  /** From now on this VNI can't be carried, until `heal`. */
  fail(vni: number, reason: string): void {
    this.#failing.set(vni, reason);
  }

  heal(vni: number): void {
    this.#failing.delete(vni);
  }

  /** The next `apply` rejects and changes nothing. */
  rejectNext(reason: Error): void {
    this.#nextRejection = reason;
  }

  die(reason: Error): void {
    for (const listener of this.#listeners.splice(0)) listener(reason);
  }

  /** Stations are heard on this host's port of a network, or said to be gone from it. */
  hear(...stations: LocalMac[]): void {
    for (const station of stations) this.#local.set(keyOf(station), station);
    this.#learned({ announce: stations, withdraw: [] });
  }

  forget(...stations: { readonly vni: number; readonly mac: string }[]): void {
    const gone = stations.filter((station) => this.#local.delete(keyOf(station)));
    if (gone.length > 0) this.#learned({ announce: [], withdraw: gone.map(({ vni, mac }) => ({ vni, mac })) });
  }

  async apply(update: TableUpdate): Promise<ApplyReport> {
    if (this.stopped) throw new Error('the data path was stopped');
    const rejection = this.#nextRejection;
    this.#nextRejection = null;
    if (rejection !== null) throw rejection;
    this.applied.push(update);
    const before = new Map([...this.networks].map(([vni, { macs }]) => [vni, new Map(macs)]));
    if (update.kind === 'snapshot') this.networks.clear();
    else for (const vni of update.goneNetworks ?? []) this.networks.delete(vni);
    for (const change of update.networks) this.#change(change);
    this.forget(...[...this.#local.values()].filter((station) => this.#hasLeft(station, before)));
    return this.#report();
  }

  async retry(): Promise<ApplyReport> {
    return this.#report();
  }

  onReport(listener: (report: ApplyReport) => void): void {
    this.#reported = listener;
  }

  /** As if it had looked after its networks of itself. */
  lookAfter(): void {
    this.#reported(this.#report());
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#learned = listener;
  }

  async localMacs(): Promise<readonly LocalMac[]> {
    return [...this.#local.values()];
  }

  async fdb(): Promise<readonly NetworkFdb[]> {
    return [...this.networks.values()].map(({ vni, name, vteps, macs }) => ({
      vni,
      name,
      flood: [...vteps.values()].map(({ address, port }) => ({ address, port })),
      entries: [...macs.values()].flatMap(({ mac, site }) => {
        const vtep = vteps.get(site);
        if (vtep === undefined) return [];
        return [{ mac, to: { vtep: { address: vtep.address, port: vtep.port } }, origin: 'registry' as const }];
      }),
    }));
  }

  counters(): DatapathCounters {
    return { agent: {}, networks: new Map([...this.networks.keys()].map((vni) => [vni, { totals: {}, peers: [] }])) };
  }

  paths(): readonly PeerPath[] {
    return this.#paths;
  }

  onPathChange(listener: () => void): void {
    this.#pathChanged = listener;
  }

  /** The paths become these. */
  setPaths(...paths: PeerPath[]): void {
    this.#paths = paths;
    this.#pathChanged();
  }

  async capture({ vni }: CaptureRequest): Promise<Capture> {
    const watch: Watch = { vni, frames: [] };
    this.watches.add(watch);
    return { read: () => watch.frames.splice(0), dropped: 0, end: () => void this.watches.delete(watch) };
  }

  /** A frame passes, for those who watch. */
  pass(vni: number, frame: CapturedFrame): void {
    for (const watch of this.watches) if (watch.vni === vni) watch.frames.push(frame);
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#listeners.push(listener);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.networks.clear();
  }

  /** True where the port is gone, or a row that is newer than `before` places the station at another site. */
  #hasLeft({ vni, mac }: LocalMac, before: ReadonlyMap<number, ReadonlyMap<string, MacRow>>): boolean {
    const network = this.networks.get(vni);
    if (network === undefined) return true;
    const row = network.macs.get(mac);
    return row !== undefined && network.vteps.has(row.site) && before.get(vni)?.get(mac)?.seq !== row.seq;
  }

  #change({ vni, network, name, mtu, vteps, macs, gone }: NetworkChange): void {
    const known = this.networks.get(vni);
    const old = known?.network === network ? known : undefined;
    const next = { vni, network, name, mtu, vteps: old?.vteps ?? new Map(), macs: old?.macs ?? new Map() };
    for (const site of gone?.vteps ?? []) next.vteps.delete(site);
    for (const mac of gone?.macs ?? []) next.macs.delete(mac);
    for (const vtep of vteps) next.vteps.set(vtep.site, vtep);
    for (const row of macs) next.macs.set(row.mac, row);
    this.networks.set(vni, next);
  }

  #report(): ApplyReport {
    const errors = new Map([...this.#failing].filter(([vni]) => this.networks.has(vni)));
    const carried = [...this.networks.values()].filter(({ vni }) => !errors.has(vni));
    return { errors, mtus: new Map(carried.map(({ vni, mtu }) => [vni, mtu])) };
  }
}

function keyOf({ vni, mac }: { readonly vni: number; readonly mac: string }): string {
  return `${vni} ${mac}`;
}
