/** Congestion marks and classes of service between inner and outer headers: RFC 6040, RFC 2983. */
import { describe, expect, it } from 'vitest';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { CE, ECT_0, ECT_1, NOT_ECT } from '../../../agent/wire/ecn.ts';
import { counting, ethernet, ipv4, ipv6, type Segment, tcp, udp } from '../frames.ts';
import { BROADCAST, frame, OverlaySite, type SiteOptions, snapshot, station, table, vxlan } from './overlay.ts';

const VNI = 9;
const [A, B] = [station(1), station(2)];
const DSCP_EF = 0x2e << 2;

const packet = (trafficClass: number, segment: Segment = udp()) =>
  ethernet(B, A, 0x0800, ipv4(segment, { trafficClass }));
const packet6 = (trafficClass: number, segment: Segment = udp()) =>
  ethernet(B, A, 0x86dd, ipv6(segment, { trafficClass }));

function createPair(options: SiteOptions = {}): { fabric: InMemoryFabric; a: OverlaySite; b: OverlaySite } {
  const fabric = new InMemoryFabric();
  const a = new OverlaySite(fabric, 'a', '10.0.0.1', options);
  const b = new OverlaySite(fabric, 'b', '10.0.0.2');
  a.apply(snapshot(table(VNI, { vteps: { b: '10.0.0.2' } })));
  b.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' } })));
  b.send(VNI, frame(BROADCAST, B));
  a.take();
  fabric.carried.length = 0;
  return { fabric, a, b };
}

describe('on the underlay', () => {
  it('a datagram bears the ECN bits of its inner packet, CE among them, and DSCP 0', () => {
    const { fabric, a } = createPair();
    const sent = [NOT_ECT, ECT_1, ECT_0, CE].flatMap((ecn) => [packet(DSCP_EF | ecn), packet6(DSCP_EF | ecn)]);
    for (const it of sent) a.send(VNI, it);
    expect(fabric.carried.map(({ trafficClass }) => trafficClass)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('it bears the DSCP, too, where that is to be copied', () => {
    const { fabric, a } = createPair({ rules: { dscp: 'copy' } });
    a.send(VNI, packet(DSCP_EF | ECT_0));
    a.send(VNI, packet6(0xff));
    expect(fabric.carried.map(({ trafficClass }) => trafficClass)).toEqual([DSCP_EF | ECT_0, 0xff]);
  });

  it('what is not IP bears none', () => {
    const { fabric, a } = createPair({ rules: { dscp: 'copy' } });
    a.send(VNI, ethernet(B, A, 0x0806, new Uint8Array(46).fill(0xff)));
    expect(fabric.carried.map(({ trafficClass }) => trafficClass)).toEqual([0]);
  });

  it('every frame that a large segment is cut into bears its bits', () => {
    const { fabric, a } = createPair();
    a.send(VNI, packet(ECT_0, tcp({ payload: counting(3000), checksum: 'incomplete' })), { header: tso(1000) });
    expect(fabric.carried.map(({ trafficClass }) => trafficClass)).toEqual([ECT_0, ECT_0, ECT_0]);
  });
});

describe('a congested underlay', () => {
  it('is told to the ends of an ECN-capable packet, IPv4 and IPv6, and the packet is right otherwise', () => {
    const { fabric, a, b } = createPair();
    fabric.isCongested = true;
    a.send(VNI, packet(DSCP_EF | ECT_0));
    a.send(VNI, packet6(DSCP_EF | ECT_1));
    b.take();
    expect(b.frames(VNI)).toEqual([packet(DSCP_EF | CE), packet6(DSCP_EF | CE)]);
    expect(b.count(VNI, 'ecnMarkedFrames')).toBe(2);
  });

  it('is told by a loss where the packet can bear no mark, and that is counted', () => {
    const { b } = createPair();
    b.takeDatagram('10.0.0.1', vxlan(VNI, packet(NOT_ECT)), CE);
    expect(b.frames(VNI)).toEqual([]);
    expect(b.counters(VNI)).toMatchObject({ dropCongested: 1 });
    expect(b.count(VNI, 'vtepRxFrames')).toBe(0);
  });

  it('takes nothing from what is not IP', () => {
    const { b } = createPair();
    b.takeDatagram('10.0.0.1', vxlan(VNI, frame(B, A)), CE);
    expect(b.frames(VNI)).toEqual([frame(B, A)]);
  });

  it('marks a train of TCP segments, which is put together all the same', () => {
    const { fabric, a, b } = createPair();
    fabric.isCongested = true;
    const segment = (checksum: 'incomplete') => tcp({ payload: counting(3000), checksum });
    a.send(VNI, packet(ECT_0, segment('incomplete')), { header: tso(1000) });
    b.take();
    expect(b.frames(VNI)).toEqual([packet(CE, segment('incomplete'))]);
    expect(b.count(VNI, 'ecnMarkedFrames')).toBe(3);
  });

  it('marks one segment among others: those before and behind it are not merged with it', () => {
    const { fabric, a, b } = createPair();
    a.send(VNI, packet(ECT_0, tcp({ payload: counting(3000), checksum: 'incomplete' })), { header: tso(1000) });
    const cut = fabric.carried.map(({ payload }) => payload);
    b.take();
    b.frames(VNI);
    for (const [i, payload] of cut.entries()) b.underlay.inject('10.0.0.1', payload, i === 1 ? CE : ECT_0);
    b.take();
    const ecn = b.frames(VNI).map((it) => it[15]! & 3);
    expect(ecn).toEqual([ECT_0, CE, ECT_0]);
  });
});

describe('a large segment with CWR', () => {
  it('is cut so that the first frame alone says it, and it is not merged away', () => {
    const { a, b } = createPair();
    const CWR_ACK = 0x90;
    a.send(VNI, packet(ECT_0, tcp({ flags: CWR_ACK, payload: counting(3000), checksum: 'incomplete' })), {
      header: { ...tso(1000), gsoType: 0x81 },
    });
    b.take();
    const flags = b.frames(VNI).map((it) => it[47]);
    expect(flags).toEqual([CWR_ACK, 0x10]);
  });
});

function tso(gsoSize: number) {
  return { flags: 1, gsoType: 1, headerLength: 54, gsoSize, csumStart: 34, csumOffset: 16 };
}
