/** A small overlay in memory: forwarders of several sites, each with ports and an underlay, wired by one fabric. */
import { applyTable, type Problems } from '../../../agent/datapath/apply-table.ts';
import {
  COUNTER_BLOCK,
  type CounterName,
  createCounterMemory,
  readCounters,
} from '../../../agent/datapath/counters.ts';
import { Forwarder } from '../../../agent/datapath/forwarder.ts';
import type { ForwardingRules } from '../../../agent/datapath/forwarding-rules.ts';
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import type { Network } from '../../../agent/datapath/network.ts';
import {
  createPeerCounterMemory,
  type PeerCounterName,
  readPeerCounters,
} from '../../../agent/datapath/peer-counters.ts';
import { SCRATCH_BYTES } from '../../../agent/datapath/segmenter.ts';
import type { Stations } from '../../../agent/datapath/stations.ts';
import { type DeliveredFrame, InMemoryPort } from '../../../agent/ports/in-memory.ts';
import { InMemoryFabric, type InMemoryUnderlay } from '../../../agent/underlay/in-memory.ts';
import type { ChecksumMemory } from '../../../agent/wire/checksum-memory.ts';
import { createBatch, type DatagramBatch, SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import type { VirtioNetHeader } from '../../../agent/wire/virtio-net.ts';
import { writeVxlan } from '../../../agent/wire/vxlan.ts';
import type { Delta, NetworkChange, NetworkTable, Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { concat, DIRT, memoryOf, written } from '../bytes.ts';
import { ethernet } from '../frames.ts';

export const VXLAN_PORT = 4789;
export const BROADCAST = 0xffff_ffff_ffff;
const BATCH = 4;
const NETWORKS = 4;
const PEERS = 16;

export interface SiteOptions {
  readonly queueCapacity?: number;
  readonly port?: number;
  readonly rules?: ForwardingRules;
  /** Instead of the site's own. */
  readonly stations?: Stations;
  /** What all memory holds before a frame is put into it: nothing that happens may depend on it. */
  readonly dirt?: number;
  /** Memory with so many bytes for the batch and so many for scratch, and where each starts; plain memory unless given. */
  readonly createMemory?: (batch: number, scratch: number) => SiteMemory;
}

export interface SiteMemory {
  readonly memory: ChecksumMemory;
  readonly starts: readonly number[];
}

export class OverlaySite {
  readonly name: string;
  readonly address: string;
  readonly underlay: InMemoryUnderlay;
  readonly forwarder: Forwarder;
  readonly stations = new LocalStations();
  readonly counterMemory = createCounterMemory(NETWORKS);
  readonly peerCounterMemory = createPeerCounterMemory(NETWORKS, PEERS);
  /** The clock, in seconds. */
  now = 1000;
  readonly #batch: DatagramBatch;
  readonly #dirt: number;
  readonly #ports = new Map<number, InMemoryPort[]>();

  constructor(fabric: InMemoryFabric, name: string, address: string, options: SiteOptions = {}) {
    this.name = name;
    this.address = address;
    const { memory, starts } = (options.createMemory ?? plainMemory)(BATCH * SLOT_SIZE, SCRATCH_BYTES);
    this.#dirt = options.dirt ?? DIRT;
    this.#batch = createBatch(memory, starts[0]!, BATCH);
    this.underlay = fabric.open({ memory, address, port: VXLAN_PORT, ...options });
    this.forwarder = new Forwarder({
      memory,
      underlay: this.underlay,
      stations: options.stations ?? this.stations,
      counters: this.counterMemory,
      peerCounters: this.peerCounterMemory,
      vxlanPort: VXLAN_PORT,
      scratch: starts[1]!,
      seed: 1,
      rules: options.rules ?? {},
    });
  }

  /** Puts a table in force; every network gets the ports made for its VNI, at first one. */
  apply(update: TableUpdate, memories?: ReadonlyMap<number, SharedArrayBuffer>): Problems {
    const { forwarder, underlay } = this;
    const problems = applyTable(
      { forwarder, underlay, random: () => 0x1234_5678, ...(memories && { memories }) },
      update,
    );
    for (const vni of this.forwarder.networks.keys()) this.setPorts(vni, this.#ports.get(vni)?.length ?? 1);
    return problems;
  }

  setPorts(vni: number, count: number): void {
    const ports = this.#ports.get(vni) ?? [];
    while (ports.length < count) ports.push(new InMemoryPort(`tap${vni}.${ports.length}`));
    ports.length = count;
    this.#ports.set(vni, ports);
    this.network(vni).ports = ports;
  }

  port(vni: number, index = 0): InMemoryPort {
    return this.#ports.get(vni)![index]!;
  }

  network(vni: number): Network {
    return this.forwarder.networks.get(vni)!;
  }

  /** The host sends a frame. What comes of it waits at the other sites. */
  send(vni: number, frame: Uint8Array, { port = 0, header = null as VirtioNetHeader | null } = {}): void {
    this.port(vni, port).inject(frame, header);
    this.sendWaiting(vni, port);
  }

  /** What was injected into a port goes its way, in batches. */
  sendWaiting(vni: number, port = 0): void {
    this.#batch.bytes.fill(this.#dirt);
    while (this.port(vni, port).receive(this.#batch) > 0) {
      this.forwarder.fromPort(this.network(vni), port, this.#batch, this.now);
    }
  }

  /** Takes in what came over the underlay. */
  take(): void {
    this.#batch.bytes.fill(this.#dirt);
    while (this.underlay.receive(this.#batch) > 0) this.forwarder.fromUnderlay(this.#batch, this.now);
  }

  /** Takes in one datagram from any address, or several that the kernel put together. */
  takeDatagram(from: string, payload: Uint8Array, trafficClass = 0, segmentSize?: number): void {
    this.underlay.inject(from, payload, trafficClass, segmentSize);
    this.take();
  }

  /** What the host was given since it was last asked. */
  delivered(vni: number, port = 0): DeliveredFrame[] {
    return this.port(vni, port).delivered.splice(0);
  }

  frames(vni: number, port = 0): Uint8Array[] {
    return this.delivered(vni, port).map(({ frame }) => frame);
  }

  /** The counters of a network that are not zero; VNI 0 stands for what is no network's. */
  counters(vni: number): Partial<Record<CounterName, number>> {
    const base = vni === 0 ? 0 : this.network(vni).counterBase;
    return Object.fromEntries(
      Object.entries(readCounters(this.counterMemory, base)).filter(([, count]) => count !== 0),
    );
  }

  /** The counters of a network's peers that are not zero, by address and port. */
  peerCounters(vni: number): Record<string, Partial<Record<PeerCounterName, number>>> {
    const peers = readPeerCounters([this.peerCounterMemory]).get(vni) ?? [];
    return Object.fromEntries(
      peers.map(({ address, port, counters }) => [
        `${address} ${port}`,
        Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0)),
      ]),
    );
  }

  count(vni: number, name: CounterName): number {
    return this.counters(vni)[name] ?? 0;
  }

  resetCounters(): void {
    this.counterMemory.fill(0, 0, (NETWORKS + 1) * COUNTER_BLOCK);
  }
}

function plainMemory(batch: number, scratch: number): SiteMemory {
  const bytes = new Uint8Array(batch + scratch);
  return { memory: memoryOf(bytes), starts: [0, batch] };
}

export interface TableOptions {
  readonly network?: string;
  readonly mtu?: number;
  readonly flood?: NetworkTable['flood'];
  readonly antiSpoof?: NetworkTable['antiSpoof'];
  /** Address by site, or address and port. */
  readonly vteps?: Readonly<Record<string, string | readonly [string, number]>>;
  /** Site by MAC. */
  readonly macs?: Readonly<Record<string, string>>;
}

export function table(vni: number, options: TableOptions = {}): NetworkTable {
  const { network = `net${vni}`, mtu = 1450, flood = 'headend', antiSpoof = 'vtep', vteps = {}, macs = {} } = options;
  return {
    vni,
    network,
    name: network,
    mtu,
    port: { type: 'host', name: `tap${vni}` },
    flood,
    antiSpoof,
    arpSuppression: false,
    revision: 1,
    digest: '000000000000',
    vteps: Object.entries(vteps).map(([site, at]) => {
      const [address, port] = typeof at === 'string' ? [at, VXLAN_PORT] : at;
      return { site, address, port };
    }),
    macs: Object.entries(macs).map(([mac, site]) => ({ mac, site, seq: 1, sticky: false })),
  };
}

export function snapshot(...networks: NetworkTable[]): Snapshot {
  return { kind: 'snapshot', cursor: 'c', networks };
}

export function delta(networks: readonly NetworkChange[], goneNetworks: readonly number[] = []): Delta {
  return { kind: 'delta', from: 'c', cursor: 'd', networks: [...networks], goneNetworks: [...goneNetworks] };
}

/** A fabric and its sites `a`, `b`, `c` … at 10.0.0.1, 10.0.0.2 …, which carry the VNIs given and list each other. */
export function createOverlay(count: number, vnis: readonly number[], options: TableOptions = {}): OverlaySite[] {
  const fabric = new InMemoryFabric();
  const sites = Array.from(
    { length: count },
    (_, i) => new OverlaySite(fabric, String.fromCharCode(97 + i), `10.0.0.${i + 1}`),
  );
  for (const site of sites) {
    const vteps = Object.fromEntries(sites.filter((it) => it !== site).map(({ name, address }) => [name, address]));
    site.apply(snapshot(...vnis.map((vni) => table(vni, { vteps, ...options }))));
  }
  return sites;
}

/** The MAC of a station: a few numbers are enough. */
export const station = (n: number): number => 0x0200_0000_0000 + n;

/** A frame of no protocol that anyone knows, told from others by its last byte. */
export function frame(destination: number, source: number, mark = 0, length = 60): Uint8Array {
  const payload = new Uint8Array(length - 14);
  payload[payload.length - 1] = mark;
  return ethernet(destination, source, 0x88b5, payload);
}

export function vxlan(vni: number, inner: Uint8Array): Uint8Array {
  return concat(
    written(8, (view, at) => writeVxlan(view, at, vni)),
    inner,
  );
}
