import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  completeChecksum,
  DELIVER,
  DELIVER_BAD_CHECKSUM,
  DELIVER_TOO_BIG,
  prepareDelivery,
} from '../../../agent/datapath/delivery.ts';
import { decodeVirtioNet, type VirtioNetHeader, writeVirtioNet } from '../../../agent/wire/virtio-net.ts';
import { DIRT, memoryOf, viewOf } from '../bytes.ts';
import * as captures from '../captures.ts';
import { counting, ethernet, type Ipv4Options, ipv4, ipv6, opaque, type Segment, tcp, udp } from '../frames.ts';

const MTU = 1450;
const HEADER = 12;
const PLAIN: VirtioNetHeader = { flags: 0, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };

const over4 = (segment: Segment, options?: Ipv4Options): Uint8Array => ethernet(2, 4, 0x0800, ipv4(segment, options));
const over6 = (segment: Segment): Uint8Array => ethernet(2, 4, 0x86dd, ipv6(segment));

interface Delivered {
  readonly verdict: number;
  readonly header: VirtioNetHeader;
  readonly frame: Uint8Array;
}

/** The frame stands at the very end of memory, and its header at the very start: a step outside either throws. */
function prepare(frame: Uint8Array, mtu = MTU): Delivered {
  const memory = new Uint8Array(HEADER + frame.length).fill(DIRT);
  memory.set(frame, HEADER);
  const verdict = prepareDelivery(memoryOf(memory), HEADER, frame.length, mtu);
  const header = { ...PLAIN };
  decodeVirtioNet(viewOf(memory), 0, header);
  return { verdict, header, frame: memory.slice(HEADER) };
}

function complete(frame: Uint8Array, header: VirtioNetHeader): { readonly ok: boolean; readonly frame: Uint8Array } {
  const memory = new Uint8Array(HEADER + frame.length);
  memory.set(frame, HEADER);
  const { flags, gsoType, headerLength, gsoSize, csumStart, csumOffset } = header;
  writeVirtioNet(viewOf(memory), 0, flags, gsoType, headerLength, gsoSize, csumStart, csumOffset);
  const ok = completeChecksum(memoryOf(memory), HEADER, frame.length);
  return { ok, frame: memory.slice(HEADER) };
}

describe('a frame for the host', () => {
  it.each([
    ['ARP', captures.ARP_REQUEST],
    ['a neighbour solicitation', captures.NEIGHBOUR_SOLICITATION],
    ['TCP whose checksum is complete', captures.TCP_SYN_COMPLETE],
    ['TCP of our own making', over4(tcp({ payload: counting(100) }))],
    ['UDP over IPv6', over6(udp({ payload: counting(101) }))],
    ['UDP that has no checksum', over4(udp({ checksum: 0, payload: counting(9) }))],
    ['TCP whose checksum is wrong: the host shall see that itself', over4(tcp({ checksum: 0x1234 }))],
    ['an Ethernet header alone', ethernet(2, 4, 0x0800, new Uint8Array())],
  ])('goes as it is where it is %s', (_what, frame) => {
    expect(prepare(frame)).toEqual({ verdict: DELIVER, header: PLAIN, frame });
  });

  it.each([
    ['UDP over IPv4', captures.UDP_IPV4, 34, 6],
    ['UDP over IPv6', captures.UDP_IPV6, 54, 6],
    ['TCP over IPv4', captures.TCP_SYN_IPV4, 34, 16],
    ['TCP over IPv6', captures.TCP_SYN_IPV6, 54, 16],
    ['TCP after IP options', over4(tcp({ checksum: 'incomplete' }), { options: counting(8) }), 42, 16],
  ])('asks the host for its checksum where a kernel left it incomplete: %s', (_what, frame, csumStart, csumOffset) => {
    const delivered = prepare(frame);
    expect(delivered).toEqual({ verdict: DELIVER, header: { ...PLAIN, flags: 1, csumStart, csumOffset }, frame });
  });

  it('that fills the MTU is no large one', () => {
    const frame = over4(tcp({ payload: counting(MTU - 40) }));
    expect(frame).toHaveLength(MTU + 14);
    expect(prepare(frame)).toEqual({ verdict: DELIVER, header: PLAIN, frame });
    expect(prepare(frame, MTU - 1).header.gsoSize).toBe(MTU - 41);
  });
});

