import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../../agent/capture/summary.ts';
import { concat, hex } from '../bytes.ts';
import * as captures from '../captures.ts';
import { counting, ethernet, ipv4, ipv6, opaque, tcp, udp } from '../frames.ts';

const [A, B] = [0x0200_0000_0001, 0x0200_0000_0002];
const MACS = '02:00:00:00:00:01 > 02:00:00:00:00:02';
const v4 = (...packet: Parameters<typeof ipv4>) => ethernet(B, A, 0x0800, ipv4(...packet));
const v6 = (...packet: Parameters<typeof ipv6>) => ethernet(B, A, 0x86dd, ipv6(...packet));
const icmp = (text: string) => v4(opaque(1, hex(text)));
const icmpv6 = (text: string) => v6(opaque(58, hex(text)));
const arp = (operation: string) =>
  ethernet(B, A, 0x0806, hex(`0001 0800 06 04 ${operation} 020000000001 0a000001 000000000000 0a000002`));
const target = 'fd090000000000000000000000000002';
const BETWEEN_V4 = 'IPv4 10.0.0.1 > 10.0.0.2';
const BETWEEN_V6 = 'IPv6 fd09::1 > fd09::2';

describe('a frame in one line', () => {
  it.each<[string, Uint8Array, string]>([
    ['ARP request', arp('0001'), 'ARP who-has 10.0.0.2 tell 10.0.0.1, 42 bytes'],
    ['ARP reply', arp('0002'), 'ARP 10.0.0.1 is-at 02:00:00:00:00:01, 42 bytes'],
    ['other ARP', arp('0008'), 'ARP operation 8, 42 bytes'],
    [
      'TCP SYN',
      v4(tcp({ flags: 0x02, options: hex('01 020405b4') })),
      'IPv4 10.0.0.1:40000 > 10.0.0.2:80, TCP [S] seq 16909060, win 64240, mss 1460, length 0, 62 bytes',
    ],
    [
      'TCP data, marked',
      v6(tcp({ flags: 0x98, payload: counting(100) }), { trafficClass: 3 }),
      'IPv6 [fd09::1]:40000 > [fd09::2]:80, TCP [P.W] seq 16909060, ack 84281096, win 64240, length 100, CE, 174 bytes',
    ],
    ['UDP', v4(udp({ payload: counting(8) })), 'IPv4 10.0.0.1:40000 > 10.0.0.2:53, UDP, length 8, 50 bytes'],
    ['ping', icmp('0800 0000 0007 0003'), `${BETWEEN_V4}, ICMP echo request, id 7, seq 3, 42 bytes`],
    ['pong', icmp('0000 0000 0007 0003'), `${BETWEEN_V4}, ICMP echo reply, id 7, seq 3, 42 bytes`],
    ['frag needed', icmp('0304 0000 0000 05aa'), `${BETWEEN_V4}, ICMP fragmentation needed, mtu 1450, 42 bytes`],
    ['unreachable', icmp('0301 0000 0000 0000'), `${BETWEEN_V4}, ICMP destination unreachable, code 1, 42 bytes`],
    ['other ICMP', icmp('2a00 0000 0000 0000'), `${BETWEEN_V4}, ICMP type 42, code 0, 42 bytes`],
    ['ping, IPv6', icmpv6('8000 0000 0007 0003'), `${BETWEEN_V6}, ICMPv6 echo request, id 7, seq 3, 62 bytes`],
    ['too big', icmpv6('0200 0000 00000500'), `${BETWEEN_V6}, ICMPv6 packet too big, mtu 1280, 62 bytes`],
    [
      'solicitation',
      icmpv6(`8700 0000 00000000 ${target}`),
      `${BETWEEN_V6}, ICMPv6 neighbor solicitation, who has fd09::2, 78 bytes`,
    ],
    [
      'advertisement',
      icmpv6(`8800 0000 60000000 ${target} 0201 020000000002`),
      `${BETWEEN_V6}, ICMPv6 neighbor advertisement, fd09::2 is-at 02:00:00:00:00:02, 86 bytes`,
    ],
    ['router solicitation', icmpv6('8500 0000 00000000'), `${BETWEEN_V6}, ICMPv6 router solicitation, 62 bytes`],
    ['other protocol', v4(opaque(89, counting(4))), `${BETWEEN_V4}, protocol 89, 38 bytes`],
    [
      'fragment',
      v4(opaque(17, counting(8)), { fragment: 0x20b9 }),
      `${BETWEEN_V4}, fragment at 1480, protocol 17, 42 bytes`,
    ],
    ['other EtherType', ethernet(B, A, 0x88cc, counting(46)), 'ethertype 0x88cc, 60 bytes'],
    ['VLAN tags', ethernet(B, A, 0x88a8, hex('0064 8100 2005 88b5')), 'vlan 100, vlan 5, ethertype 0x88b5, 22 bytes'],
  ])('%s', (_what, bytes, said) => {
    expect(summarize(bytes, bytes.length)).toBe(`${MACS}, ${said}`);
  });

  it('speaks of the whole frame, of which it may have a part', () => {
    const bytes = v4(tcp({ payload: counting(200) }));
    // The length of the payload is what the IP header says.
    expect(summarize(bytes.subarray(0, 64), bytes.length)).toBe(summarize(bytes, bytes.length));
    expect(summarize(bytes.subarray(0, 10), 254)).toBe('truncated Ethernet frame, 254 bytes');
    expect(summarize(bytes.subarray(0, 40), 254)).toBe(`${MACS}, ${BETWEEN_V4}, truncated TCP, 254 bytes`);
  });

  it('is said of any bytes, and what stands behind the captured ones is never looked at', () => {
    const real = fc.constantFrom(
      ...Object.values(captures).filter((it): it is Uint8Array => it instanceof Uint8Array),
      icmpv6(`8800 0000 60000000 ${target} 0201 020000000002`),
      v4(tcp({ flags: 0x02, options: hex('01 020405b4') })),
      arp('0002'),
    );
    const damaged = fc
      .tuple(real, fc.nat(200), fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 3 }))
      .map(([of, length, changes]) => {
        const bytes = of.slice(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 120 })), (bytes) => {
        const said = [0x00, 0xff].map((behind) => {
          const room = concat(bytes, new Uint8Array(80).fill(behind));
          return summarize(room.subarray(0, bytes.length), bytes.length);
        });
        expect(said[0]).toBe(said[1]);
        expect(said[0]).toMatch(/^[\x20-\x7e]+ bytes$/);
      }),
      { numRuns: 1000 },
    );
  });
});
