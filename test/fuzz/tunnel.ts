/** The data path as a whole: what hosts send and what comes through the tunnel, against the plainest model of what should become of it. */
import fc from 'fast-check';
import { COUNTER_NAMES, readCounters } from '../../agent/datapath/counters.ts';
import type { ForwardingRules } from '../../agent/datapath/forwarding-rules.ts';
import type { DeliveredFrame } from '../../agent/ports/in-memory.ts';
import { InMemoryFabric } from '../../agent/underlay/in-memory.ts';
import { MAX_TRAIN_BYTES, MAX_TRAIN_SEGMENTS } from '../../agent/wire/packet-batch.ts';
import { concat, viewOf } from '../agent/bytes.ts';
import { gapOf } from '../agent/datapath/counter-sum.ts';
import { BROADCAST, frame, OverlaySite, snapshot, table, VXLAN_PORT, vxlan } from '../agent/datapath/overlay.ts';
import { macBytes } from '../agent/frames.ts';
import { createGuardedMemory } from './guarded-memory.ts';
import { CHECKSUM_AT, canonical, cut, dissect, finish, isIncomplete, isRight, TCP } from './host-kernel.ts';
import { equal, type Property } from './property.ts';
import { HERE, type HostFrame, hostFrame, offloaded, THERE, wireFrames } from './traffic.ts';

const VNI = 9;
const MTU = 1450;
const MAX_FRAME = MTU + 14;
const OWN = '10.0.0.1';
const PEER = '10.0.0.2';
/** Of who sends nothing. */
const plain = { bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) };

interface World {
  readonly site: OverlaySite;
  readonly fabric: InMemoryFabric;
}

/** A site and the VTEP of another, which takes all that is sent to it; HERE is known at the site, THERE at the other. */
function createWorld(here = HERE, there = THERE, rules: ForwardingRules = {}): World {
  const fabric = new InMemoryFabric();
  const site = new OverlaySite(fabric, 'a', OWN, { createMemory: createGuardedMemory, rules });
  fabric.open({ memory: plain, address: PEER, port: VXLAN_PORT });
  site.apply(snapshot(table(VNI, { mtu: MTU, vteps: { b: PEER } })));
  site.send(VNI, frame(BROADCAST, here));
  site.takeDatagram(PEER, vxlan(VNI, frame(here, there)));
  site.delivered(VNI);
  site.resetCounters();
  fabric.carried.length = 0;
  return { fabric, site };
}

/** What the site counted as dropped, in all. */
function dropsOf(site: OverlaySite): number {
  let drops = 0;
  for (const base of [0, site.network(VNI).counterBase]) {
    const counters = readCounters(site.counterMemory, base);
    for (const name of COUNTER_NAMES) if (name.startsWith('drop')) drops += counters[name];
  }
  return drops;
}

/** @throws Error where frames came or went that are not counted, or are counted and did neither. */
function addUp(site: OverlaySite): void {
  const { gap, text } = gapOf(site.counters(VNI));
  // Of a VTEP, a runt or a bad source is refused before it counts as received; of a port it was received.
  const refused = site.count(VNI, 'dropInnerRunt') + site.count(VNI, 'dropBadSource');
  if (gap > 0 || gap < -refused) throw new Error(`${gap} frames too many: ${text}`);
}

/** The frames that the host's kernel makes of what it was given. */
function received(delivered: readonly DeliveredFrame[]): Uint8Array[] {
  return delivered.flatMap(({ header, frame: given }) => {
    const frames = finish(header, given);
    if (frames === null) throw new Error(`gave the host ${JSON.stringify(header)}, which is not true of its frame`);
    return frames.map(canonical);
  });
}

/** Puts consecutive frames into as few datagrams as a kernel would, where `isMerged` says so. */
function deliverTo(
  site: OverlaySite,
  frames: readonly Uint8Array[],
  merging: readonly boolean[],
  trafficClass = 0,
): void {
  for (let first = 0; first < frames.length; ) {
    const size = frames[first]!.length;
    let end = first + 1;
    while (
      end < frames.length &&
      merging[end % merging.length] === true &&
      end - first < MAX_TRAIN_SEGMENTS &&
      frames[end - 1]!.length === size &&
      frames[end]!.length <= size &&
      (size + 8) * (end - first + 1) <= MAX_TRAIN_BYTES
    ) {
      end++;
    }
    const datagrams = frames.slice(first, end).map((it) => vxlan(VNI, it));
    site.underlay.inject(PEER, concat(...datagrams), trafficClass, size + 8);
    first = end;
  }
  site.take();
}

