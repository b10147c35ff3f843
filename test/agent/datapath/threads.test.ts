/** A site that forwards by two threads, here two forwarders in one: what one hears, both know; what the table says, both do. */
import { beforeEach, describe, expect, it } from 'vitest';
import { StationHints, takeHints } from '../../../agent/datapath/station-hints.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { NetworkMemories } from '../../../agent/userspace/network-memories.ts';
import { formatMac, type Mac } from '../../../src/contract/mac.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { BROADCAST, delta, frame, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const VNI = 9;
const HERE = station(1);
const OTHER_HERE = station(2);
const THERE = station(3);
const A = '10.0.0.1';
const B = '10.0.0.2';
const STRANGER = '10.9.9.9';
const text = (mac: number): string => formatMac(mac as Mac);

let fabric: InMemoryFabric;
let hints: StationHints;
/** The thread that keeps the site's stations, and another one. */
let first: OverlaySite;
let second: OverlaySite;
let memories: NetworkMemories;

beforeEach(() => {
  fabric = new InMemoryFabric();
  for (const [i, address] of [A, B, STRANGER].entries()) new OverlaySite(fabric, `peer${i}`, address);
  hints = new StationHints();
  memories = new NetworkMemories();
  first = new OverlaySite(fabric, 'self', '10.0.0.200');
  second = new OverlaySite(fabric, 'self', '10.0.0.200', { stations: hints });
  apply(snapshot(table(VNI, { vteps: { a: A, b: B } })));
});

function apply(update: TableUpdate, threads: readonly OverlaySite[] = [first, second]): void {
  const shared = memories.follow(update);
  for (const thread of threads) thread.apply(update, shared);
}

/** Where a thread sends a frame from the host: underlay addresses. */
function goesTo(thread: OverlaySite, destination: number, source = OTHER_HERE): string[] {
  const before = fabric.carried.length;
  thread.send(VNI, frame(destination, source));
  return fabric.carried.slice(before).map(({ to }) => to);
}

const hears = (thread: OverlaySite, from: string, source: number, destination = BROADCAST): void =>
  thread.takeDatagram(from, vxlan(VNI, frame(destination, source)));

describe('what one thread hears', () => {
  it('from a VTEP, the other sends there at once, and nowhere else', () => {
    hears(first, A, THERE);
    expect(goesTo(second, THERE)).toEqual([A]);
    hears(second, B, THERE);
    expect(goesTo(first, THERE)).toEqual([B]);
  });

  it('from the host, the other gives to the host alone', () => {
    second.send(VNI, frame(BROADCAST, HERE));
    const before = fabric.carried.length;
    first.send(VNI, frame(HERE, OTHER_HERE));
    // It came from that very port.
    expect(first.count(VNI, 'dropSamePort')).toBe(1);
    expect(fabric.carried.length).toBe(before);
  });

  it('from a VTEP that is let in unlisted, the other can send to it, also once it is listed', () => {
    apply(delta([table(VNI, { antiSpoof: 'off' })]));
    hears(first, STRANGER, THERE);
    expect(goesTo(second, THERE)).toEqual([STRANGER]);
    apply(delta([table(VNI, { antiSpoof: 'off', vteps: { c: STRANGER } })]));
    expect(goesTo(second, THERE)).toEqual([STRANGER]);
    apply(delta([table(VNI)]));
    expect(goesTo(first, THERE)).toEqual(goesTo(second, THERE));
  });

  it('is forgotten by both where strangers are let in no more, and known to both when they are again', () => {
    apply(delta([table(VNI, { antiSpoof: 'off' })]));
    hears(first, STRANGER, THERE);
    apply(delta([table(VNI)]));
    for (const thread of [first, second]) expect(goesTo(thread, THERE)).toEqual([A, B]);
    apply(delta([table(VNI, { antiSpoof: 'off' })]));
    for (const thread of [first, second]) expect(goesTo(thread, THERE)).toEqual([A, B]);
    hears(second, STRANGER, THERE);
    for (const thread of [first, second]) expect(goesTo(thread, THERE)).toEqual([STRANGER]);
  });
});

