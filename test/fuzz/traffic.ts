/** Frames for the fuzzer: what hosts send, with offloads or without, and what they would not. */
import fc from 'fast-check';
import type { VirtioNetHeader } from '../../agent/wire/virtio-net.ts';
import { concat } from '../agent/bytes.ts';
import { BROADCAST, station } from '../agent/datapath/overlay.ts';
import { type Checksum, ethernet, ipv4, ipv6, opaque, tcp, udp } from '../agent/frames.ts';

export const HERE = station(1);
export const THERE = station(2);
const ACK = 0x10;

export interface HostFrame {
  readonly frame: Uint8Array;
  readonly header: Readonly<VirtioNetHeader>;
}

const PLAIN: VirtioNetHeader = { flags: 0, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };

const noise = Uint8Array.from({ length: 70_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

/** Bytes that have no pattern, and cost little to make. */
const payload = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.nat(maxLength), fc.nat(4000)).map(([length, from]) => noise.slice(from, from + length));

const tcpOptions = fc.constantFrom(
  new Uint8Array(),
  Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2),
  Uint8Array.of(1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2),
);

/** TCP flags of established flows, ECN's among them; now and then any. */
const tcpFlags = fc.oneof(
  { weight: 6, arbitrary: fc.constant(ACK) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(ACK | 0x08, ACK | 0x80, ACK | 0x40, ACK | 0x01, ACK | 0x09, 0x02, ACK | 0x04),
  },
  { weight: 1, arbitrary: fc.nat(255) },
);

interface Flow {
  readonly isIpv4: boolean;
  readonly port: number;
}

const flow: fc.Arbitrary<Flow> = fc.record({ isIpv4: fc.boolean(), port: fc.constantFrom(1000, 1001) });

function packetOf({ isIpv4 }: Flow, segment: ReturnType<typeof tcp>, destination: number, source: number): Uint8Array {
  return ethernet(destination, source, isIpv4 ? 0x0800 : 0x86dd, isIpv4 ? ipv4(segment) : ipv6(segment));
}

/** A large segment that a host leaves to be cut, or a small one whose checksum it leaves. */
export function offloaded(
  destination: fc.Arbitrary<number>,
  maxBytes: number,
  isTcpGiven: fc.Arbitrary<boolean> = fc.boolean(),
): fc.Arbitrary<HostFrame> {
  return fc
    .record({
      flow,
      isTcp: isTcpGiven,
      options: tcpOptions,
      flags: tcpFlags,
      sequence: fc.constantFrom(1, 0xffff_f000),
      body: payload(maxBytes),
      gsoSize: fc.oneof(fc.integer({ min: 1, max: 1600 }), fc.constantFrom(1300, 1386, 1398, 1422)),
      isCut: fc.boolean(),
      destination,
    })
    .map(({ flow: of, isTcp, options, flags, sequence, body, gsoSize, isCut, destination: to }) => {
      const segment = isTcp
        ? tcp({ from: of.port, sequence, flags, options, payload: body, checksum: 'incomplete' })
        : udp({ from: of.port, payload: body, checksum: 'incomplete' });
      const frame = packetOf(of, segment, to, HERE);
      const gsoType = isTcp ? (of.isIpv4 ? 1 : 4) | ((flags & 0x80) === 0 ? 0 : 0x80) : 5;
      const header = {
        ...PLAIN,
        flags: 1,
        csumStart: 14 + (of.isIpv4 ? 20 : 40),
        csumOffset: isTcp ? 16 : 6,
        // A thousandth part would be cut all day.
        ...(isCut ? { gsoType, gsoSize: Math.max(gsoSize, body.length >> 7), headerLength: 0 } : {}),
      };
      return { frame, header };
    });
}

/** Segments of one TCP flow in a row, as they come off the wire: mostly mergeable, some broken, some out of order. */
const tcpRun: fc.Arbitrary<Uint8Array[]> = fc
  .record({
    flow,
    options: tcpOptions,
    flags: tcpFlags,
    sequence: fc.constantFrom(1, 0xffff_f000),
    size: fc.constantFrom(1, 100, 1390, 1410, 1386, 1398, 3000),
    count: fc.integer({ min: 1, max: 7 }),
    lastSize: fc.nat(1390),
    lastFlags: tcpFlags,
    checksum: fc.constantFrom<Checksum[]>('complete', 'complete', 'complete', 'incomplete'),
    destination: fc.constantFrom(HERE, HERE, HERE, BROADCAST, station(5)),
  })
  .map(({ flow: of, options, flags, sequence, size, count, lastSize, lastFlags, checksum, destination }) =>
    Array.from({ length: count }, (_, i) => {
      const isLast = i === count - 1;
      const body = noise.slice(i * size, i * size + (isLast ? lastSize : size));
      const segment = tcp({
        from: of.port,
        options,
        checksum,
        sequence: sequence + i * size,
        flags: isLast ? lastFlags : flags,
        payload: body,
      });
      return packetOf(of, segment, destination, THERE);
    }),
  );