const anyMerging = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });

/** What becomes of a frame from the tunnel. @returns what the host ends up with; null where it is dropped. */
function createReceiver(): (frame: Uint8Array) => { readonly isTaken: boolean; readonly frames: Uint8Array[] | null } {
  const behindVteps = new Set<number>([THERE]);
  return (given) => {
    const dropped = { isTaken: false, frames: null };
    if (given.length < 14) return dropped;
    const view = viewOf(given);
    if ([0x8100, 0x88a8].includes(view.getUint16(12))) return dropped;
    const destination = view.getUint16(0) * 2 ** 32 + view.getUint32(2);
    const source = view.getUint16(6) * 2 ** 32 + view.getUint32(8);
    if (source === 0 || (given[6]! & 1) === 1) return dropped;
    behindVteps.add(source);
    const isGroup = (given[0]! & 1) === 1;
    if (!isGroup && behindVteps.has(destination)) return { isTaken: true, frames: null };
    return { isTaken: true, frames: asDelivered(given) };
  };
}

function asDelivered(given: Uint8Array): Uint8Array[] | null {
  const packet = dissect(given);
  const left = packet !== null && isIncomplete(given, packet);
  if (given.length <= MAX_FRAME) {
    if (!left) return [given];
    const csum = { csumStart: packet.transportAt, csumOffset: CHECKSUM_AT[packet.protocol] };
    return finish({ flags: 1, gsoType: 0, gsoSize: 0, headerLength: 0, ...csum }, given);
  }
  if (packet?.protocol !== TCP || packet.end !== given.length || packet.payloadAt === packet.end) return null;
  if (!left && !isRight(given, packet)) return null;
  return cut(given, packet, MAX_FRAME - packet.payloadAt);
}

const receiving: Property = {
  name: 'what comes through the tunnel reaches the host frame by frame as it was sent, in order, and none that was broken is mended',
  runs: 150,
  property: () =>
    fc.property(wireFrames, anyMerging, (frames, merging) => {
      const { site: a } = createWorld();
      deliverTo(a, frames, merging);
      // A broken frame may look like a large segment of the kernel's: dropped with what came in its datagram.
      fc.pre(a.count(0, 'dropAmbiguousTrain') === 0);
      const receive = createReceiver();
      const outcomes = frames.map(receive);
      const expected = outcomes.flatMap((it) => it.frames ?? []).map(canonical);
      equal(received(a.delivered(VNI)), expected);
      equal(a.count(VNI, 'vtepRxFrames'), outcomes.filter((it) => it.isTaken).length);
      equal(dropsOf(a), outcomes.filter((it) => it.frames === null).length);
      addUp(a);
      for (const it of expected) if (it.length > MAX_FRAME) throw new Error(`a frame of ${it.length} bytes`);
    }),
};

const receivingLargeUdp: Property = {
  name: 'a large UDP segment of a kernel VTEP reaches the host as the datagrams that it is, among other frames',
  runs: 40,
  property: () =>
    fc.property(
      fc.array(offloaded(fc.constantFrom(HERE, BROADCAST), 5000, fc.constant(false)), { minLength: 1, maxLength: 4 }),
      (large) => {
        const { site } = createWorld();
        const sent = large
          .map(({ frame: it, header }) => ({ header, frame: concat(it.slice(0, 6), macBytes(THERE), it.slice(12)) }))
          .map((it) => ({ ...it, parts: finish(it.header, it.frame) ?? [] }))
          .filter(({ parts }) => parts.length > 1);
        for (const it of sent) site.takeDatagram(PEER, vxlan(VNI, it.frame), 0, it.header.gsoSize);
        const fitting = sent.filter(({ parts }) => parts.every((it) => it.length <= MAX_FRAME));
        equal(received(site.delivered(VNI)), fitting.flatMap(({ parts }) => parts).map(canonical));
        equal(dropsOf(site), sent.length - fitting.length);
        addUp(site);
      },
    ),
};

/** The inner frames that were carried, in order. */
function carriedFrames({ fabric }: World): Uint8Array[] {
  return fabric.carried.splice(0).map(({ payload }) => {
    equal([...payload.subarray(0, 8)], [8, 0, 0, 0, 0, 0, VNI, 0]);
    return payload.subarray(8);
  });
}

