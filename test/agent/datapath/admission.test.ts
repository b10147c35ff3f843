import { describe, expect, it } from 'vitest';
import type { CounterName } from '../../../agent/datapath/counters.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { writeProbe } from '../../../agent/wire/probe.ts';
import { concat, hex, written } from '../bytes.ts';
import { ethernet } from '../frames.ts';
import {
  BROADCAST,
  createOverlay,
  delta,
  frame,
  OverlaySite,
  snapshot,
  station,
  type TableOptions,
  table,
  vxlan,
} from './overlay.ts';

const VNI = 9;
const A = station(1);
const B = station(2);
const PEER = '10.0.0.1';
const STRANGER = '10.9.9.9';

/** A site that carries VNI 9 with one peer, and VNI 10 with another. */
function createSite(options: TableOptions = {}): OverlaySite {
  const fabric = new InMemoryFabric();
  const site = new OverlaySite(fabric, 'b', '10.0.0.2');
  site.apply(
    snapshot(table(VNI, { vteps: { a: PEER }, ...options }), table(10, { vteps: { c: '10.0.0.3' }, ...options })),
  );
  return site;
}

describe('a datagram that is no frame of a network here is dropped and counted', () => {
  it.each<[string, CounterName, Uint8Array]>([
    ['nothing at all', 'dropTruncatedHeader', new Uint8Array()],
    ['a header cut short', 'dropTruncatedHeader', hex('08000000 000009')],
    ['no I flag', 'dropNoVniFlag', concat(hex('00000000 00000900'), frame(BROADCAST, A))],
    ['every flag but I', 'dropNoVniFlag', concat(hex('f7ffffff 000009ff'), frame(BROADCAST, A))],
    ['a VNI that is not carried', 'dropUnknownVni', vxlan(11, frame(BROADCAST, A))],
    ['VNI 0', 'dropUnknownVni', vxlan(0, frame(BROADCAST, A))],
  ])('%s', (_what, counter, datagram) => {
    const site = createSite();
    site.takeDatagram(PEER, datagram);
    expect(site.counters(0)).toEqual({ [counter]: 1 });
    expect(site.counters(VNI)).toEqual({});
    expect(site.frames(VNI)).toEqual([]);
  });

  it.each<[string, CounterName, Uint8Array]>([
    ['no frame', 'dropInnerRunt', new Uint8Array()],
    ['a frame of 13 bytes', 'dropInnerRunt', frame(BROADCAST, A).slice(0, 13)],
    ['a source of all zeros', 'dropBadSource', frame(BROADCAST, 0)],
    ['a source that is a group', 'dropBadSource', frame(B, 0x0100_5e00_0001)],
    ['broadcast as its source', 'dropBadSource', frame(B, BROADCAST)],
  ])('%s', (_what, counter, inner) => {
    const site = createSite();
    site.takeDatagram(PEER, vxlan(VNI, inner));
    expect(site.counters(VNI)).toEqual({ [counter]: 1 });
    expect(site.counters(0)).toEqual({});
    expect(site.frames(VNI)).toEqual([]);
    expect(site.network(VNI).macs.entries(site.now)).toEqual([]);
  });

  it('an Ethernet header with nothing behind it is a frame', () => {
    const site = createSite();
    const smallest = ethernet(BROADCAST, A, 0x88b5, new Uint8Array());
    site.takeDatagram(PEER, vxlan(VNI, smallest));
    expect(site.frames(VNI)).toEqual([smallest]);
  });

  it('reserved bits, whatever they are, are no reason', () => {
    const site = createSite();
    site.takeDatagram(PEER, concat(hex('ffffffff 000009ff'), frame(BROADCAST, A)));
    expect(site.frames(VNI)).toHaveLength(1);
  });
});

