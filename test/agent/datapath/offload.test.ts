/** Large segments cut into trains, and trains put together again: each is checked by the plainest means, then one against the other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coalescer } from '../../../agent/datapath/coalescer.ts';
import { Segmenter } from '../../../agent/datapath/segmenter.ts';
import { MAX_TRAIN_BYTES, MAX_TRAIN_SEGMENTS } from '../../../agent/wire/packet-batch.ts';
import { DIRT, memoryOf, viewOf } from '../bytes.ts';
import { type Checksum, counting, ethernet, ipv4, ipv6, sumWords, tcp, udp } from '../frames.ts';

const SLOT = 70_000;
const FRAME = 1000;
const SCRATCH = FRAME + SLOT;
const RECEIVED = SCRATCH + SLOT;
const VNI = 0x123456;
const A = 0x02_00_00_00_00_01;
const B = 0x02_00_00_00_00_02;
const FIN = 0x01;
const PSH = 0x08;
const ACK = 0x10;
const CWR = 0x80;

interface Large {
  readonly isIpv4: boolean;
  readonly options: Uint8Array;
  readonly flags: number;
  readonly payload: Uint8Array;
  readonly gsoSize: number;
}

const large = fc.record({
  isIpv4: fc.boolean(),
  options: fc.uint8Array({ maxLength: 40 }),
  flags: fc.constantFrom(ACK, ACK | PSH, ACK | FIN, ACK | CWR, ACK | CWR | PSH | FIN),
  payload: fc.nat({ max: 62_000 }).map((length) => counting(length + 1)),
  gsoSize: fc.integer({ min: 100, max: 8900 }),
});

function tcpFrame({ isIpv4, options, flags, payload }: Large, checksum: Checksum): Uint8Array {
  const segment = tcp({ options, flags, payload, checksum });
  return isIpv4 ? ethernet(B, A, 0x0800, ipv4(segment)) : ethernet(B, A, 0x86dd, ipv6(segment));
}

/** Everything that a train's datagram is: the inner frame's bytes. */
function cut(frame: Uint8Array, gsoSize: number): { readonly trains: Uint8Array[][]; readonly memory: Uint8Array } {
  const memory = new Uint8Array(RECEIVED).fill(DIRT);
  memory.set(frame, FRAME);
  const segmenter = new Segmenter(memoryOf(memory), SCRATCH);
  expect(segmenter.begin(FRAME, frame.length, gsoSize, VNI)).toBe(true);
  const trains: Uint8Array[][] = [];
  while (segmenter.next(MAX_TRAIN_SEGMENTS)) {
    const { offset, length, segmentSize, segments } = segmenter;
    expect(length).toBeLessThanOrEqual(MAX_TRAIN_BYTES);
    expect(segments).toBeLessThanOrEqual(MAX_TRAIN_SEGMENTS);
    expect(segments).toBe(Math.ceil(length / segmentSize));
    const train: Uint8Array[] = [];
    for (let at = 0; at < length; at += segmentSize) {
      const datagram = memory.slice(offset + at, offset + Math.min(at + segmentSize, length));
      expect([...datagram.subarray(0, 8)]).toEqual([8, 0, 0, 0, 0x12, 0x34, 0x56, 0]);
      train.push(datagram.subarray(8));
    }
    trains.push(train);
  }
  return { trains, memory };
}

/** Takes a frame apart by hand, and says whether its checksums are right. */
function read(frame: Uint8Array, isIpv4: boolean) {
  const ip = frame.subarray(14);
  const ipLength = isIpv4 ? 20 : 40;
  const transport = ip.subarray(ipLength);
  const addresses = isIpv4 ? ip.subarray(12, 20) : ip.subarray(8, 40);
  const protocol = isIpv4 ? ip[9]! : ip[6]!;
  const view = viewOf(transport);
  const pseudo = Uint8Array.of(...addresses, 0, protocol, transport.length >> 8, transport.length & 0xff);
  const headerLength = protocol === 6 ? (transport[12]! >> 4) * 4 : 8;
  return {
    ipIsRight: isIpv4
      ? sumWords(ip.subarray(0, 20)) === 0xffff && viewOf(ip).getUint16(2) === ip.length
      : viewOf(ip).getUint16(4) === transport.length,
    transportIsRight: sumWords(Uint8Array.of(...pseudo, ...transport)) === 0xffff,
    id: isIpv4 ? viewOf(ip).getUint16(4) : 0,
    sequence: view.getUint32(4),
    flags: transport[13]!,
    payload: transport.subarray(headerLength),
  };
}

