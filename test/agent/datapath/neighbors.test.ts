/** ARP and neighbour discovery at a port: answered from the registry, noted for other sites, and otherwise left alone. */
import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { formatMac, type Mac } from '../../../src/contract/mac.ts';
import { MacReportSchema } from '../../../src/contract/macs.ts';
import { concat, hex } from '../bytes.ts';
import { counting, ethernet, ipv6, macBytes, opaque } from '../frames.ts';
import { BROADCAST, delta, frame, OverlaySite, snapshot, table } from './overlay.ts';

const VNI = 42;
const HERE = 0x02_00_00_00_00_01;
const THERE = 0x02_00_00_00_00_02;
const OTHER = 0x02_00_00_00_00_03;
const HERE_IP = [192, 168, 9, 1];
const THERE_IP = [192, 168, 9, 2];
const FD09 = [0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SOLICITED_NODE = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 2];
const text = (mac: number): string => formatMac(mac as Mac);

function arp(options: {
  readonly operation?: number;
  readonly to?: number;
  readonly from?: number;
  readonly senderMac?: number;
  readonly senderIp?: readonly number[];
  readonly targetIp?: readonly number[];
}): Uint8Array {
  const { operation = 1, to = BROADCAST, from = HERE, senderIp = HERE_IP, targetIp = THERE_IP } = options;
  const body = concat(
    hex('0001 0800 06 04'),
    Uint8Array.of(0, operation),
    macBytes(options.senderMac ?? from),
    Uint8Array.from(senderIp),
    macBytes(0),
    Uint8Array.from(targetIp),
  );
  return ethernet(to, from, 0x0806, body);
}

/** With its checksum right: the sum over pseudo-header and message is made by the plain builder when it is told where. */
function neighbor(type: number, from: readonly number[], to: readonly number[], target: readonly number[]): Uint8Array {
  const message = concat(
    Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0),
    Uint8Array.from(target),
    hex('0101'),
    macBytes(HERE),
  );
  const packet = ipv6({ ...opaque(58, message), checksumAt: 2, checksum: 'complete' }, { from, to });
  packet[7] = 255;
  return ethernet(0x33_33_ff_00_00_02, HERE, 0x86dd, packet);
}

let site: OverlaySite;
let fabric: InMemoryFabric;

beforeEach(() => {
  fabric = new InMemoryFabric();
  site = new OverlaySite(fabric, 'a', '10.0.0.1');
  const memory = { bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) };
  fabric.open({ memory, address: '10.0.0.2', port: 4789 });
  site.apply(snapshot({ ...table(VNI, { vteps: { b: '10.0.0.2' } }), arpSuppression: true, macs: rows() }));
});

const rows = () => [
  { mac: text(THERE), ip: '192.168.9.2', site: 'b', seq: 1, sticky: false },
  { mac: text(OTHER), ip: 'fd09::2', site: 'b', seq: 1, sticky: false },
  { mac: text(HERE), ip: '192.168.9.1', site: 'own', seq: 1, sticky: false },
];
const isFlooded = (): boolean => fabric.carried.splice(0).length > 0;

describe('an ARP request', () => {
  it('for an address at another site is answered with its MAC, and floods nothing', () => {
    site.send(VNI, arp({}));
    expect(site.frames(VNI)).toEqual([
      ethernet(
        HERE,
        THERE,
        0x0806,
        concat(
          hex('0001 0800 06 04 0002'),
          macBytes(THERE),
          Uint8Array.from(THERE_IP),
          macBytes(HERE),
          Uint8Array.from(HERE_IP),
        ),
      ),
    ]);
    expect(isFlooded()).toBe(false);
    expect(site.count(VNI, 'neighborsAnswered')).toBe(1);
  });

  it.each([
    ['for an address that the registry does not have', arp({ targetIp: [192, 168, 9, 77] })],
    ['for an address at this very site', arp({ from: OTHER, senderIp: [192, 168, 9, 3], targetIp: HERE_IP })],
    ['that is a probe', arp({ senderIp: [0, 0, 0, 0] })],
    ['that announces its sender', arp({ targetIp: HERE_IP })],
    ['that is a reply', arp({ operation: 2 })],
    ['cut short', arp({}).subarray(0, 40)],
  ])('%s goes its way', (_, sent) => {
    site.send(VNI, sent);
    expect(site.frames(VNI)).toEqual([]);
    expect(isFlooded()).toBe(true);
  });

  it('goes its way where the network suppresses no ARP, and once the entry or its site is gone', () => {
    site.apply(snapshot({ ...table(VNI, { vteps: { b: '10.0.0.2' } }), arpSuppression: false, macs: rows() }));
    site.send(VNI, arp({}));
    expect(isFlooded()).toBe(true);
    const on = { ...table(VNI, { vteps: { b: '10.0.0.2' } }), arpSuppression: true };
    site.apply(delta([{ ...on, macs: [], gone: { vteps: [], macs: [text(THERE)] } }]));
    site.send(VNI, arp({}));
    expect(isFlooded()).toBe(true);
    expect(site.frames(VNI)).toEqual([]);
  });

  it('is answered with the newer MAC where an address moved to another', () => {
    const moved = { mac: text(OTHER), ip: '192.168.9.2', site: 'b', seq: 2, sticky: false };
    const on = { ...table(VNI, { vteps: { b: '10.0.0.2' } }), arpSuppression: true };
    site.apply(delta([{ ...on, macs: [{ ...rows()[0]!, ip: undefined }, moved] }]));
    site.send(VNI, arp({}));
    expect(site.frames(VNI)[0]?.subarray(6, 12)).toEqual(macBytes(OTHER));
  });
});

