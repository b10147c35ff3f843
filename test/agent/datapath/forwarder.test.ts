import { describe, expect, it } from 'vitest';
import { MAC_AGEING_SECONDS } from '../../../agent/datapath/network.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { SOURCE_PORT_LANES } from '../../../agent/underlay/underlay.ts';
import type { VirtioNetHeader } from '../../../agent/wire/virtio-net.ts';
import { concat, hex, memoryOf } from '../bytes.ts';
import * as captures from '../captures.ts';
import { counting, ethernet, ipv4, macBytes, tcp, udp } from '../frames.ts';
import { BROADCAST, createOverlay, delta, frame, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const VNI = 9;
const A = station(1);
const B = station(2);
const C = station(3);

/** A network whose stations have all spoken once. */
function createLearned(options = {}): [OverlaySite, OverlaySite, OverlaySite] {
  const [a, b, c] = createOverlay(3, [VNI], options) as [OverlaySite, OverlaySite, OverlaySite];
  for (const [site, mac] of [
    [a, A],
    [b, B],
    [c, C],
  ] as const)
    site.send(VNI, frame(BROADCAST, mac));
  for (const site of [a, b, c]) {
    site.take();
    site.frames(VNI);
    site.resetCounters();
  }
  return [a, b, c];
}

describe('a frame between sites', () => {
  it('arrives byte for byte at the one site where its destination was heard, and nowhere else', () => {
    const [a, b, c] = createLearned();
    const sent = frame(B, A, 7);
    a.send(VNI, sent);
    b.take();
    c.take();
    expect(b.frames(VNI)).toEqual([sent]);
    expect(c.frames(VNI)).toEqual([]);
    expect(a.counters(VNI)).toEqual({ portRxFrames: 1, portRxBytes: 60, vtepTxFrames: 1, vtepTxBytes: 60 });
    expect(b.counters(VNI)).toEqual({ vtepRxFrames: 1, vtepRxBytes: 60, portTxFrames: 1, portTxBytes: 60 });
  });

  it('is on the wire as RFC 7348 says: flags 08, the VNI, all else zero, then the frame', () => {
    const fabric = new InMemoryFabric();
    const a = new OverlaySite(fabric, 'a', '10.0.0.1');
    fabric.open({
      memory: memoryOf(new Uint8Array()),
      address: '10.0.0.2',
      port: 8472,
    });
    a.apply(snapshot(table(0xabcdef, { vteps: { b: ['10.0.0.2', 8472] } })));
    a.send(0xabcdef, frame(BROADCAST, A, 3));
    const [datagram, ...others] = fabric.carried;
    expect(others).toEqual([]);
    expect(datagram).toMatchObject({ from: '10.0.0.1', to: '10.0.0.2', toPort: 8472 });
    expect(datagram!.payload).toEqual(concat(hex('08000000 abcdef00'), frame(BROADCAST, A, 3)));
  });

  it('goes over IPv6 as it does over IPv4', () => {
    const fabric = new InMemoryFabric();
    const [a, b] = ['fd00::1', 'fd00::2'].map((address) => new OverlaySite(fabric, address, address));
    a!.apply(snapshot(table(VNI, { vteps: { b: 'fd00::2' } })));
    b!.apply(snapshot(table(VNI, { vteps: { a: 'fd00::1' } })));
    a!.send(VNI, frame(BROADCAST, A));
    b!.take();
    expect(b!.frames(VNI)).toHaveLength(1);
    b!.send(VNI, frame(A, B));
    a!.take();
    expect(a!.frames(VNI)).toHaveLength(1);
  });

  it.each([
    ['broadcast', BROADCAST],
    ['multicast', 0x0100_5e00_0001],
    ['to a station that nobody heard', station(99)],
  ])('goes to every site of the network once where it is %s', (_what, destination) => {
    const [a, b, c] = createLearned();
    a.send(VNI, frame(destination, A));
    for (const site of [b, c]) {
      site.take();
      expect(site.frames(VNI)).toEqual([frame(destination, A)]);
    }
    expect(a.counters(VNI)).toMatchObject({ floodedFrames: 1, vtepTxFrames: 2, vtepTxBytes: 120 });
    a.take();
    expect(a.frames(VNI)).toEqual([]);
  });

  it('never goes from the tunnel back into the tunnel', () => {
    const [a, b, c] = createLearned();
    // To b by mistake: c's station is at c, which b knows.
    b.takeDatagram(a.address, vxlan(VNI, frame(C, A)));
    c.take();
    expect(b.frames(VNI)).toEqual([]);
    expect(c.frames(VNI)).toEqual([]);
    expect(b.counters(VNI)).toEqual({ vtepRxFrames: 1, vtepRxBytes: 60, dropSplitHorizon: 1 });
  });

  it('keeps its flow on one lane, and flows spread over the lanes', () => {
    const fabric = new InMemoryFabric();
    const a = new OverlaySite(fabric, 'a', '10.0.0.1');
    new OverlaySite(fabric, 'b', '10.0.0.2');
    a.apply(snapshot(table(VNI, { vteps: { b: '10.0.0.2' } })));
    const flow = (port: number) => ethernet(B, A, 0x0800, ipv4(udp({ from: port, payload: counting(30) })));
    for (let port = 1000; port < 1100; port++) a.send(VNI, flow(port));
    for (let i = 0; i < 10; i++) a.send(VNI, flow(1000));
    const lanes = fabric.carried.map(({ lane }) => lane);
    expect(new Set(lanes).size).toBe(SOURCE_PORT_LANES);
    expect(Math.max(...lanes)).toBe(SOURCE_PORT_LANES - 1);
    expect(new Set([lanes[0], ...lanes.slice(100)]).size).toBe(1);
  });
});

describe('where a station is', () => {
  it('is learned from what it sends, on either side', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    a.send(VNI, frame(BROADCAST, A));
    b.take();
    b.send(VNI, frame(A, B));
    a.take();
    expect(b.count(VNI, 'floodedFrames')).toBe(0);
    expect(a.frames(VNI)).toEqual([frame(A, B)]);
    a.send(VNI, frame(B, A));
    expect(a.count(VNI, 'floodedFrames')).toBe(1);
  });

  it('is forgotten when it was silent for too long, and its frames are flooded again', () => {
    const [a, b, c] = createLearned();
    a.now += MAC_AGEING_SECONDS;
    a.send(VNI, frame(B, A));
    expect(a.count(VNI, 'floodedFrames')).toBe(0);
    a.now += 1;
    a.send(VNI, frame(B, A));
    expect(a.count(VNI, 'floodedFrames')).toBe(1);
    for (const site of [b, c]) site.take();
    expect(b.frames(VNI)).toHaveLength(2);
    expect(c.count(VNI, 'vtepRxFrames')).toBe(1);
  });

  it('follows it when it moves to another site', () => {
    const [a, b, c] = createLearned();
    c.send(VNI, frame(BROADCAST, B));
    a.take();
    expect(a.count(VNI, 'macsMoved')).toBe(1);
    a.send(VNI, frame(B, A, 5));
    for (const site of [b, c]) site.take();
    expect(b.frames(VNI)).not.toContainEqual(frame(B, A, 5));
    expect(c.frames(VNI)).toContainEqual(frame(B, A, 5));
  });

  it('follows it when it moves here, and away again', () => {
    const [a, b] = createLearned();
    a.send(VNI, frame(BROADCAST, B));
    b.take();
    expect([a.count(VNI, 'macsMoved'), b.count(VNI, 'macsMoved')]).toEqual([1, 1]);
    b.frames(VNI);
    b.send(VNI, frame(B, C, 6));
    a.take();
    expect(a.frames(VNI)).toContainEqual(frame(B, C, 6));
  });

  it('is where the registry says, whatever is heard', () => {
    const [a, b, c] = createOverlay(3, [VNI]) as [OverlaySite, OverlaySite, OverlaySite];
    a.apply(delta([{ ...table(VNI), macs: table(VNI, { macs: { '02:00:00:00:00:02': 'b' } }).macs }]));
    a.takeDatagram(c.address, vxlan(VNI, frame(BROADCAST, B)));
    a.send(VNI, frame(B, A, 1));
    for (const site of [b, c]) site.take();
    expect(b.frames(VNI)).toContainEqual(frame(B, A, 1));
    expect(c.frames(VNI)).toEqual([]);
    expect(a.counters(VNI)).not.toHaveProperty('floodedFrames');
  });
});

