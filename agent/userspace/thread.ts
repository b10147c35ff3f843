/**
 * A thread of the data path. It owns a queue of each TAP, and UDP sockets; it blocks in epoll until one of them has something, and never
 * touches an event loop: libuv's reads and datagrams are an order slower.
 *
 * Where there are several, the kernel gives each some of the flows, and keeps a flow with its thread: by the addresses and ports of its
 * datagrams (SO_REUSEPORT), and by where its answers were written (a TAP's queues).
 */
import { randomInt } from 'node:crypto';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { formatMac, type Mac } from '../../src/contract/mac.ts';
import { applyTable } from '../datapath/apply-table.ts';
import type { FdbEntry, NetworkFdb } from '../datapath/datapath.ts';
import { Forwarder } from '../datapath/forwarder.ts';
import { LocalStations } from '../datapath/local-stations.ts';
import type { Network } from '../datapath/network.ts';
import { isLocal, localPlace, portOf } from '../datapath/places.ts';
import { SCRATCH_BYTES } from '../datapath/segmenter.ts';
import { StationHints, takeHints } from '../datapath/station-hints.ts';
import { TapPort } from '../ports/tap-port.linux.ts';
import { Arena } from '../sys/arena.linux.ts';
import { Epoll } from '../sys/epoll.linux.ts';
import { SysError } from '../sys/errno.linux.ts';
import { openEventfd } from '../sys/eventfd.linux.ts';
import { close, read } from '../sys/libc.linux.ts';
import { UDP_UNDERLAY_ARENA_BYTES, UdpUnderlay, type UnderlaySource } from '../underlay/udp.linux.ts';
import { createChecksumMemory } from '../wire/checksum-memory.ts';
import { createBatch, SLOT_SIZE } from '../wire/packet-batch.ts';
import type { FromThread, PortAssignment, ThreadOptions, ToThread } from './protocol.ts';

/** How many packets one call takes at most, and how many calls before another descriptor has its turn. */
const BATCH = 64;
const TURNS = 4;
const EVENTS = 64;
const SWEEP_SECONDS = 10;
/** Stations that come and go are told of together; to the thread that keeps them, sooner. */
const GATHER_SECONDS = 0.1;
const GATHER_HINTS_SECONDS = 0.02;

const TAG_WAKE = 0;
const TAG_UNDERLAY = 1;
const TAG_FIRST_PORT = 2;

interface OpenPort {
  readonly vni: number;
  readonly id: number;
  readonly isRead: boolean;
  readonly tap: TapPort;
}

/** Seconds on the machine's clock that never goes back, which all threads have: `performance.now()` begins anew with each. */
const clockStart = readClockStart();

const { port, options } = workerData as { readonly port: MessagePort; readonly options: ThreadOptions };
const tell = (message: FromThread): void => port.postMessage(message);

try {
  run(options);
} catch (error) {
  tell({
    type: 'failed',
    code: error instanceof SysError ? error.code : 'internal',
    message: error instanceof Error ? error.message : String(error),
  });
}
port.close();