describe('an update', () => {
  it('that takes a VTEP away leaves nothing of it in any thread, whoever learned and whoever applied first', () => {
    hears(first, A, THERE);
    hears(second, A, station(4));
    const gone = delta([{ ...table(VNI), gone: { vteps: ['a'], macs: [] } }]);
    apply(gone, [second]);
    // The first does not know yet, and learns on.
    hears(first, A, station(5));
    expect(goesTo(first, THERE)).toEqual([A]);
    expect(goesTo(second, station(5))).toEqual([B]);
    apply(gone, [first]);
    for (const thread of [first, second]) {
      for (const mac of [THERE, station(4), station(5)]) expect(goesTo(thread, mac)).toEqual([B]);
      expect(
        thread
          .network(VNI)
          .macs.entries(thread.now)
          .filter(({ mac }) => mac !== OTHER_HERE),
      ).toEqual([]);
    }
  });

  it('that gives a VTEP’s place to another has nobody sent there who was heard behind the first', () => {
    hears(first, A, THERE);
    const swapped = delta([{ ...table(VNI, { vteps: { c: STRANGER } }), gone: { vteps: ['a'], macs: [] } }]);
    apply(swapped, [first]);
    hears(second, A, station(4));
    expect(goesTo(first, station(4))).toEqual([B, STRANGER]);
    apply(swapped, [second]);
    hears(first, STRANGER, station(5));
    expect(goesTo(second, station(5))).toEqual([STRANGER]);
    expect(goesTo(second, THERE)).toEqual([B, STRANGER]);
  });

  it('of the registry wins in both over what either heard', () => {
    hears(first, A, THERE);
    apply(delta([table(VNI, { macs: { [text(THERE)]: 'b' } })]));
    hears(first, A, THERE);
    for (const thread of [first, second]) expect(goesTo(thread, THERE)).toEqual([B]);
  });

  it('that brings a VNI to another network has both threads begin with nothing', () => {
    hears(first, A, THERE);
    apply(delta([table(VNI, { network: 'other', vteps: { a: A, b: B } })]));
    for (const thread of [first, second]) expect(goesTo(thread, THERE)).toEqual([A, B]);
    hears(second, B, THERE);
    expect(goesTo(first, THERE)).toEqual([B]);
  });
});

describe('the limits', () => {
  it('on flooding hold for the site: what one thread floods, the other may not', () => {
    const flood = frame(BROADCAST, HERE);
    for (let i = 0; i < 6000; i++) first.send(VNI, flood);
    for (let i = 0; i < 6000; i++) second.send(VNI, flood);
    expect(first.count(VNI, 'floodedFrames') + second.count(VNI, 'floodedFrames')).toBe(10_000);
    expect(second.count(VNI, 'dropFloodLimit')).toBe(2000);
  });
});

describe('a station on the port', () => {
  const passHints = () => takeHints(first.stations, first.forwarder.networks, hints.take(), first.now);
  const changes = () => {
    passHints();
    return first.stations.takeChanges();
  };
  const announced = { announce: [{ vni: VNI, mac: text(HERE) }], withdraw: [] };
  const withdrawn = { announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] };

  it('is told of once, whichever thread hears it first', () => {
    second.send(VNI, frame(BROADCAST, HERE));
    first.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual(announced);
    for (const thread of [first, second]) thread.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual({ announce: [], withdraw: [] });
  });

  it('is withdrawn only when neither heard it for long, by whichever thread finds it aged', () => {
    second.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual(announced);
    for (const thread of [first, second]) thread.now += 200;
    first.send(VNI, frame(BROADCAST, HERE));
    for (const thread of [first, second]) thread.now += 200;
    second.network(VNI).macs.sweep(second.now);
    expect(changes()).toEqual({ announce: [], withdraw: [] });
    for (const thread of [first, second]) thread.now += 101;
    second.network(VNI).macs.sweep(second.now);
    expect(changes()).toEqual(withdrawn);
  });

  it('that came again before a hint of its going arrived is still there', () => {
    first.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual(announced);
    for (const thread of [first, second]) thread.now += 301;
    second.network(VNI).macs.sweep(second.now);
    first.send(VNI, frame(BROADCAST, HERE));
    changes();
    expect(first.stations.all()).toEqual([{ vni: VNI, mac: text(HERE) }]);
  });

  it('gives its address to whichever thread hears it', () => {
    hints.heard(VNI, HERE);
    hints.gaveAddress(VNI, HERE, Uint8Array.of(192, 168, 9, 1));
    passHints();
    // Nobody has heard it: what is said of it counts for nothing.
    expect(first.stations.all()).toEqual([]);
    second.send(VNI, frame(BROADCAST, HERE));
    hints.gaveAddress(VNI, HERE, Uint8Array.of(192, 168, 9, 1));
    expect(changes()).toEqual({ announce: [{ vni: VNI, mac: text(HERE), ip: '192.168.9.1' }], withdraw: [] });
  });

  it('that the registry has elsewhere since is withdrawn once both know, and announced when it speaks again', () => {
    second.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual(announced);
    apply(delta([table(VNI, { macs: { [text(HERE)]: 'a' } })]));
    expect(changes()).toEqual(withdrawn);
    second.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual(announced);
  });
});