describe('a site with several ports', () => {
  it('is a learning switch between them', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    a.setPorts(VNI, 3);
    a.send(VNI, frame(BROADCAST, A), { port: 0 });
    expect([0, 1, 2].map((port) => a.frames(VNI, port).length)).toEqual([0, 1, 1]);
    a.send(VNI, frame(A, C), { port: 2 });
    expect([0, 1, 2].map((port) => a.frames(VNI, port).length)).toEqual([1, 0, 0]);
    b.take();
    expect(b.frames(VNI)).toEqual([frame(BROADCAST, A)]);
    b.send(VNI, frame(C, B));
    a.take();
    expect([0, 1, 2].map((port) => a.frames(VNI, port).length)).toEqual([0, 0, 1]);
    b.send(VNI, frame(BROADCAST, B));
    a.take();
    expect([0, 1, 2].map((port) => a.frames(VNI, port).length)).toEqual([1, 1, 1]);
  });

  it('drops what is for a station behind the port it came from', () => {
    const [a, b] = createLearned();
    a.send(VNI, frame(A, C));
    a.resetCounters();
    a.send(VNI, frame(C, A));
    expect(a.counters(VNI)).toEqual({ portRxFrames: 1, portRxBytes: 60, dropSamePort: 1 });
    b.take();
    expect(b.frames(VNI)).toEqual([]);
  });

  it('passes on between them what the host left to be done, and finishes it for the tunnel alone', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    a.setPorts(VNI, 2);
    const header: VirtioNetHeader = { flags: 1, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 34, csumOffset: 6 };
    const left = ethernet(BROADCAST, A, 0x0800, ipv4(udp({ payload: counting(5), checksum: 'incomplete' })));
    a.send(VNI, left, { header });
    expect(a.delivered(VNI, 1)).toEqual([{ header, frame: left }]);
    b.take();
    const finished = ethernet(BROADCAST, A, 0x0800, ipv4(udp({ payload: counting(5) })));
    expect(b.delivered(VNI)).toEqual([
      { header: { ...header, flags: 0, csumStart: 0, csumOffset: 0 }, frame: finished },
    ]);
  });

  it('counts what was for a port that went', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    a.setPorts(VNI, 2);
    a.send(VNI, frame(BROADCAST, C), { port: 1 });
    a.setPorts(VNI, 1);
    b.send(VNI, frame(C, B));
    a.take();
    expect(a.count(VNI, 'dropNoPort')).toBe(1);
  });
});