describe('a large TCP segment', () => {
  it('is cut into frames whose every length, id, sequence, flag and checksum is right, and whose payloads are the whole', () => {
    fc.assert(
      fc.property(large, (given) => {
        const { isIpv4, flags, payload, gsoSize } = given;
        const frames = cut(tcpFrame(given, 'incomplete'), gsoSize).trains.flat();
        const parts = frames.map((frame) => read(frame, isIpv4));
        expect(parts.every(({ ipIsRight, transportIsRight }) => ipIsRight && transportIsRight)).toBe(true);
        expect(Buffer.concat(parts.map((part) => part.payload)).equals(payload)).toBe(true);
        for (const [i, part] of parts.entries()) {
          const isLast = i === parts.length - 1;
          expect(part.sequence).toBe(0x01020304 + i * gsoSize);
          if (isIpv4) expect(part.id).toBe(0x1234 + i);
          if (!isLast) expect(part.payload.length).toBe(gsoSize);
          expect(part.flags).toBe(flags & ~(isLast ? 0 : FIN | PSH) & ~(i === 0 ? 0 : CWR));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('whose sequence number passes 2^32 goes on at 0', () => {
    const frame = tcpFrame(
      { isIpv4: true, options: new Uint8Array(), flags: ACK, payload: counting(3000), gsoSize: 1000 },
      'incomplete',
    );
    viewOf(frame).setUint32(14 + 20 + 4, 0xffff_ff00);
    const parts = cut(frame, 1000)
      .trains.flat()
      .map((part) => read(part, true));
    expect(parts.map(({ sequence }) => sequence)).toEqual([0xffff_ff00, 744, 1744]);
    expect(parts.every(({ transportIsRight }) => transportIsRight)).toBe(true);
  });

  it('that is no TCP or UDP over IP, or that no datagram could hold a part of, is refused', () => {
    const memory = new Uint8Array(RECEIVED).fill(0);
    const segmenter = new Segmenter(memoryOf(memory), SCRATCH);
    memory.set(ethernet(B, A, 0x0806, counting(60)), FRAME);
    expect(segmenter.begin(FRAME, 74, 1000, VNI)).toBe(false);
    memory.set(ethernet(B, A, 0x0800, ipv4(tcp({ payload: counting(3000) }))), FRAME);
    expect(segmenter.begin(FRAME, 3054, 0, VNI)).toBe(false);
    expect(segmenter.begin(FRAME, 40, 1000, VNI)).toBe(false);
    // Headers, and nothing to cut.
    expect(segmenter.begin(FRAME, 54, 1000, VNI)).toBe(false);
    memory.set(ethernet(B, A, 0x0800, ipv4(tcp({ payload: counting(65_480) }))), FRAME);
    expect(segmenter.begin(FRAME, 65_534, 65_500, VNI)).toBe(false);
  });
});

describe('UDP payloads of one size', () => {
  it('are cut into datagrams with a length and checksum of their own', () => {
    for (const isIpv4 of [true, false]) {
      const payload = counting(5000);
      const segment = udp({ payload, checksum: 'incomplete' });
      const frame = isIpv4 ? ethernet(B, A, 0x0800, ipv4(segment)) : ethernet(B, A, 0x86dd, ipv6(segment));
      const frames = cut(frame, 1200).trains.flat();
      const parts = frames.map((part) => read(part, isIpv4));
      expect(parts.map((part) => part.payload.length)).toEqual([1200, 1200, 1200, 1200, 200]);
      expect(parts.every(({ ipIsRight, transportIsRight }) => ipIsRight && transportIsRight)).toBe(true);
      expect(Buffer.concat(parts.map((part) => part.payload)).equals(payload)).toBe(true);
      for (const [i, part] of frames.entries()) {
        expect(viewOf(part).getUint16(14 + (isIpv4 ? 20 : 40) + 4)).toBe(8 + parts[i]!.payload.length);
      }
    }
  });
});

describe('a train of UDP datagrams of one size', () => {
  const udpFrame = (isIpv4: boolean, payload: Uint8Array, checksum: Checksum): Uint8Array => {
    const segment = udp({ payload, checksum });
    return isIpv4 ? ethernet(B, A, 0x0800, ipv4(segment)) : ethernet(B, A, 0x86dd, ipv6(segment));
  };

  it('is put together to the very packet that it was cut from, its checksum left to the host', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 2, max: 60_000 }),
        fc.integer({ min: 1, max: 8900 }),
        (v4, size, part) => {
          fc.pre(size > part);
          const payload = counting(size);
          const [train] = cut(udpFrame(v4, payload, 'incomplete'), part).trains;
          const { taken, merged, header, gsoSize } = merge(train!);
          expect(taken).toBe(train!.length);
          expect(gsoSize).toBe(part);
          // NEEDS_CSUM, and datagrams of one size.
          expect(header >>> 16).toBe(0x0105);
          const whole = udpFrame(v4, payload.subarray(0, Math.min(size, train!.length * part)), 'incomplete');
          expect(Buffer.from(merged).equals(whole)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  const parts = (): Uint8Array[] => cut(udpFrame(true, counting(4000), 'incomplete'), 1000).trains.flat();

  it.each([
    ['a wrong checksum', (f: Uint8Array) => f.fill(f[100]! ^ 1, 100, 101)],
    ['no checksum', (f: Uint8Array) => f.fill(0, 14 + 20 + 6, 14 + 20 + 8)],
    ['another length than its frame', (f: Uint8Array) => f.fill(f[14 + 20 + 5]! - 1, 14 + 20 + 5, 14 + 20 + 6)],
    ['another source port', (f: Uint8Array) => f.fill(9, 14 + 20, 14 + 21)],
    ['another address', (f: Uint8Array) => f.fill(9, 14 + 12, 14 + 13)],
    ['another class of service', (f: Uint8Array) => f.fill(3, 15, 16)],
    ['leave to be fragmented', (f: Uint8Array) => f.fill(0, 14 + 6, 14 + 7)],
    ['another protocol', (f: Uint8Array) => f.fill(6, 14 + 9, 14 + 10)],
  ])('ends before one with %s', (_, spoil) => {
    const frames = parts();
    spoil(frames[2]!);
    expect(merge(frames).taken).toBe(2);
  });

  it('ends with one shorter than the first, and before one that is longer', () => {
    const short = cut(udpFrame(true, counting(2500), 'incomplete'), 1000).trains.flat();
    expect(merge([...short, ...parts()]).taken).toBe(3);
    const small = cut(udpFrame(true, counting(200), 'incomplete'), 100).trains.flat();
    expect(merge([...small, ...parts()]).taken).toBe(2);
  });

  it('has no more datagrams than a kernel cuts', () => {
    const many = Array.from({ length: 2 * MAX_TRAIN_SEGMENTS }, () => udpFrame(true, counting(22), 'complete'));
    expect(merge(many).taken).toBe(MAX_TRAIN_SEGMENTS);
  });

  it('never begins for a port that takes none, nor with what may be fragmented or has no checksum', () => {
    const begins = (segment: Uint8Array, takesUdp: boolean): boolean => {
      const memory = new Uint8Array(SLOT).fill(DIRT);
      const frame = ethernet(B, A, 0x0800, segment);
      memory.set(frame, FRAME);
      return new Coalescer(memoryOf(memory)).begin(FRAME, frame.length, takesUdp);
    };
    const payload = counting(100);
    expect(begins(ipv4(udp({ payload })), true)).toBe(true);
    expect(begins(ipv4(udp({ payload })), false)).toBe(false);
    expect(begins(ipv4(udp({ payload, checksum: 0 })), true)).toBe(false);
    expect(begins(ipv4(udp({ payload }), { fragment: 0 }), true)).toBe(false);
    expect(begins(ipv4(udp()), true)).toBe(false);
  });
});

/** Lays the frames into one receive slot, each behind a VXLAN header as a train comes, and lets the coalescer take them. */
function merge(frames: readonly Uint8Array[]) {
  const memory = new Uint8Array(SLOT * 2).fill(DIRT);
  const coalescer = new Coalescer(memoryOf(memory));
  let at = FRAME;
  let taken = 0;
  for (const frame of frames) {
    at += 8;
    memory.set(frame, at);
    const goesOn = taken === 0 ? coalescer.begin(at, frame.length, true) : coalescer.append(at, frame.length);
    if (!goesOn) break;
    taken++;
    at += frame.length;
  }
  if (taken > 1) coalescer.finish();
  const merged = memory.slice(coalescer.frame, coalescer.frame + coalescer.length);
  const header = viewOf(memory).getUint32(coalescer.frame - 12);
  return { taken, merged, header, gsoSize: viewOf(memory).getUint16(coalescer.frame - 8, true) };
}

describe('a train of TCP segments', () => {
  it('is put together to the very segment that it was cut from, its checksum left to the host', () => {
    fc.assert(
      fc.property(large, (given) => {
        const whole = { ...given, flags: given.flags & (ACK | PSH) };
        const [train] = cut(tcpFrame(whole, 'incomplete'), whole.gsoSize).trains;
        fc.pre(train!.length > 1);
        const { taken, merged, header, gsoSize } = merge(train!);
        expect(taken).toBe(train!.length);
        expect(gsoSize).toBe(whole.gsoSize);
        // NEEDS_CSUM, and a GSO type of TCP over that IP.
        expect(header >>> 16).toBe(0x0100 | (whole.isIpv4 ? 1 : 4));
        const payload = whole.payload.subarray(0, train!.length * whole.gsoSize);
        const isAll = payload.length === whole.payload.length;
        const flags = isAll ? whole.flags : whole.flags & ~PSH;
        expect(Buffer.from(merged).equals(tcpFrame({ ...whole, flags, payload }, 'incomplete'))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  const parts = (): Uint8Array[] =>
    cut(
      tcpFrame(
        { isIpv4: true, options: counting(12), flags: ACK, payload: counting(4000), gsoSize: 1000 },
        'incomplete',
      ),
      1000,
    ).trains.flat();

  it.each([
    ['a wrong checksum', (f: Uint8Array) => f.fill(f[100]! ^ 1, 100, 101)],
    ['a wrong IP header checksum', (f: Uint8Array) => f.fill(f[14 + 10]! ^ 1, 14 + 10, 14 + 11)],
    ['another acknowledgment', (f: Uint8Array) => f.fill(9, 14 + 20 + 8, 14 + 20 + 9)],
    ['another window', (f: Uint8Array) => f.fill(9, 14 + 20 + 14, 14 + 20 + 15)],
    ['another option', (f: Uint8Array) => f.fill(9, 14 + 20 + 21, 14 + 20 + 22)],
    ['another class of service', (f: Uint8Array) => f.fill(3, 15, 16)],
    ['another TTL', (f: Uint8Array) => f.fill(9, 14 + 8, 14 + 9)],
    ['another source port', (f: Uint8Array) => f.fill(9, 14 + 20, 14 + 21)],
    ['another address', (f: Uint8Array) => f.fill(9, 14 + 12, 14 + 13)],
    ['another MAC address', (f: Uint8Array) => f.fill(9, 5, 6)],
    ['a sequence that is not the next', (f: Uint8Array) => f.fill(9, 14 + 20 + 7, 14 + 20 + 8)],
    ['SYN', (f: Uint8Array) => f.fill(ACK | 2, 14 + 20 + 13, 14 + 20 + 14)],
    ['FIN', (f: Uint8Array) => f.fill(ACK | FIN, 14 + 20 + 13, 14 + 20 + 14)],
    ['ECE', (f: Uint8Array) => f.fill(ACK | 0x40, 14 + 20 + 13, 14 + 20 + 14)],
  ])('ends before a segment with %s', (_, spoil) => {
    const frames = parts();
    spoil(frames[2]!);
    expect(merge(frames).taken).toBe(2);
  });

  it('never blesses a first segment whose checksum is wrong', () => {
    const frames = parts();
    frames[0]![100]! ^= 1;
    expect(merge(frames).taken).toBe(1);
    const others = parts();
    others[0]![14 + 10]! ^= 1;
    expect(merge(others).taken).toBe(1);
  });

  it('ends with PSH, and with a segment shorter than the first', () => {
    const short = parts();
    const next = parts();
    short.splice(2, 1);
    expect(merge([...short.slice(0, 2), next[3]!]).taken).toBe(2);
    const lengths = cut(
      tcpFrame(
        { isIpv4: false, options: counting(0), flags: ACK, payload: counting(2500), gsoSize: 1000 },
        'incomplete',
      ),
      1000,
    ).trains.flat();
    expect(merge(lengths).taken).toBe(3);
  });

  it('never begins with a fragment, IP options, no payload, SYN, FIN, RST or URG', () => {
    const begins = (segment: Uint8Array): boolean => {
      const memory = new Uint8Array(SLOT).fill(DIRT);
      const frame = ethernet(B, A, 0x0800, segment);
      memory.set(frame, FRAME);
      return new Coalescer(memoryOf(memory)).begin(FRAME, frame.length, false);
    };
    const payload = counting(100);
    expect(begins(ipv4(tcp({ payload })))).toBe(true);
    expect(begins(ipv4(tcp({ payload }), { fragment: 0x2000 }))).toBe(false);
    expect(begins(ipv4(tcp({ payload }), { options: counting(4) }))).toBe(false);
    expect(begins(ipv4(tcp()))).toBe(false);
    expect(begins(ipv4(udp({ payload })))).toBe(false);
    for (const flags of [0x12, 0x11, 0x14, 0x30]) expect(begins(ipv4(tcp({ payload, flags })))).toBe(false);
  });
});