describe('a probe, which no I flag makes a frame,', () => {
  const probe = written(32, (view, at) => {
    writeProbe(view, at, { kind: 'ask', size: 32, nonce: 7n, port: 4789, heldMicros: 0 });
  });

  it('is kept for control with who sent it and when, where a network lists them', () => {
    const site = createSite();
    site.takeDatagram(PEER, probe);
    expect(site.forwarder.probes.drain()).toMatchObject([
      { source: PEER, probe: { kind: 'ask', nonce: 7n }, at: site.now * 1000 },
    ]);
    expect(site.forwarder.probes.hasHeard).toBe(false);
    expect(site.counters(0)).toEqual({});
  });

  it('of a stranger is dropped and counted, as are more than a site is to answer', () => {
    const site = createSite();
    site.takeDatagram(STRANGER, probe);
    expect(site.forwarder.probes.hasHeard).toBe(false);
    for (let i = 0; i < 300; i++) site.takeDatagram(PEER, probe);
    expect(site.forwarder.probes.drain()).toHaveLength(20);
    expect(site.counters(0)).toEqual({ dropUnlistedProbe: 1, dropProbeLimit: 280 });
  });

  it('that came together with frames is told from them', () => {
    const site = createSite();
    site.takeDatagram(PEER, concat(vxlan(VNI, frame(BROADCAST, A)), probe), 0, 68);
    expect(site.frames(VNI)).toHaveLength(1);
    expect(site.forwarder.probes.drain()).toHaveLength(1);
  });
});

describe('a frame that the host sends is dropped and counted', () => {
  it.each<[string, CounterName, Uint8Array]>([
    ['a runt', 'dropInnerRunt', frame(BROADCAST, A).slice(0, 13)],
    ['nothing', 'dropInnerRunt', new Uint8Array()],
    ['a source of all zeros', 'dropBadSource', frame(BROADCAST, 0)],
    ['a source that is a group', 'dropBadSource', frame(B, BROADCAST)],
  ])('%s', (_what, counter, bad) => {
    const site = createSite();
    site.send(VNI, bad);
    expect(site.counters(VNI)).toMatchObject({ portRxFrames: 1, [counter]: 1 });
    expect(site.count(VNI, 'vtepTxFrames')).toBe(0);
    expect(site.network(VNI).macs.entries(site.now)).toEqual([]);
  });
});

describe('a VTEP', () => {
  it('that the registry does not list is not heard', () => {
    const site = createSite();
    site.takeDatagram(STRANGER, vxlan(VNI, frame(BROADCAST, A)));
    expect(site.counters(VNI)).toEqual({ dropUnlistedVtep: 1 });
    expect(site.frames(VNI)).toEqual([]);
    expect(site.network(VNI).macs.entries(site.now)).toEqual([]);
  });

  it('that is listed for another network is not heard in this one', () => {
    const site = createSite();
    site.takeDatagram('10.0.0.3', vxlan(VNI, frame(BROADCAST, A)));
    site.takeDatagram(PEER, vxlan(10, frame(BROADCAST, A)));
    expect(site.counters(VNI)).toEqual({ dropUnlistedVtep: 1 });
    expect(site.counters(10)).toEqual({ dropUnlistedVtep: 1 });
    site.takeDatagram('10.0.0.3', vxlan(10, frame(BROADCAST, A)));
    expect(site.frames(10)).toHaveLength(1);
    expect(site.frames(VNI)).toEqual([]);
  });

  it('is heard from whichever port it sends, and answered on the one it is listed with', () => {
    const fabric = new InMemoryFabric();
    const site = new OverlaySite(fabric, 'b', '10.0.0.2');
    const peer = new OverlaySite(fabric, 'a', PEER, { port: 8472 });
    site.apply(snapshot(table(VNI, { vteps: { a: [PEER, 8472] } })));
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, A)));
    site.send(VNI, frame(A, B));
    expect(fabric.carried.map(({ to, toPort }) => [to, toPort])).toEqual([[peer.address, 8472]]);
  });
});