const through: Property = {
  name: 'what a host leaves to be done is done on the wire, and the other host has the very frames that the first one meant',
  runs: 100,
  property: () =>
    fc.property(
      fc.array(offloaded(fc.constantFrom(THERE, THERE, BROADCAST), 9000), { minLength: 1, maxLength: 5 }),
      anyMerging,
      (sent, merging) => {
        const here = createWorld();
        for (const { frame: it, header } of sent) here.site.port(VNI).inject(it, header);
        here.site.sendWaiting(VNI);
        const meant = sent.map(({ header, frame: it }) => finish(header, it));
        const expected = meant.flatMap((frames) => {
          if (frames === null) return [];
          return frames.some((it) => it.length > MAX_FRAME) ? [] : frames.map(canonical);
        });
        const carried = carriedFrames(here);
        equal(carried.map(canonical), expected);
        const { site: there } = createWorld(THERE, HERE);
        deliverTo(there, carried, merging);
        equal(received(there.delivered(VNI)), expected);
        equal(dropsOf(there), 0);
        addUp(here.site);
        addUp(there);
      },
    ),
};

const sending: Property = {
  name: 'every frame of a host goes out or is dropped for one reason, once, whatever its header says',
  runs: 150,
  property: () =>
    fc.property(fc.array(hostFrame, { minLength: 1, maxLength: 6 }), (sent) => {
      const world = createWorld();
      const { site: a } = world;
      for (const { frame: it, header } of sent) {
        a.resetCounters();
        a.send(VNI, it, { header });
        const carried = carriedFrames(world);
        const out = a.count(VNI, 'vtepTxFrames');
        equal(carried.length, out);
        equal(
          carried.reduce((sum, one) => sum + one.length, 0),
          a.count(VNI, 'vtepTxBytes'),
        );
        for (const one of carried) {
          if (one.length > MAX_FRAME) throw new Error(`sent a frame of ${one.length} bytes`);
          const type = viewOf(one).getUint16(12);
          if (type === 0x8100 || type === 0x88a8) throw new Error('sent a VLAN tag');
        }
        equal(a.count(VNI, 'portRxFrames'), 1);
        equal(dropsOf(a) + (out > 0 ? 1 : 0), 1);
        equal(a.delivered(VNI).length, a.count(VNI, 'tooBigAnswered'));
        addUp(a);
      }
    }),
};

const flooding: Property = {
  name: 'what came, went and was dropped adds up, with several ports and VTEPs, congestion marks and every rule',
  runs: 60,
  property: () =>
    fc.property(
      fc.array(hostFrame, { minLength: 1, maxLength: 4 }),
      wireFrames,
      anyMerging,
      fc.record({ ports: fc.nat(3), peers: fc.nat(2), trafficClass: fc.nat(255), clampMss: fc.boolean() }),
      (sent, frames, merging, { ports, peers, trafficClass, clampMss }) => {
        const { site, fabric } = createWorld(HERE, THERE, { clampMss, dscp: 'copy' });
        fabric.open({ memory: plain, address: '10.0.0.3', port: VXLAN_PORT });
        const vteps = Object.fromEntries([PEER, '10.0.0.3'].slice(0, peers).map((address) => [address, address]));
        site.apply(snapshot(table(VNI, { mtu: MTU, vteps })));
        site.setPorts(VNI, ports);
        if (ports > 0) {
          for (const { frame: it, header } of sent) site.port(VNI, ports - 1).inject(it, header);
          site.sendWaiting(VNI, ports - 1);
        }
        deliverTo(site, frames, merging, trafficClass);
        addUp(site);
      },
    ),
};

const batching: Property = {
  name: 'a frame goes the same way alone and among others',
  runs: 60,
  property: () =>
    fc.property(fc.array(hostFrame, { minLength: 2, maxLength: 8 }), (sent) => {
      const run = (send: (site: OverlaySite, frames: readonly HostFrame[]) => void) => {
        const world = createWorld();
        send(world.site, sent);
        const { site } = world;
        return { carried: carriedFrames(world), counters: site.counters(VNI), delivered: site.delivered(VNI) };
      };
      const alone = run((site, frames) => {
        for (const { frame: it, header } of frames) site.send(VNI, it, { header });
      });
      const together = run((site, frames) => {
        for (const { frame: it, header } of frames) site.port(VNI).inject(it, header);
        site.sendWaiting(VNI);
      });
      equal(together, alone);
    }),
};

export const TUNNEL: readonly Property[] = [receiving, receivingLargeUdp, through, sending, flooding, batching];