describe('a TCP segment beyond the MTU', () => {
  const options = counting(12);
  const payload = counting(20_000);

  it.each([
    ['IPv4', over4(tcp({ payload, checksum: 'incomplete' })), 1, 54, MTU - 40, 34],
    ['IPv4 with TCP options', over4(tcp({ payload, options, checksum: 'incomplete' })), 1, 66, MTU - 52, 34],
    [
      'IPv4 with IP options',
      over4(tcp({ payload, checksum: 'incomplete' }), { options: counting(4) }),
      1,
      58,
      MTU - 44,
      38,
    ],
    ['IPv6', over6(tcp({ payload, options, checksum: 'incomplete' })), 4, 86, MTU - 72, 54],
    ['IPv4 with CWR', over4(tcp({ payload, flags: 0x90, checksum: 'incomplete' })), 0x81, 54, MTU - 40, 34],
  ])(
    'goes to the host to be cut into segments that fill the MTU: %s',
    (_what, frame, gsoType, headerLength, gsoSize, csumStart) => {
      expect(prepare(frame)).toEqual({
        verdict: DELIVER,
        header: { flags: 1, gsoType, headerLength, gsoSize, csumStart, csumOffset: 16 },
        frame,
      });
      // Of the largest piece: IP header, TCP header and payload.
      expect(headerLength - 14 + gsoSize).toBe(MTU);
    },
  );

  it.each([
    ['IPv4', over4],
    ['IPv6', over6],
  ])(
    'whose checksum is complete is verified, and brought back to the sum that cutting starts from: %s',
    (_ip, over) => {
      const { verdict, header, frame } = prepare(over(tcp({ payload })));
      expect(verdict).toBe(DELIVER);
      expect(header).toMatchObject({ flags: 1, gsoSize: MTU - (over === over4 ? 40 : 60), csumOffset: 16 });
      expect(frame).toEqual(over(tcp({ payload, checksum: 'incomplete' })));
      // A second port gets the same.
      expect(prepare(frame)).toEqual({ verdict, header, frame });
    },
  );

  it('of 64 KiB, as large as IP can say, is one too', () => {
    const frame = over4(tcp({ payload: counting(65_535 - 40) }));
    expect(prepare(frame)).toMatchObject({ verdict: DELIVER, header: { gsoSize: MTU - 40 } });
  });

  it('that is corrupt is none for the host, which would make it look right', () => {
    const frame = over4(tcp({ payload }));
    frame[5000]! ^= 1;
    expect(prepare(frame).verdict).toBe(DELIVER_BAD_CHECKSUM);
  });

  it('leaves no room for a header where the MTU is too small for any payload', () => {
    const frame = over4(tcp({ payload, options: counting(40), checksum: 'incomplete' }), { options: counting(40) });
    expect(prepare(frame, 120).verdict).toBe(DELIVER_TOO_BIG);
    expect(prepare(frame, 121)).toMatchObject({ verdict: DELIVER, header: { gsoSize: 1 } });
  });
});

describe('what is beyond the MTU and not TCP that can be cut', () => {
  const payload = counting(2000);
  it.each([
    ['UDP', over4(udp({ payload }))],
    ['UDP with an incomplete checksum', over6(udp({ payload, checksum: 'incomplete' }))],
    ['ICMP', over4(opaque(1, payload))],
    ['a first fragment', over4(tcp({ payload, checksum: 'incomplete' }), { fragment: 0x2000 })],
    ['a later fragment', over4(tcp({ payload, checksum: 'incomplete' }), { fragment: 1 })],
    ['TCP that says it is longer than the frame', over4(tcp({ payload }), { totalLength: 5000 })],
    ['TCP behind an IPv6 extension header', over6(opaque(0, payload))],
    ['no IP', ethernet(2, 4, 0x88b5, payload)],
    ['IPv4 of another version', ethernet(2, 4, 0x0800, payload)],
    ['TCP with a header that is too short', over4(opaque(6, new Uint8Array(2000)))],
  ])('is too big: %s', (_what, frame) => {
    expect(prepare(frame)).toEqual({ verdict: DELIVER_TOO_BIG, header: PLAIN, frame });
  });
});