describe('a frame that has nowhere to go', () => {
  it('is counted where nothing is flooded', () => {
    const [a, b] = createOverlay(2, [VNI], { flood: 'none' }) as [OverlaySite, OverlaySite];
    a.send(VNI, frame(BROADCAST, A));
    expect(a.counters(VNI)).toEqual({ portRxFrames: 1, portRxBytes: 60, dropNoDestination: 1 });
    a.setPorts(VNI, 2);
    a.send(VNI, frame(BROADCAST, A));
    expect(a.frames(VNI, 1)).toHaveLength(1);
    b.take();
    expect(b.frames(VNI)).toEqual([]);
  });

  it('is counted where the network has no other site', () => {
    const [a] = createOverlay(1, [VNI]) as [OverlaySite];
    a.send(VNI, frame(BROADCAST, A));
    expect(a.count(VNI, 'dropNoDestination')).toBe(1);
  });

  it('is counted where the site has no port for the network', () => {
    const [a, b] = createOverlay(2, [VNI]) as [OverlaySite, OverlaySite];
    b.setPorts(VNI, 0);
    a.send(VNI, frame(BROADCAST, A));
    b.take();
    expect(b.counters(VNI)).toEqual({ vtepRxFrames: 1, vtepRxBytes: 60, dropNoPort: 1 });
  });

  it('is counted where the host takes it not', () => {
    const [a, b] = createLearned();
    b.port(VNI).isUp = false;
    a.send(VNI, frame(B, A));
    b.take();
    expect(b.counters(VNI)).toEqual({ vtepRxFrames: 1, vtepRxBytes: 60, dropPortBusy: 1 });
  });
});

describe('what is too big', () => {
  it('for the network is counted before it is sent, and what fits exactly is sent', () => {
    const [a, b] = createLearned({ mtu: 1000 });
    a.send(VNI, frame(B, A, 1, 1014));
    a.send(VNI, frame(B, A, 2, 1015));
    b.take();
    expect(b.frames(VNI)).toEqual([frame(B, A, 1, 1014)]);
    expect(a.count(VNI, 'dropTooBig')).toBe(1);
  });

  it('for the port is counted on receipt', () => {
    const [a, b] = createLearned({ mtu: 1000 });
    b.takeDatagram(a.address, vxlan(VNI, frame(B, A, 1, 1015)));
    expect(b.frames(VNI)).toEqual([]);
    expect(b.count(VNI, 'dropTooBig')).toBe(1);
  });

  it('is delivered to be cut where it is TCP of a kernel VTEP, to every port alike', () => {
    const [a, b] = createLearned();
    b.setPorts(VNI, 2);
    const large = ethernet(BROADCAST, A, 0x0800, ipv4(tcp({ payload: counting(30_000) })));
    b.takeDatagram(a.address, vxlan(VNI, large));
    const [first, second] = [b.delivered(VNI, 0), b.delivered(VNI, 1)];
    expect(first[0]!.header).toMatchObject({ flags: 1, gsoType: 1, gsoSize: 1410 });
    expect(second).toEqual(first);
  });

  it('and corrupt is counted as such', () => {
    const [a, b] = createLearned();
    const large = ethernet(B, A, 0x0800, ipv4(tcp({ payload: counting(3000) })));
    large[100]! ^= 0x10;
    b.takeDatagram(a.address, vxlan(VNI, large));
    expect(b.count(VNI, 'dropBadChecksum')).toBe(1);
    expect(b.frames(VNI)).toEqual([]);
  });
});