function run(options: ThreadOptions): void {
  const { index, count: threads, source, port: vxlanPort, counters, peerCounters, rules } = options;
  const memory = createChecksumMemory(
    BATCH * SLOT_SIZE + SCRATCH_BYTES + UDP_UNDERLAY_ARENA_BYTES + EVENTS * 16 + 4096,
  );
  const arena = new Arena(memory.bytes.buffer);
  // One batch for all: what is in it has been dealt with before anything else is read.
  const batch = createBatch(memory, arena.take(BATCH * SLOT_SIZE), BATCH);
  const wakeBuffer = arena.take(8);
  const underlay = new UdpUnderlay({
    arena,
    source,
    port: vxlanPort,
    ...(threads === 1 ? {} : { sharing: index === 0 ? 'first' : 'join' }),
    batchCapacity: BATCH,
    random: Math.random,
    onTrainsRefused: () =>
      tell({ type: 'notice', message: 'the underlay takes no UDP trains (UDP_SEGMENT): sending datagrams singly' }),
  });
  const stations = index === 0 ? new LocalStations() : new StationHints();
  const gatherSeconds = index === 0 ? GATHER_SECONDS : GATHER_HINTS_SECONDS;
  const forwarder = new Forwarder({
    memory,
    underlay,
    stations,
    counters,
    peerCounters,
    vxlanPort,
    scratch: arena.take(SCRATCH_BYTES),
    seed: randomInt(2 ** 32),
    rules,
  });
  const context = { forwarder, underlay, random: () => randomInt(2 ** 32) };
  const wakeFd = openEventfd();
  const epoll = new Epoll(arena, EVENTS);
  epoll.add(wakeFd, TAG_WAKE);
  for (const fd of underlay.fds) epoll.add(fd, TAG_UNDERLAY);
  const ports: (OpenPort | undefined)[] = [];
  tell({ type: 'ready', wakeFd });

  let sweptAt = now();
  /** When the first of the changes came that wait to be told. */
  let changesSince: number | null = null;
  let running = true;
  while (running) {
    const count = epoll.wait(changesSince === null ? SWEEP_SECONDS * 1000 : gatherSeconds * 1000);
    const time = now();
    for (let i = 0; i < count; i++) {
      const tag = epoll.ready[i]!;
      if (tag === TAG_UNDERLAY) takeFromUnderlay(time);
      else if (tag === TAG_WAKE) running = takeMessages();
      else takeFromPort(tag - TAG_FIRST_PORT, time);
    }
    if (forwarder.probes.hasHeard) tell({ type: 'probes', heard: forwarder.probes.drain() });
    if (stations.hasChanges) changesSince ??= time;
    if (changesSince !== null && time - changesSince >= gatherSeconds) {
      changesSince = null;
      tellChanges();
    }
    if (time - sweptAt >= SWEEP_SECONDS) {
      sweptAt = time;
      // What is left of many goes with the next round.
      for (const { macs } of forwarder.networks.values()) if (macs.sweep(time)) sweptAt = 0;
    }
  }
  for (const open of ports) open?.tap.close();
  underlay.close();
  epoll.close();
  close(wakeFd);

  function tellChanges(): void {
    if (stations instanceof LocalStations) tell({ type: 'learned', changes: stations.takeChanges() });
    else tell({ type: 'hints', hints: stations.take() });
  }

  function takeFromUnderlay(time: number): void {
    for (let turn = 0; turn < TURNS; turn++) {
      if (underlay.receive(batch) === 0) return;
      forwarder.fromUnderlay(batch, time);
      if (batch.count < BATCH) return;
    }
  }

  function takeFromPort(slot: number, time: number): void {
    const open = ports[slot];
    if (open === undefined) return;
    const network = forwarder.networks.get(open.vni);
    for (let turn = 0; turn < TURNS; turn++) {
      open.tap.receive(batch);
      if (batch.count > 0 && network !== undefined) forwarder.fromPort(network, 0, batch, time);
      if (open.tap.failed) {
        closePort(open.vni);
        tell({ type: 'portLost', vni: open.vni, portId: open.id });
        return;
      }
      if (batch.count < BATCH) return;
    }
  }

  /** @returns false once told to stop. */
  function takeMessages(): boolean {
    read(wakeFd, arena.address + wakeBuffer, 8);
    for (;;) {
      const received = receiveMessageOnPort(port) as { readonly message: ToThread } | undefined;
      if (received === undefined) return true;
      const { message } = received;
      switch (message.type) {
        case 'stop':
          return false;
        case 'fdb':
          tell({ type: 'fdb', id: message.id, networks: [...forwarder.networks.values()].map((n) => fdbOf(n, now())) });
          break;
        case 'localMacs':
          tell({ type: 'localMacs', id: message.id, macs: stations instanceof LocalStations ? stations.all() : [] });
          break;
        case 'hint':
          tellChanges();
          tell({ type: 'hinted', id: message.id });
          break;
        case 'hints':
          takeHints(stations, forwarder.networks, message.hints, now());
          break;
        case 'capture': {
          const { number, request, ring, clockOffset } = message;
          const clock = (): number => (performance.timeOrigin + performance.now()) * 1000 + clockOffset;
          forwarder.captures.begin(number, { ...request, ring, clock });
          tell({ type: 'capturing', id: message.id });
          break;
        }
        case 'sources':
          tell({ type: 'sourced', id: message.id, error: setSources(message.sources) });
          break;
        case 'endCapture':
          forwarder.captures.end(message.number);
          break;
        case 'apply':
          apply(message);
          break;
      }
    }
  }

  function apply({ id, closePorts, update, memories, mtus, openPorts }: ToThread & { readonly type: 'apply' }): void {
    for (const vni of closePorts) closePort(vni);
    const problems = update === null ? new Map<number, string>() : applyTable({ ...context, memories }, update);
    for (const open of openPorts) openPort(open);
    for (const [vni, mtu] of mtus) {
      const network = forwarder.networks.get(vni);
      if (network !== undefined) network.mtu = mtu;
    }
    attachPorts();
    const counterBases = new Map([...forwarder.networks].map(([vni, { counterBase }]) => [vni, counterBase]));
    tell({ type: 'applied', id, problems, counterBases });
  }

  /** A descriptor that was closed waits for nothing any more. @returns why it can't be done, or null. */
  function setSources(sources: readonly UnderlaySource[]): string | null {
    try {
      for (const fd of underlay.setSources(sources)) epoll.add(fd, TAG_UNDERLAY);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  function openPort({ vni, id, queue }: PortAssignment): void {
    let slot = ports.indexOf(undefined);
    if (slot < 0) slot = ports.length;
    ports[slot] = { vni, id, isRead: queue.isRead, tap: new TapPort(queue, arena) };
    if (queue.isRead) epoll.add(queue.fd, TAG_FIRST_PORT + slot);
  }

  function closePort(vni: number): void {
    for (const [slot, open] of ports.entries()) {
      if (open?.vni !== vni) continue;
      ports[slot] = undefined;
      stations.allLeft(vni);
      if (open.isRead) epoll.remove(open.tap.fd);
      open.tap.close();
    }
    attachPorts();
  }

  /** Networks come and go, and are made anew: each shall have the port that is open for its VNI, and know nobody on an earlier one. */
  function attachPorts(): void {
    for (const network of forwarder.networks.values()) {
      const open = ports.find((it) => it?.vni === network.vni);
      network.ports = open === undefined ? [] : [open.tap];
      network.macs.deletePlace(localPlace(0), open?.id ?? 0);
    }
  }
}

/** Of several readings the one between which least time passed: round trips are told by it. */
function readClockStart(): number {
  let start = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const before = performance.now();
    const time = Number(process.hrtime.bigint()) / 1e9;
    const after = performance.now();
    if (after - before >= least) continue;
    least = after - before;
    start = time - (before + after) / 2000;
  }
  return start;
}

function now(): number {
  return clockStart + performance.now() / 1000;
}

function fdbOf(network: Network, time: number): NetworkFdb {
  const entries: FdbEntry[] = [];
  for (const { mac, place, origin, heardAt } of network.macs.entries(time)) {
    const ageSeconds = Math.floor(time - heardAt);
    const to = isLocal(place) ? portEntry(network, place) : vtepEntry(network, place);
    if (to === null) continue;
    entries.push({ mac: formatMac(mac as Mac), to, origin, ...(origin === 'learned' ? { ageSeconds } : {}) });
  }
  return { vni: network.vni, name: network.settings.name, flood: network.floodVteps.map(addressOf), entries };
}

function portEntry(network: Network, place: number): FdbEntry['to'] | null {
  const name = network.ports[portOf(place)]?.name;
  return name === undefined ? null : { port: name };
}

function vtepEntry(network: Network, slot: number): FdbEntry['to'] | null {
  const vtep = network.vtepAt(slot);
  return vtep === undefined ? null : { vtep: addressOf(vtep) };
}

function addressOf({ address, port: udpPort }: { address: string; port: number }): { address: string; port: number } {
  return { address, port: udpPort };
}