describe('strict anti-spoofing', () => {
  const options: TableOptions = { antiSpoof: 'strict', macs: { '02:00:00:00:00:01': 'a', '02:00:00:00:00:02': 'b' } };

  it('takes a station only from the VTEP where the registry has it', () => {
    const site = createSite(options);
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, A)));
    expect(site.frames(VNI)).toHaveLength(1);
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, station(5))));
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, B)));
    expect(site.count(VNI, 'dropSpoofedSource')).toBe(2);
    expect(site.frames(VNI)).toEqual([]);
    expect(site.count(VNI, 'vtepRxFrames')).toBe(1);
  });

  it('takes it from either of two sites that share an underlay address', () => {
    const site = createSite(options);
    site.apply(delta([{ ...table(VNI, options), vteps: table(VNI, { vteps: { d: [PEER, 4790] } }).vteps }]));
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, A)));
    expect(site.count(VNI, 'dropSpoofedSource')).toBe(0);
    expect(site.frames(VNI)).toHaveLength(1);
  });

  it('goes by the table, not by what was heard before it was asked for', () => {
    const site = createSite();
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, station(5))));
    site.apply(snapshot(table(VNI, { ...options, vteps: { a: PEER } })));
    site.takeDatagram(PEER, vxlan(VNI, frame(BROADCAST, station(5))));
    expect(site.count(VNI, 'dropSpoofedSource')).toBe(1);
  });
});

describe('with anti-spoofing off', () => {
  const options: TableOptions = { antiSpoof: 'off' };

  function createWithStranger(): { site: OverlaySite; stranger: OverlaySite; fabric: InMemoryFabric } {
    const fabric = new InMemoryFabric();
    const site = new OverlaySite(fabric, 'b', '10.0.0.2');
    const stranger = new OverlaySite(fabric, 's', STRANGER);
    site.apply(snapshot(table(VNI, { ...options, vteps: { a: PEER } })));
    site.takeDatagram(STRANGER, vxlan(VNI, frame(BROADCAST, A)));
    return { site, stranger, fabric };
  }

  it('a stranger is heard and answered, on the VXLAN port', () => {
    const { site, fabric } = createWithStranger();
    expect(site.frames(VNI)).toHaveLength(1);
    site.send(VNI, frame(A, B));
    expect(fabric.carried).toMatchObject([{ to: STRANGER, toPort: 4789, payload: vxlan(VNI, frame(A, B)) }]);
  });

  it('a stranger over IPv6 is too', () => {
    const fabric = new InMemoryFabric();
    const site = new OverlaySite(fabric, 'b', 'fd00::2');
    new OverlaySite(fabric, 's', 'fd00::9');
    site.apply(snapshot(table(VNI, options)));
    site.takeDatagram('fd00::9', vxlan(VNI, frame(BROADCAST, A)));
    site.send(VNI, frame(A, B));
    expect(fabric.carried).toMatchObject([{ to: 'fd00::9' }]);
  });

  it('a stranger gets nothing that is flooded, and is no site of the network', () => {
    const { site, fabric } = createWithStranger();
    new OverlaySite(fabric, 'a', PEER);
    site.send(VNI, frame(BROADCAST, B));
    expect(fabric.carried.map(({ to }) => to)).toEqual([PEER]);
    expect(site.network(VNI).sites).toEqual(['a']);
    expect(site.network(VNI).floodVteps.map(({ address }) => address)).toEqual([PEER]);
  });

  it('strangers are forgotten when it is switched on, with what was learned of them', () => {
    const { site } = createWithStranger();
    const listed = site.underlay.destinationCount;
    site.apply(delta([table(VNI)]));
    expect(site.underlay.destinationCount).toBe(listed - 1);
    expect(site.network(VNI).macs.entries(site.now)).toEqual([]);
    site.resetCounters();
    site.takeDatagram(STRANGER, vxlan(VNI, frame(BROADCAST, A)));
    expect(site.counters(VNI)).toEqual({ dropUnlistedVtep: 1 });
  });

  it('strangers stay while the table changes in other ways', () => {
    const { site, fabric } = createWithStranger();
    site.apply(snapshot(table(VNI, { ...options, vteps: {} })));
    site.send(VNI, frame(A, B));
    expect(fabric.carried).toMatchObject([{ to: STRANGER }]);
  });

  it('only so many strangers are remembered; from more nothing is taken', () => {
    const site = createSite(options);
    for (let i = 0; i < 300; i++) {
      site.takeDatagram(`10.8.${i >> 8}.${i & 255}`, vxlan(VNI, frame(BROADCAST, station(100 + i))));
    }
    expect(site.counters(VNI)).toMatchObject({ vtepRxFrames: 256, dropUnlistedVtep: 44 });
    expect(site.underlay.destinationCount).toBe(256 + 2);
    site.apply(delta([table(VNI)]));
    site.apply(delta([table(VNI, options)]));
    site.resetCounters();
    site.takeDatagram('10.8.9.9', vxlan(VNI, frame(BROADCAST, A)));
    expect(site.counters(VNI)).toMatchObject({ vtepRxFrames: 1 });
  });

  it('a stranger that is then registered is spoken to as the registry says, also where a known site moves to its address', () => {
    for (const name of ['a', 'new']) {
      const { site, fabric } = createWithStranger();
      new OverlaySite(fabric, 's', STRANGER, { port: 8472 });
      site.apply(delta([table(VNI, { ...options, vteps: { [name]: [STRANGER, 8472] } })]));
      site.takeDatagram(STRANGER, vxlan(VNI, frame(BROADCAST, A)));
      site.send(VNI, frame(A, B));
      expect(fabric.carried.map(({ to, toPort }) => [to, toPort])).toEqual([[STRANGER, 8472]]);
      site.apply(delta([{ ...table(VNI), gone: { vteps: ['a', 'new'], macs: [] } }]));
      expect(site.underlay.destinationCount).toBe(0);
    }
  });
});