describe('an incomplete checksum', () => {
  it('of a kernel VTEP is left to the host to complete', () => {
    const [a, b] = createLearned();
    b.takeDatagram(a.address, vxlan(VNI, captures.TCP_SYN_IPV4));
    expect(b.delivered(VNI)).toEqual([
      {
        header: { flags: 1, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 34, csumOffset: 16 },
        frame: captures.TCP_SYN_IPV4,
      },
    ]);
  });

  it('that the host describes wrongly is counted, and the frame not sent', () => {
    const [a, b] = createLearned();
    const header: VirtioNetHeader = { flags: 1, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 59, csumOffset: 2 };
    a.send(VNI, frame(B, A), { header });
    expect(a.counters(VNI)).toEqual({ portRxFrames: 1, portRxBytes: 60, dropBadChecksum: 1 });
    b.take();
    expect(b.frames(VNI)).toEqual([]);
  });
});

describe('a VLAN tag', () => {
  const tagged = (...tags: number[]): Uint8Array =>
    concat(
      macBytes(B),
      macBytes(A),
      ...tags.map((tag) => hex(tag.toString(16).padStart(8, '0'))),
      frame(B, A).slice(12),
    );

  it.each([
    ['802.1Q', [0x8100_0064]],
    ['802.1ad', [0x88a8_0064]],
    ['a second', [0x88a8_0064, 0x8100_0065]],
  ])('is taken off what is sent: %s', (_what, tags) => {
    const [a, b] = createLearned();
    a.send(VNI, tagged(...tags));
    b.take();
    expect(b.frames(VNI)).toEqual([frame(B, A)]);
    expect(a.count(VNI, 'vlanTagsStripped')).toBe(tags.length);
    expect(a.count(VNI, 'vtepTxBytes')).toBe(60);
  });

  it('does not count against the MTU', () => {
    const [a, b] = createLearned({ mtu: 1000 });
    const full = frame(B, A, 1, 1014);
    a.send(VNI, concat(full.slice(0, 12), hex('8100 0064'), full.slice(12)));
    b.take();
    expect(b.frames(VNI)).toEqual([full]);
  });

  it('without a frame behind it is a runt', () => {
    const [a] = createLearned();
    for (let length = 14; length < 18; length++) a.send(VNI, tagged(0x8100_0064).slice(0, length));
    expect(a.count(VNI, 'dropInnerRunt')).toBe(4);
    expect(a.count(VNI, 'vtepTxFrames')).toBe(0);
    a.send(VNI, tagged(0x8100_0064).slice(0, 18));
    expect(a.count(VNI, 'vtepTxFrames')).toBe(1);
  });

  it('is reason to drop what is received', () => {
    const [a, b] = createLearned();
    b.takeDatagram(a.address, vxlan(VNI, tagged(0x8100_0064)));
    b.takeDatagram(a.address, vxlan(VNI, tagged(0x88a8_0064)));
    expect(b.counters(VNI)).toEqual({ dropInnerVlan: 2 });
    expect(b.frames(VNI)).toEqual([]);
  });

  it('stays on what goes from one port of the host to another', () => {
    const [a] = createLearned();
    a.setPorts(VNI, 2);
    a.send(VNI, frame(BROADCAST, B), { port: 1 });
    a.frames(VNI);
    a.send(VNI, tagged(0x8100_0064));
    expect(a.frames(VNI, 1)).toEqual([tagged(0x8100_0064)]);
  });
});

describe('what the underlay does not take', () => {
  it.each([
    ['beyond its MTU', 'dropTooBig', { fabricMtu: 95, queueCapacity: 9, vtep: '10.0.0.2' }],
    ['more than its queue holds', 'dropUnderlayBusy', { fabricMtu: 1500, queueCapacity: 0, vtep: '10.0.0.2' }],
    ['to where nobody is', 'dropUnreachable', { fabricMtu: 1500, queueCapacity: 9, vtep: '10.0.0.3' }],
  ] as const)('is counted for its network and its peer: %s', (_what, counter, { fabricMtu, queueCapacity, vtep }) => {
    const fabric = new InMemoryFabric(fabricMtu);
    const a = new OverlaySite(fabric, 'a', '10.0.0.1', { queueCapacity });
    new OverlaySite(fabric, 'b', '10.0.0.2');
    a.apply(snapshot(table(VNI, { vteps: { b: vtep } }), table(10)));
    a.send(VNI, frame(BROADCAST, A));
    expect(a.count(VNI, counter)).toBe(1);
    expect(a.peerCounters(VNI)[`${vtep} 4789`]).toEqual({ txFrames: 1, txBytes: 60, [counter]: 1 });
    expect(a.counters(10)).toEqual({});
    expect(fabric.carried).toEqual([]);
  });
});
