/**
 * What one frame costs in the pure parts of the data path, without a system call: nanoseconds, and bytes allocated. Those shall be
 * none per frame; what shows as a fraction is a number or two that this bench itself puts on the heap for every batch of 64. Every
 * round runs every part in turn; the table shows medians over the rounds.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { applyTable } from '../../agent/datapath/apply-table.ts';
import { COUNTER, COUNTER_BLOCK, createCounterMemory } from '../../agent/datapath/counters.ts';
import { prepareDelivery } from '../../agent/datapath/delivery.ts';
import { hashFlow } from '../../agent/datapath/flow-hash.ts';
import { Forwarder } from '../../agent/datapath/forwarder.ts';
import { LocalStations } from '../../agent/datapath/local-stations.ts';
import { MacTable } from '../../agent/datapath/mac-table.ts';
import { createNetworkMemory } from '../../agent/datapath/network-memory.ts';
import { createPeerCounterMemory } from '../../agent/datapath/peer-counters.ts';
import { SCRATCH_BYTES } from '../../agent/datapath/segmenter.ts';
import type { Port } from '../../agent/ports/port.ts';
import type { Underlay } from '../../agent/underlay/underlay.ts';
import { finishChecksum, sumBytes } from '../../agent/wire/checksum.ts';
import { type ChecksumMemory, createChecksumMemory } from '../../agent/wire/checksum-memory.ts';
import { createBatch, SLOT_SIZE } from '../../agent/wire/packet-batch.ts';
import { writePlainVirtioNet } from '../../agent/wire/virtio-net.ts';
import { VXLAN_HEADER_LENGTH, writeVxlan } from '../../agent/wire/vxlan.ts';
import { snapshot, station, table } from '../agent/datapath/overlay.ts';
import { counting, ethernet, ipv4, tcp } from '../agent/frames.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' } } });
const ROUNDS = Number(values.rounds);
/** Long enough that the clock's grain and a minor collection do not show. */
const ROUND_MS = 100;
const BATCH = 64;
const VNI = 9;
const HOST = station(1);
const PEER = station(2);
const PEER_ADDRESS = '10.0.0.1';

interface Part {
  readonly name: string;
  /** How many frames one call of `run` deals with. */
  readonly frames: number;
  /** @returns something that depends on the work, so that it can't be left out. */
  readonly run: () => number;
}