describe('two networks of one site', () => {
  it('have tables of their own: the same station may be in both', () => {
    const [a, b, c] = createOverlay(3, [VNI, 10]) as [OverlaySite, OverlaySite, OverlaySite];
    b.send(VNI, frame(BROADCAST, station(7)));
    c.send(10, frame(BROADCAST, station(7)));
    for (const site of [a, b, c]) site.take();
    a.send(VNI, frame(station(7), A, 1));
    a.send(10, frame(station(7), A, 2));
    for (const site of [b, c]) site.take();
    expect(b.frames(VNI)).toContainEqual(frame(station(7), A, 1));
    expect(c.frames(10)).toContainEqual(frame(station(7), A, 2));
    expect(a.count(VNI, 'floodedFrames') + a.count(10, 'floodedFrames')).toBe(0);
  });
});

it('a VTEP with two addresses may speak from either, is sent to at the first, and neither is left when it goes', () => {
  const fabric = new InMemoryFabric();
  const site = new OverlaySite(fabric, 'b', '10.0.0.2');
  const end = (address: string) => ({ address, publicKey: '', endpoint: null });
  const at = (...addresses: string[]) => {
    const change = table(VNI);
    const [address] = addresses as [string];
    return delta([{ ...change, vteps: [{ site: 'a', address, port: 4789, wireguard: addresses.map(end) }] }]);
  };
  const taken = (address: string): boolean => {
    const before = site.frames(VNI).length;
    site.takeDatagram(address, vxlan(VNI, frame(BROADCAST, A)));
    return site.frames(VNI).length > before;
  };
  site.apply(snapshot(table(VNI)));
  site.apply(at('10.0.0.1', '10.0.0.3'));
  expect([taken('10.0.0.1'), taken('10.0.0.3'), taken('10.0.0.4')]).toEqual([true, true, false]);
  expect(site.forwarder.networks.get(VNI)!.floodVteps).toMatchObject([{ address: '10.0.0.1' }]);
  site.apply(at('10.0.0.3', '10.0.0.1'));
  expect([taken('10.0.0.1'), taken('10.0.0.3')]).toEqual([true, true]);
  expect(site.forwarder.networks.get(VNI)!.floodVteps).toMatchObject([{ address: '10.0.0.3' }]);
  site.apply(at('10.0.0.3'));
  expect([taken('10.0.0.1'), taken('10.0.0.3')]).toEqual([false, true]);
  site.apply(delta([{ ...table(VNI), gone: { vteps: ['a'], macs: [] } }]));
  expect([taken('10.0.0.1'), taken('10.0.0.3')]).toEqual([false, false]);
});
