/** What comes as several datagrams in one: trains of ours, and a kernel VTEP's large UDP segments, which are one frame. */
import { beforeEach, describe, expect, it } from 'vitest';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { ECT_1 } from '../../../agent/wire/ecn.ts';
import { createGuardedMemory } from '../../fuzz/guarded-memory.ts';
import { concat, viewOf } from '../bytes.ts';
import { counting, ethernet, ipv4, ipv6, tcp, udp } from '../frames.ts';
import { BROADCAST, frame, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const PEER = '10.0.0.2';
const HOST = station(1);
const FAR = station(2);
const GSO_SIZE = 1000;
const VNI = 9;
const OTHER = 10;

let site: OverlaySite;

beforeEach(() => {
  site = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.1');
  site.apply(snapshot(table(VNI, { vteps: { b: PEER } }), table(OTHER, { vteps: { b: PEER } })));
  site.send(VNI, frame(BROADCAST, HOST));
  site.resetCounters();
});

/** As the kernel leaves it: one datagram for all, its checksum incomplete. */
function largeUdp(payload: Uint8Array, isIpv4: boolean, to = HOST): Uint8Array {
  const segment = udp({ payload, checksum: 'incomplete' });
  return isIpv4 ? ethernet(to, FAR, 0x0800, ipv4(segment)) : ethernet(to, FAR, 0x86dd, ipv6(segment));
}

describe('a large UDP segment of a kernel VTEP on this machine', () => {
  for (const isIpv4 of [true, false]) {
    it(`reaches the host as the datagrams that it is, each complete, over IPv${isIpv4 ? 4 : 6}`, () => {
      const payload = counting(3500);
      for (const to of [HOST, BROADCAST]) {
        site.takeDatagram(PEER, vxlan(VNI, largeUdp(payload, isIpv4, to)), 0, GSO_SIZE);
        const delivered = site.delivered(VNI);
        const sent = [0, 1000, 2000, 3000].map((at) => payload.slice(at, at + GSO_SIZE));
        const whole = sent.map((part) => udp({ payload: part }));
        const expected = isIpv4 ? whole.map((it, i) => withId(ipv4(it), i)) : whole.map((it) => ipv6(it));
        expect(delivered.map((it) => it.frame)).toEqual(
          expected.map((packet) => ethernet(to, FAR, isIpv4 ? 0x0800 : 0x86dd, packet)),
        );
        for (const { header } of delivered) expect(header).toMatchObject({ flags: 0, gsoType: 0 });
      }
      expect(site.counters(VNI)).toMatchObject({ vtepRxFrames: 2, portTxFrames: 8 });
    });
  }

  it('whose datagrams are too big for the network is counted as such', () => {
    site.takeDatagram(PEER, vxlan(VNI, largeUdp(counting(4000), true)), 0, 2000);
    expect(site.counters(VNI)).toMatchObject({ vtepRxFrames: 1, dropTooBig: 1 });
    expect(site.frames(VNI)).toEqual([]);
  });

  for (const tags of [0, 1, 2]) {
    it(`brings nothing into another network, though its payload has a VXLAN header where it would be cut (${tags} VLAN tags)`, () => {
      const smuggled = vxlan(OTHER, frame(BROADCAST, station(3)));
      const inner = largeUdp(new Uint8Array(3500), true);
      const tagged = concat(inner.slice(0, 12), ...Array(tags).fill(Uint8Array.of(0x81, 0, 0, 5)), inner.slice(12));
      const datagram = vxlan(VNI, tagged);
      datagram.set(smuggled, 2 * GSO_SIZE);
      site.takeDatagram(PEER, datagram, 0, GSO_SIZE);
      expect(site.counters(0)).toEqual({ dropAmbiguousTrain: 1 });
      expect([...site.frames(VNI), ...site.frames(OTHER)]).toEqual([]);
    });
  }

  it('that could not be cut, having a VLAN tag, is dropped for that alone', () => {
    const inner = largeUdp(counting(3500), true);
    const tagged = concat(inner.slice(0, 12), Uint8Array.of(0x81, 0, 0, 5), inner.slice(12));
    site.takeDatagram(PEER, vxlan(VNI, tagged), 0, GSO_SIZE);
    expect(site.counters(VNI)).toEqual({ dropInnerVlan: 1 });
    expect(site.counters(0)).toEqual({});
  });
});

describe('a large TCP segment of another VTEP', () => {
  const part = (i: number, checksum: 'complete' | 'incomplete') =>
    ethernet(HOST, FAR, 0x0800, ipv4(tcp({ sequence: 1 + i * 1500, payload: counting(1500), checksum })));

  it('is not made larger still by what continues it', () => {
    const parts = [part(0, 'complete'), part(1, 'complete')];
    site.takeDatagram(PEER, concat(...parts.map((it) => vxlan(VNI, it))), 0, parts[0]!.length + 8);
    expect(site.delivered(VNI).map((it) => [it.header.gsoSize, it.frame])).toEqual([
      [1410, part(0, 'incomplete')],
      [1410, part(1, 'incomplete')],
    ]);
  });

  it('is dropped where it goes on behind its packet, which would be cut along', () => {
    site.takeDatagram(PEER, vxlan(VNI, concat(part(0, 'complete'), counting(10))));
    expect(site.counters(VNI)).toMatchObject({ dropTooBig: 1 });
    expect(site.frames(VNI)).toEqual([]);
  });
});

describe('a train', () => {
  const train = (...frames: readonly Uint8Array[]): Uint8Array =>
    concat(...frames.map((it, i) => vxlan(i === 1 ? OTHER : VNI, it)));

  it('is taken apart, each datagram by its own VNI', () => {
    const frames = [1, 2, 3].map((mark) => frame(BROADCAST, FAR, mark));
    site.takeDatagram(PEER, train(...frames), 0, 68);
    expect(site.frames(VNI)).toEqual([frames[0], frames[2]]);
    expect(site.frames(OTHER)).toEqual([frames[1]]);
  });

  it('that ends in a runt is not looked behind for a congestion mark', () => {
    const guarded = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.1', { createMemory: createGuardedMemory });
    guarded.apply(snapshot(table(VNI, { vteps: { b: PEER } })));
    guarded.send(VNI, frame(BROADCAST, HOST));
    const whole = ethernet(HOST, FAR, 0x0800, ipv4(tcp({ payload: counting(100) })));
    guarded.takeDatagram(PEER, concat(vxlan(VNI, whole), vxlan(VNI, whole.slice(0, 3))), ECT_1, whole.length + 8);
    expect(guarded.count(VNI, 'dropInnerRunt')).toBe(1);
  });

  it('whose first frame claims to be all of it never takes another network’s along', () => {
    const frames = [1, 2, 3].map((mark) => frame(BROADCAST, FAR, mark));
    const liar = ethernet(BROADCAST, FAR, 0x0800, ipv4(udp({ payload: new Uint8Array(18) })));
    viewOf(liar).setUint16(14 + 2, 3 * 68 - 8 - 14);
    site.takeDatagram(PEER, train(liar, ...frames.slice(1)), 0, 68);
    expect([...site.frames(VNI), ...site.frames(OTHER)]).toEqual([]);
    expect(site.counters(0)).toEqual({ dropAmbiguousTrain: 1 });
  });
});

/** The segments of one datagram count their ids on. */
function withId(packet: Uint8Array, index: number): Uint8Array {
  const view = viewOf(packet);
  view.setUint16(4, view.getUint16(4) + index);
  view.setUint16(10, view.getUint16(10) - index);
  return packet;
}