describe('a neighbour solicitation', () => {
  const from = [...FD09, 1];
  const target = [...FD09, 2];

  it('for an address at another site is answered by a solicited advertisement with a right checksum', () => {
    site.send(VNI, neighbor(135, from, SOLICITED_NODE, target));
    const message = concat(hex('88 00 0000 60000000'), Uint8Array.from(target), hex('0201'), macBytes(OTHER));
    const packet = ipv6({ ...opaque(58, message), checksumAt: 2, checksum: 'complete' }, { from: target, to: from });
    packet[7] = 255;
    expect(site.frames(VNI)).toEqual([ethernet(HERE, OTHER, 0x86dd, packet)]);
    expect(isFlooded()).toBe(false);
  });

  it.each([
    ['for an address that nobody has', neighbor(135, from, SOLICITED_NODE, [...FD09, 9])],
    ['from nobody, who wants the address', neighbor(135, Array(16).fill(0), SOLICITED_NODE, target)],
    ['that came over a router', Object.assign(neighbor(135, from, SOLICITED_NODE, target), { 21: 64 })],
    ['cut short', neighbor(135, from, SOLICITED_NODE, target).subarray(0, 70)],
  ])('%s goes its way', (_, sent) => {
    site.send(VNI, sent);
    expect(site.frames(VNI)).toEqual([]);
    expect(isFlooded()).toBe(true);
  });
});