const otherFrame: fc.Arbitrary<Uint8Array> = fc
  .record({
    flow,
    body: payload(1500),
    kind: fc.constantFrom('udp', 'fragment', 'options', 'opaque', 'arp', 'solicitation', 'tagged', 'none'),
    checksum: fc.constantFrom<Checksum[]>('complete', 'incomplete', 0),
    destination: fc.constantFrom(HERE, BROADCAST, station(5), 0x0100_5e00_0001),
    source: fc.constantFrom(THERE, THERE, THERE, station(3), 0, BROADCAST),
  })
  .map(({ flow: of, body, kind, checksum, destination, source }) => {
    const segment = udp({ from: of.port, payload: body, checksum });
    switch (kind) {
      case 'udp':
        return packetOf(of, segment, destination, source);
      case 'fragment':
        return ethernet(destination, source, 0x0800, ipv4(segment, { fragment: 0x2000 | (body.length & 0x1fff) }));
      case 'options':
        return ethernet(destination, source, 0x0800, ipv4(segment, { options: noise.slice(0, body.length % 40) }));
      case 'opaque':
        return packetOf(of, opaque(body.length & 0xff, body), destination, source);
      case 'arp':
        return ethernet(destination, source, 0x0806, arpRequest(source));
      case 'solicitation':
        return ethernet(destination, source, 0x86dd, solicitation());
      case 'tagged':
        return ethernet(destination, source, 0x8100, concat(Uint8Array.of(0, 5, 8, 0), ipv4(segment)));
      default:
        return ethernet(destination, source, 0x88b5, body);
    }
  });

const changed = (frames: fc.Arbitrary<Uint8Array[]>): fc.Arbitrary<Uint8Array[]> =>
  fc
    .tuple(
      frames,
      fc.array(fc.tuple(fc.nat(6), fc.oneof(fc.nat(80), fc.nat(1500)), fc.integer({ min: -70, max: 255 }))),
    )
    .map(([given, changes]) => {
      const result: Uint8Array[] = given.map((it) => it.slice());
      for (const [which, at, value] of changes) {
        const it = result[which % result.length]!;
        // Of one in four the end is cut off or something put behind it.
        if (value >= 0) it[at % Math.max(it.length, 1)] = value;
        else result[which % result.length] = value < -35 ? it.slice(0, at) : concat(it, noise.slice(0, at % 64));
      }
      return result;
    });

/** Frames as they come from a VTEP, in order: whole, changed here and there, garbage. */
export const wireFrames: fc.Arbitrary<Uint8Array[]> = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: tcpRun },
      { weight: 3, arbitrary: changed(tcpRun) },
      { weight: 2, arbitrary: otherFrame.map((it) => [it]) },
      { weight: 2, arbitrary: changed(otherFrame.map((it) => [it])) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 90 }).map((it) => [it]) },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((runs) => runs.flat());

const lyingHeader: fc.Arbitrary<VirtioNetHeader> = fc.record({
  flags: fc.oneof(fc.nat(1), fc.nat(255)),
  gsoType: fc.oneof(fc.constantFrom(0, 1, 3, 4, 5, 0x81, 0x84), fc.nat(255)),
  headerLength: fc.nat(0xffff),
  gsoSize: fc.oneof(fc.nat(1500), fc.constantFrom(0, 0xffff)),
  csumStart: fc.oneof(fc.constantFrom(34, 54), fc.nat(90), fc.nat(0xffff)),
  csumOffset: fc.oneof(fc.constantFrom(6, 16), fc.nat(40), fc.nat(0xffff)),
});

/** Frames as they come from a host: with offloads, without, and with headers that lie. */
export const hostFrame: fc.Arbitrary<HostFrame> = fc.oneof(
  { weight: 4, arbitrary: offloaded(fc.constantFrom(THERE, THERE, BROADCAST, station(6)), 9000) },
  {
    weight: 2,
    arbitrary: wireFrames.map((frames) => ({ frame: turned(frames[0]!), header: PLAIN })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.oneof(
          wireFrames.map((frames) => turned(frames[0]!)),
          offloaded(fc.constant(THERE), 3000),
        ),
        lyingHeader,
      )
      .map(([it, header]) => ({ frame: it instanceof Uint8Array ? it : it.frame, header })),
  },
);

/** The same from HERE to THERE. */
function turned(frame: Uint8Array): Uint8Array {
  if (frame.length < 12) return frame;
  const isUnicast = frame[0]! % 2 === 0;
  return concat(
    isUnicast ? frame.subarray(6, 12) : frame.subarray(0, 6),
    ethernet(0, HERE, 0, frame.slice(12)).subarray(6, 12),
    frame.subarray(12),
  );
}

function arpRequest(sender: number): Uint8Array {
  const mac = ethernet(0, sender, 0, new Uint8Array()).subarray(6, 12);
  return concat(Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1), mac, Uint8Array.of(10, 9, 0, 1, 0, 0, 0, 0, 0, 0, 10, 9, 0, 2));
}

function solicitation(): Uint8Array {
  const message = Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0, 0xfd, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
  const packet = ipv6(opaque(58, message));
  packet[7] = 255;
  return packet;
}
