/**
 * Two data paths as one: plain networks are carried by the one, encrypted ones by the other, each with sockets of its own. So what comes
 * by the wrong way is of an unknown VNI where it comes in, and is dropped there; and no frame costs a look at how its network is carried.
 */
import type { Delta, NetworkChange, Snapshot, TableUpdate } from '../../src/contract/table.ts';
import {
  type ApplyReport,
  type Capture,
  type CaptureRequest,
  type Datapath,
  type DatapathCounters,
  KERNEL_CARRIES,
  type LearnedChanges,
  type LocalMac,
  type NetworkFdb,
  type PeerPath,
} from '../datapath/datapath.ts';

type Place = 'plain' | 'wireguard' | 'nowhere';

export class DatapathByTransport implements Datapath {
  readonly #plain: Datapath;
  readonly #encrypted: Datapath;
  /** Where each network is carried. */
  #places = new Map<number, Place>();
  /** How the networks of each fared when it last said so. */
  readonly #reports: Record<'plain' | 'wireguard', ApplyReport> = {
    plain: { errors: new Map(), mtus: new Map() },
    wireguard: { errors: new Map(), mtus: new Map() },
  };
  /** Why those are carried nowhere. */
  readonly #unknown = new Map<number, string>();

  constructor(plain: Datapath, encrypted: Datapath) {
    this.#plain = plain;
    this.#encrypted = encrypted;
  }

  async apply(update: TableUpdate): Promise<ApplyReport> {
    const before = this.#places;
    this.#places = placesAfter(before, update);
    this.#noteUnknown(update);
    const moved = update.networks.filter(
      ({ vni }) => (before.get(vni) ?? this.#places.get(vni)) !== this.#places.get(vni),
    );
    // Who gives up a network goes first, since both want the same interface for it.
    const plainFirst = moved.every(({ vni }) => this.#places.get(vni) !== 'plain');
    const order = plainFirst ? (['plain', 'wireguard'] as const) : (['wireguard', 'plain'] as const);
    for (const place of order) {
      this.#reports[place] = await this.#at(place).apply(partOf(update, place, before, this.#places));
    }
    if (moved.length > 0) this.#reports[order[0]] = await this.#at(order[0]).retry();
    return this.#report();
  }

  async retry(): Promise<ApplyReport> {
    this.#reports.plain = await this.#plain.retry();
    this.#reports.wireguard = await this.#encrypted.retry();
    return this.#report();
  }

  onReport(listener: (report: ApplyReport) => void): void {
    for (const place of ['plain', 'wireguard'] as const) {
      this.#at(place).onReport((report) => {
        this.#reports[place] = report;
        listener(this.#report());
      });
    }
  }

  onLearned(listener: (changes: LearnedChanges) => void): void {
    this.#plain.onLearned(listener);
    this.#encrypted.onLearned(listener);
  }

  async localMacs(): Promise<readonly LocalMac[]> {
    return [...(await this.#plain.localMacs()), ...(await this.#encrypted.localMacs())];
  }

  async fdb(): Promise<readonly NetworkFdb[]> {
    return [...(await this.#plain.fdb()), ...(await this.#encrypted.fdb())];
  }

  counters(): DatapathCounters {
    const [plain, encrypted] = [this.#plain.counters(), this.#encrypted.counters()];
    const agent: Record<string, number> = { ...plain.agent };
    for (const [name, count] of Object.entries(encrypted.agent)) agent[name] = (agent[name] ?? 0) + count;
    return { agent, networks: new Map([...plain.networks, ...encrypted.networks]) };
  }

  paths(): readonly PeerPath[] {
    return [
      ...this.#plain.paths(),
      ...this.#encrypted.paths().map((path): PeerPath => ({ ...path, transport: 'wireguard' })),
    ];
  }

  onPathChange(listener: () => void): void {
    this.#plain.onPathChange(listener);
    this.#encrypted.onPathChange(listener);
  }

  async capture(request: CaptureRequest): Promise<Capture> {
    const datapath = this.#at(this.#places.get(request.vni) === 'wireguard' ? 'wireguard' : 'plain');
    if (datapath.capture === undefined) throw new Error(KERNEL_CARRIES);
    return datapath.capture(request);
  }

  onFailure(listener: (reason: Error) => void): void {
    this.#plain.onFailure(listener);
    this.#encrypted.onFailure(listener);
  }

  async stop(options?: { readonly keep: boolean }): Promise<void> {
    await Promise.all([this.#plain.stop(options), this.#encrypted.stop(options)]);
  }

  #at(place: 'plain' | 'wireguard'): Datapath {
    return place === 'plain' ? this.#plain : this.#encrypted;
  }

  #noteUnknown(update: TableUpdate): void {
    for (const vni of this.#unknown.keys()) if (this.#places.get(vni) !== 'nowhere') this.#unknown.delete(vni);
    for (const { vni, transport } of update.networks) {
      if (this.#places.get(vni) !== 'nowhere') continue;
      this.#unknown.set(vni, `not carried: this version of the agent knows no transport "${transport}": update it`);
    }
  }

  #report(): ApplyReport {
    const { plain, wireguard } = this.#reports;
    return {
      errors: new Map([...plain.errors, ...wireguard.errors, ...this.#unknown]),
      mtus: new Map([...plain.mtus, ...wireguard.mtus]),
    };
  }
}

function placesAfter(before: ReadonlyMap<number, Place>, update: TableUpdate): Map<number, Place> {
  const places = new Map(update.kind === 'snapshot' ? [] : before);
  if (update.kind === 'delta') for (const vni of update.goneNetworks ?? []) places.delete(vni);
  for (const { vni, transport = 'plain' } of update.networks) {
    places.set(vni, transport === 'plain' || transport === 'wireguard' ? transport : 'nowhere');
  }
  return places;
}

/** What the update is for one of the two: a network that went to the other is gone. */
function partOf(
  update: TableUpdate,
  place: Place,
  before: ReadonlyMap<number, Place>,
  after: ReadonlyMap<number, Place>,
): TableUpdate {
  const isHere = ({ vni }: Pick<NetworkChange, 'vni'>): boolean => after.get(vni) === place;
  if (update.kind === 'snapshot') return { ...update, networks: update.networks.filter(isHere) } satisfies Snapshot;
  const gone = [...before].flatMap(([vni, was]) => {
    const isGone = update.goneNetworks?.includes(vni) === true || after.get(vni) !== place;
    return was === place && isGone ? [vni] : [];
  });
  return { ...update, networks: update.networks.filter(isHere), goneNetworks: gone } satisfies Delta;
}