interface Sample {
  readonly nanoseconds: number;
  readonly bytes: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
let sink = 0;

function measure({ run, frames }: Part): Sample {
  let calls = 0;
  collectGarbage();
  const heapBefore = process.memoryUsage().heapUsed;
  const start = performance.now();
  const end = start + ROUND_MS;
  let now = start;
  // The clock is asked rarely: reading it makes a number on the heap.
  for (let step = 64; now < end; now = performance.now()) {
    for (let i = 0; i < step; i++) sink = (sink + run()) | 0;
    calls += step;
    if (step < 65_536) step *= 2;
  }
  const bytes = Math.max(0, process.memoryUsage().heapUsed - heapBefore);
  return { nanoseconds: ((now - start) * 1e6) / (calls * frames), bytes: bytes / (calls * frames) };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** A port and an underlay that take everything and do nothing. */
const idlePort: Port = { name: 'idle', takesLargeUdp: true, receive: () => 0, send: () => true, close: () => {} };
const idleUnderlay: Underlay = {
  addDestination: () => 0,
  removeDestination: () => {},
  receive: () => 0,
  send: (offset) => {
    sink = (sink + offset) | 0;
  },
  sendTrain: (offset) => {
    sink = (sink + offset) | 0;
  },
  flush: () => {},
  close: () => {},
};

function forwarderParts(): Part[] {
  return [64, 1464].flatMap((length) => {
    const memory = createChecksumMemory(2 * BATCH * SLOT_SIZE + SCRATCH_BYTES);
    const counters = createCounterMemory(1);
    const forwarder = new Forwarder({
      memory,
      underlay: idleUnderlay,
      stations: new LocalStations(),
      counters,
      peerCounters: createPeerCounterMemory(1, 8),
      vxlanPort: 4789,
      scratch: 2 * BATCH * SLOT_SIZE,
      seed: 1,
    });
    const update = snapshot(table(VNI, { vteps: { a: PEER_ADDRESS } }));
    applyTable({ forwarder, underlay: idleUnderlay, random: () => 0x1234_5678 }, update);
    const network = forwarder.networks.get(VNI)!;
    network.ports = [idlePort];

    const outward = createBatch(memory, 0, BATCH);
    const inward = createBatch(memory, BATCH * SLOT_SIZE, BATCH);
    for (let i = 0; i < BATCH; i++) {
      const segment = tcp({ from: 40_000 + i, payload: counting(length - 54) });
      memory.bytes.set(ethernet(PEER, HOST, 0x0800, ipv4(segment)), outward.offset[i]!);
      outward.length[i] = length;
      writeVxlan(memory.view, inward.offset[i]!, VNI);
      memory.bytes.set(ethernet(HOST, PEER, 0x0800, ipv4(segment)), inward.offset[i]! + VXLAN_HEADER_LENGTH);
      inward.length[i] = length + VXLAN_HEADER_LENGTH;
      inward.segmentSize[i] = length + VXLAN_HEADER_LENGTH;
      inward.source.set([0, 0, 0xffff, 0x0a00_0001], i * 4);
    }
    outward.count = BATCH;
    inward.count = BATCH;
    let now = 1000;
    // Each has been heard, so that nothing is flooded, which is limited.
    forwarder.fromUnderlay(inward, now);
    return [
      {
        name: `port → underlay, ${length}-byte frames`,
        frames: BATCH,
        run: () => {
          now += 1e-6;
          // As the port leaves it: encapsulation wrote over the header.
          for (let i = 0; i < BATCH; i++) writePlainVirtioNet(memory.view, outward.offset[i]! - 12);
          forwarder.fromPort(network, 0, outward, now);
          return refuseDrops(counters);
        },
      },
      {
        name: `underlay → port, ${length}-byte frames`,
        frames: BATCH,
        run: () => {
          now += 1e-6;
          // As the wire leaves it: delivery wrote over the header.
          for (let i = 0; i < BATCH; i++) writeVxlan(memory.view, inward.offset[i]!, VNI);
          forwarder.fromUnderlay(inward, now);
          return refuseDrops(counters);
        },
      },
    ];
  });
}

/** A dropped frame costs little: were any dropped, the figures would be of something else. */
function refuseDrops(counters: Float64Array): number {
  for (let at = COUNTER.dropTruncatedHeader; at < COUNTER_BLOCK; at++) {
    if (counters[at] !== 0 || counters[COUNTER_BLOCK + at] !== 0) throw new Error('frames were dropped');
  }
  return 0;
}

function lookupPart(stations: number): Part {
  const memory = createNetworkMemory(0x1234_5678, stations);
  const macs = new MacTable({ memory, ageingSeconds: 300, localGone: () => {} });
  for (let i = 0; i < stations; i++) macs.learn(0x0200, Math.imul(i, 0x9e37_79b1) >>> 0, i & 7, 0);
  let next = 0;
  return {
    name: `MAC lookup among ${stations.toLocaleString('en')}`,
    frames: BATCH,
    run: () => {
      let found = 0;
      for (let i = 0; i < BATCH; i++) {
        next = next + 1 === stations ? 0 : next + 1;
        found += macs.lookup(0x0200, Math.imul(next, 0x9e37_79b1) >>> 0, 1);
      }
      return found;
    },
  };
}

function frameParts(): Part[] {
  const place = (frame: Uint8Array): { readonly memory: ChecksumMemory; readonly length: number } => {
    const memory = createChecksumMemory(2 * (64 + frame.length));
    memory.bytes.set(frame, 64);
    return { memory, length: frame.length };
  };
  const over4 = (bytes: number, checksum: 'complete' | 'incomplete'): Uint8Array =>
    ethernet(PEER, HOST, 0x0800, ipv4(tcp({ payload: counting(bytes), checksum })));
  const full = place(over4(1400, 'complete'));
  const incomplete = place(over4(1400, 'incomplete'));
  const large = place(over4(60_000, 'incomplete'));
  const repeat = (name: string, work: () => number): Part => ({
    name,
    frames: BATCH,
    run: () => {
      let sum = 0;
      for (let i = 0; i < BATCH; i++) sum += work();
      return sum;
    },
  });
  return [
    repeat('flow hash, TCP over IPv4', () => hashFlow(full.memory.view, 64, full.length)),
    repeat('checksum of 1,400 bytes', () => full.memory.sum(64, 1400)),
    repeat('checksum of 1,400 bytes and copying them', () => full.memory.copy(2048, 64, 1400)),
    repeat('checksum of 1,400 bytes in script', () => finishChecksum(sumBytes(full.memory.view, 64, 1400, 0))),
    repeat('delivery, checksum complete', () => prepareDelivery(full.memory, 64, full.length, 1450)),
    repeat('delivery, checksum incomplete', () => prepareDelivery(incomplete.memory, 64, incomplete.length, 1450)),
    repeat('delivery, 60,000 bytes to be cut', () => prepareDelivery(large.memory, 64, large.length, 1450)),
  ];
}

const parts = [...forwarderParts(), lookupPart(100), lookupPart(100_000), ...frameParts()];
const samples = new Map<Part, Sample[]>(parts.map((part) => [part, []]));
for (const part of parts) measure(part);
for (let round = 0; round < ROUNDS; round++) for (const part of parts) samples.get(part)!.push(measure(part));

console.log(
  `Node ${process.version} on ${cpus()[0]?.model.trim()} (${availableParallelism()} cores), medians of ${ROUNDS} rounds`,
);
console.log(`${'per frame'.padEnd(36)}${'ns'.padStart(9)}${'range'.padStart(18)}${'bytes allocated'.padStart(18)}`);
for (const [{ name }, taken] of samples) {
  const times = taken.map(({ nanoseconds }) => nanoseconds);
  const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
  const allocated = median(taken.map(({ bytes }) => bytes)).toFixed(2);
  console.log(
    `${name.padEnd(36)}${median(times).toFixed(1).padStart(9)}${range.padStart(18)}${allocated.padStart(18)}`,
  );
}
// What the work came to: were it not used, the optimizer could leave the work out.
if (sink === 0.5) console.log(sink);