describe('what says of itself what is not so', () => {
  const segment = tcp({ payload: counting(50), checksum: 'incomplete' });
  it.each([
    ['a total length beyond the frame', over4(segment, { totalLength: 200 })],
    ['a total length below the header', over4(segment, { totalLength: 19 })],
    ['a total length of nothing', over4(segment, { totalLength: 0 })],
    ['a total length that cuts the TCP header', over4(segment, { totalLength: 39 })],
    ['a fragment', over4(segment, { fragment: 0x2000 })],
    ['a payload length beyond the frame', ethernet(2, 4, 0x86dd, ipv6(segment, { payloadLength: 200 }))],
    ['a payload length that cuts the TCP header', ethernet(2, 4, 0x86dd, ipv6(segment, { payloadLength: 19 }))],
    ['a UDP header that is cut', over4(opaque(17, counting(7)))],
  ])('goes as it is, for the host to drop: %s', (_what, frame) => {
    expect(prepare(frame)).toEqual({ verdict: DELIVER, header: PLAIN, frame });
  });

  it('is never read beyond its end, whatever its bytes and wherever it is cut', () => {
    const whole = fc.constantFrom(
      captures.UDP_IPV4,
      captures.UDP_IPV6,
      captures.TCP_SYN_IPV4,
      captures.TCP_SYN_IPV6,
      over4(tcp({ payload: counting(600), checksum: 'incomplete' })),
      over6(tcp({ payload: counting(601) })),
    );
    const damage = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(whole, fc.nat(700), damage, fc.constantFrom(100, 576, MTU), (base, cut, changes, mtu) => {
        const frame = base.slice(0, Math.max(14, base.length - cut));
        for (const [at, byte] of changes) if (at < frame.length) frame[at] = byte;
        const { verdict, header } = prepare(frame, mtu);
        expect([DELIVER, DELIVER_TOO_BIG, DELIVER_BAD_CHECKSUM]).toContain(verdict);
        if (verdict !== DELIVER) return;
        if ((header.flags & 1) !== 0) {
          expect(header.csumStart + header.csumOffset + 2).toBeLessThanOrEqual(frame.length);
        }
        expect(header.gsoType !== 0 || frame.length <= mtu + 14).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a checksum that the host left to us', () => {
  it.each([
    ['TCP over IPv4', over4, tcp, 34, 16],
    ['UDP over IPv4', over4, udp, 34, 6],
    ['TCP over IPv6', over6, tcp, 54, 16],
    ['UDP over IPv6', over6, udp, 54, 6],
  ])('is completed: %s', (_what, over, segment, csumStart, csumOffset) => {
    for (const length of [0, 1, 100, 101]) {
      const payload = counting(length);
      const { ok, frame } = complete(over(segment({ payload, checksum: 'incomplete' })), {
        ...PLAIN,
        flags: 1,
        csumStart,
        csumOffset,
      });
      expect(ok).toBe(true);
      expect(frame).toEqual(over(segment({ payload })));
    }
  });

  it('that comes out as zero is written as all ones, since zero means none', () => {
    // A datagram whose payload is what brings the sum to all ones.
    const bare = over4(udp({ payload: Uint8Array.of(0, 0) }));
    const payload = bare.slice(40, 42);
    const { frame } = complete(over4(udp({ payload, checksum: 'incomplete' })), {
      ...PLAIN,
      flags: 1,
      csumStart: 34,
      csumOffset: 6,
    });
    expect(frame.slice(40, 42)).toEqual(Uint8Array.of(0xff, 0xff));
    expect(frame).toEqual(over4(udp({ payload })));
  });

  it('is left alone where the header does not ask', () => {
    const frame = captures.UDP_IPV4;
    expect(complete(frame, { ...PLAIN, csumStart: 34, csumOffset: 6 })).toEqual({ ok: true, frame });
  });

  it.each([
    [58, 0],
    [57, 0],
    [34, 0xffff],
    [0xffff, 0xffff],
    [0, 57],
    [46, 0],
    [45, 0],
  ])('of a field outside the frame (%i + %i) is none, and nothing is touched', (csumStart, csumOffset) => {
    const frame = captures.UDP_IPV4;
    expect(complete(frame, { ...PLAIN, flags: 1, csumStart, csumOffset })).toEqual({ ok: false, frame });
  });

  it('may be the very last bytes of the frame', () => {
    const frame = captures.UDP_IPV4;
    expect(complete(frame, { ...PLAIN, flags: 1, csumStart: frame.length - 2, csumOffset: 0 }).ok).toBe(true);
  });

  it('undoes what delivery asked of another host', () => {
    for (const frame of [captures.UDP_IPV4, captures.UDP_IPV6, captures.TCP_SYN_IPV4, captures.TCP_SYN_IPV6]) {
      const finished = complete(frame, prepare(frame).header).frame;
      expect(finished).not.toEqual(frame);
      expect(prepare(finished)).toEqual({ verdict: DELIVER, header: PLAIN, frame: finished });
    }
  });
});