describe('a station on a port', () => {
  const changes = () => site.stations.takeChanges();

  it('is told of once, and again when its address is known', () => {
    site.send(VNI, frame(BROADCAST, OTHER));
    expect(changes()).toEqual({ announce: [{ vni: VNI, mac: text(OTHER) }], withdraw: [] });
    site.send(VNI, frame(BROADCAST, OTHER));
    expect(site.stations.hasChanges).toBe(false);
    site.send(VNI, arp({ from: OTHER, senderIp: [192, 168, 9, 3] }));
    expect(changes()).toEqual({ announce: [{ vni: VNI, mac: text(OTHER), ip: '192.168.9.3' }], withdraw: [] });
    site.send(VNI, arp({ from: OTHER, senderIp: [192, 168, 9, 3] }));
    expect(site.stations.hasChanges).toBe(false);
  });

  it('keeps its address while that is heard; IPv4 goes before IPv6, and that before link-local', () => {
    const said = () => site.stations.all().map(({ ip }) => ip);
    const from = (last: number[]) => neighbor(136, [...FD09, 1], [...FD09, 2], last);
    site.send(VNI, from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]));
    expect(said()).toEqual(['fe80::1']);
    site.send(VNI, from([...FD09, 1]));
    expect(said()).toEqual(['fd09::1']);
    site.send(VNI, arp({}));
    expect(said()).toEqual(['192.168.9.1']);
    site.send(VNI, arp({ senderIp: [192, 168, 9, 8] }));
    site.send(VNI, from([...FD09, 1]));
    expect(said()).toEqual(['192.168.9.1']);
    site.now += 301;
    site.send(VNI, arp({ senderIp: [192, 168, 9, 8] }));
    expect(said()).toEqual(['192.168.9.8']);
  });

  it('gets no address from one who speaks for another', () => {
    site.send(VNI, arp({ from: OTHER, senderMac: THERE, senderIp: THERE_IP, targetIp: HERE_IP }));
    expect(site.stations.all()).toEqual([{ vni: VNI, mac: text(OTHER) }]);
  });

  it('gets no address that is none of a host’s: the gateway would refuse all that is said with it', () => {
    for (const first of [255, 224, 0]) site.send(VNI, arp({ senderIp: [first, 0, 0, 1] }));
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    const allNodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for (const target of [mapped, allNodes]) site.send(VNI, neighbor(136, [...FD09, 1], [...FD09, 2], target));
    const announce = site.stations.all();
    expect(announce).toEqual([{ vni: VNI, mac: text(HERE) }]);
    expect(v.is(MacReportSchema, { announce, withdraw: [] })).toBe(true);
  });

  it('is withdrawn when it aged, when its network went, and when the registry has it elsewhere: until it is heard again', () => {
    site.send(VNI, frame(BROADCAST, HERE));
    changes();
    site.now += 301;
    site.network(VNI).macs.sweep(site.now);
    expect(changes()).toEqual({ announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] });

    site.send(VNI, frame(BROADCAST, HERE));
    expect(changes().announce).toHaveLength(1);
    const on = table(VNI, { vteps: { b: '10.0.0.2' } });
    site.apply(delta([{ ...on, macs: [{ ...rows()[2]!, site: 'b', seq: 5 }] }]));
    expect(changes()).toEqual({ announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] });
    site.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual({ announce: [{ vni: VNI, mac: text(HERE) }], withdraw: [] });
    // Each new word that it is elsewhere is an end of its own, were it of the same site.
    site.apply(delta([{ ...on, macs: [{ ...rows()[2]!, site: 'b', seq: 7 }] }]));
    expect(changes()).toEqual({ announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] });
    site.send(VNI, frame(BROADCAST, HERE));
    expect(changes()).toEqual({ announce: [{ vni: VNI, mac: text(HERE) }], withdraw: [] });

    site.apply(delta([], [VNI]));
    expect(changes()).toEqual({ announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] });
    expect(site.stations.all()).toEqual([]);
  });

  it('that the registry has elsewhere is withdrawn too once it was silent for long, and not while it speaks', () => {
    const on = table(VNI, { vteps: { b: '10.0.0.2' } });
    site.apply(delta([{ ...on, macs: [{ ...rows()[2]!, site: 'b', seq: 5 }] }]));
    site.send(VNI, frame(BROADCAST, HERE));
    expect(changes().announce).toHaveLength(1);
    site.now += 200;
    site.send(VNI, frame(BROADCAST, HERE));
    site.now += 200;
    site.network(VNI).macs.sweep(site.now);
    expect(site.stations.hasChanges).toBe(false);
    site.now += 101;
    site.network(VNI).macs.sweep(site.now);
    expect(changes()).toEqual({ announce: [], withdraw: [{ vni: VNI, mac: text(HERE) }] });
  });

  it('of a thousand and one that are new in a second is told of when it speaks again: who makes up addresses floods no registry', () => {
    for (let i = 0; i <= 1000; i++) site.send(VNI, frame(HERE, 0x02_00_00_01_00_00 + i));
    const last = { vni: VNI, mac: text(0x02_00_00_01_00_00 + 1000) };
    expect(changes().announce).toHaveLength(1000);
    site.now += 1;
    site.send(VNI, frame(HERE, 0x02_00_00_01_00_00 + 1000));
    expect(changes()).toEqual({ announce: [last], withdraw: [] });
  });

  it('that the registry has at this site is not taken away by a frame from a VTEP', () => {
    const spoofed = concat(Uint8Array.of(8, 0, 0, 0, 0, 0, VNI, 0), frame(BROADCAST, HERE));
    site.send(VNI, frame(BROADCAST, HERE));
    site.takeDatagram('10.0.0.2', spoofed);
    site.frames(VNI);
    site.takeDatagram('10.0.0.2', concat(Uint8Array.of(8, 0, 0, 0, 0, 0, VNI, 0), frame(HERE, THERE)));
    expect(site.frames(VNI)).toHaveLength(1);
  });
});

describe('flooding', () => {
  it('is bounded: 10,000 frames at once, then as many a second, the rest dropped and counted', () => {
    const flood = frame(BROADCAST, HERE);
    for (let i = 0; i < 10_100; i++) site.send(VNI, flood);
    expect(site.count(VNI, 'floodedFrames')).toBe(10_000);
    expect(site.count(VNI, 'dropFloodLimit')).toBe(100);
    site.now += 1 / 16;
    for (let i = 0; i < 700; i++) site.send(VNI, flood);
    expect(site.count(VNI, 'floodedFrames')).toBe(10_625);
    site.send(VNI, ethernet(THERE, HERE, 0x88b5, counting(46)));
    expect(site.count(VNI, 'vtepTxFrames')).toBe(10_626);
  });
});
