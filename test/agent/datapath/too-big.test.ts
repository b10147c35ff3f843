/** A packet that does not fit is dropped, and its sender told what would: ICMP and ICMPv6 by the byte. */
import { describe, expect, it } from 'vitest';
import { TOO_BIG_ANSWERS_PER_SECOND } from '../../../agent/datapath/network.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { concat, hex, viewOf } from '../bytes.ts';
import { counting, ethernet, ipv4, ipv6, opaque, sumWords, tcp, udp } from '../frames.ts';
import { OverlaySite, snapshot, table, vxlan } from './overlay.ts';

const VNI = 42;
const HOST = 0x02_00_00_00_00_01;
const PEER = 0x02_00_00_00_00_02;
const BROADCAST = 0xffffffffffff;
const MTU = 1400;

function createSite(): OverlaySite {
  const fabric = new InMemoryFabric();
  const memory = { bytes: new Uint8Array(), view: new DataView(new ArrayBuffer(0)) };
  fabric.open({ memory, address: '10.0.0.2', port: 4789 });
  const site = new OverlaySite(fabric, 'a', '10.0.0.1');
  site.apply(snapshot(table(VNI, { mtu: MTU, vteps: { b: '10.0.0.2' } })));
  site.takeDatagram('10.0.0.2', vxlan(VNI, ethernet(HOST, PEER, 0x88b5, counting(46))));
  site.frames(VNI);
  site.resetCounters();
  return site;
}

const large = () => udp({ payload: counting(MTU) });

describe('a packet that is too big', () => {
  it('over IPv4 is answered "fragmentation needed" from where it was going, with the MTU and what it began with', () => {
    const site = createSite();
    const packet = ipv4(large());
    site.send(VNI, ethernet(PEER, HOST, 0x0800, packet));
    const message = concat(hex('03 04 0000 0000'), Uint8Array.of(MTU >> 8, MTU & 0xff), packet.subarray(0, 548));
    viewOf(message).setUint16(2, 0xffff - sumWords(message));
    const answer = ipv4(opaque(1, message), { from: [10, 0, 0, 2], to: [10, 0, 0, 1] });
    // The identification is of no use to a packet that is not fragmented (RFC 6864 §4.1).
    answer.set([0, 0], 4);
    answer.set([0, 0], 10);
    viewOf(answer).setUint16(10, 0xffff - sumWords(answer.subarray(0, 20)));
    expect(site.frames(VNI)).toEqual([ethernet(HOST, PEER, 0x0800, answer)]);
    expect(site.count(VNI, 'dropTooBig')).toBe(1);
    expect(site.count(VNI, 'vtepTxFrames')).toBe(0);
  });

  it('over IPv6 is answered "packet too big", in no more than the smallest MTU of IPv6', () => {
    const site = createSite();
    const packet = ipv6(large());
    site.send(VNI, ethernet(PEER, HOST, 0x86dd, packet));
    const message = concat(hex('02 00 0000 0000'), Uint8Array.of(MTU >> 8, MTU & 0xff), packet.subarray(0, 1232));
    const [from, to] = [[...packet.subarray(24, 40)], [...packet.subarray(8, 24)]];
    const answer = ipv6({ ...opaque(58, message), checksumAt: 2, checksum: 'complete' }, { from, to });
    expect(answer).toHaveLength(1280);
    expect(site.frames(VNI)).toEqual([ethernet(HOST, PEER, 0x86dd, answer)]);
  });

  it('with a large segment whose parts are too big is answered as well', () => {
    const site = createSite();
    const header = { flags: 1, gsoType: 1, headerLength: 54, gsoSize: 1460, csumStart: 34, csumOffset: 16 };
    const frame = ethernet(PEER, HOST, 0x0800, ipv4(tcp({ payload: counting(9000), checksum: 'incomplete' })));
    site.send(VNI, frame, { header });
    expect(site.frames(VNI)[0]?.subarray(23, 24)).toEqual(Uint8Array.of(1));
    expect(site.count(VNI, 'dropTooBig')).toBe(1);
  });

  it.each([
    ['to a group', ethernet(BROADCAST, HOST, 0x0800, ipv4(large()))],
    ['that may be fragmented', ethernet(PEER, HOST, 0x0800, ipv4(large(), { fragment: 0 }))],
    ['that is a fragment', ethernet(PEER, HOST, 0x0800, ipv4(large(), { fragment: 0x4001 }))],
    ['that is an ICMP error', ethernet(PEER, HOST, 0x0800, ipv4(opaque(1, concat(hex('0301'), counting(MTU)))))],
    ['that is an ICMPv6 error', ethernet(PEER, HOST, 0x86dd, ipv6(opaque(58, concat(hex('0100'), counting(MTU)))))],
    ['of no IP', ethernet(PEER, HOST, 0x88b5, counting(MTU + 1))],
  ])('%s is dropped without an answer', (_, frame) => {
    const site = createSite();
    site.send(VNI, frame);
    expect(site.frames(VNI)).toEqual([]);
    expect(site.count(VNI, 'dropTooBig')).toBe(1);
  });

  it('is answered no more than so many times a second', () => {
    const site = createSite();
    const frame = ethernet(PEER, HOST, 0x0800, ipv4(large()));
    for (let i = 0; i < TOO_BIG_ANSWERS_PER_SECOND + 50; i++) site.send(VNI, frame);
    expect(site.frames(VNI)).toHaveLength(TOO_BIG_ANSWERS_PER_SECOND);
    expect(site.count(VNI, 'dropTooBig')).toBe(TOO_BIG_ANSWERS_PER_SECOND + 50);
  });
});
