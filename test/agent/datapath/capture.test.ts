/** Frames on their way to whoever watches: from the forwarder through the ring. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CaptureRingReader,
  CaptureRingWriter,
  createCaptureRing,
  PLACE_HERE,
  PLACE_PORT,
  PLACE_VTEP,
} from '../../../agent/datapath/capture-ring.ts';
import type { CapturedFrame } from '../../../agent/datapath/datapath.ts';
import { formatMac, type Mac } from '../../../src/contract/mac.ts';
import { counting, ethernet, ipv4, tcp } from '../frames.ts';
import { BROADCAST, createOverlay, frame, type OverlaySite, station } from './overlay.ts';

const VNI = 9;
const [A, B, C] = [station(1), station(2), station(3)];
const AT_B = { vtep: { address: '10.0.0.2', port: 4789 } };

describe('a ring of captured frames', () => {
  const write = (writer: CaptureRingWriter, mark: number, length: number): void =>
    writer.write(
      mark,
      PLACE_VTEP,
      'fd00::1',
      4789,
      PLACE_PORT,
      'tap0',
      0,
      new Uint8Array(length).fill(mark),
      length + 7,
    );

  it('gives every frame as it was written, in order', () => {
    const ring = createCaptureRing(4096);
    const [writer, reader] = [new CaptureRingWriter(ring), new CaptureRingReader(ring)];
    writer.write(1.7e15, PLACE_VTEP, 'fd00::1', 4789, PLACE_PORT, 'tap0', 0, counting(99), 1000);
    writer.write(1.7e15 + 0.25, PLACE_HERE, '', 0, PLACE_HERE, '', 0, new Uint8Array(), 14);
    expect(reader.read()).toEqual([
      {
        time: 1.7e15,
        from: { vtep: { address: 'fd00::1', port: 4789 } },
        to: { port: 'tap0' },
        length: 1000,
        bytes: counting(99),
        dropped: 0,
      },
      { time: 1.7e15 + 0.25, from: 'agent', to: 'flood', length: 14, bytes: new Uint8Array(), dropped: 0 },
    ] satisfies CapturedFrame[]);
    expect(reader.read()).toEqual([]);
  });

  it('loses nothing but what it counts, whenever it is read, over all its places', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ write: fc.nat(300) }) },
      { weight: 1, arbitrary: fc.constant({ read: true }) },
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 300 }), (steps) => {
        const ring = createCaptureRing(1024);
        const [writer, reader] = [new CaptureRingWriter(ring), new CaptureRingReader(ring)];
        const taken: CapturedFrame[] = [];
        let written = 0;
        const lengths: number[] = [];
        for (const it of steps) {
          if ('read' in it) taken.push(...reader.read());
          else {
            write(writer, written, it.write);
            lengths[written++] = it.write;
          }
        }
        taken.push(...reader.read());
        expect(taken.length + reader.dropped).toBe(written);
        let next = 0;
        let dropped = 0;
        for (const it of taken) {
          // Each says how many were lost before it, so its number is known.
          next += it.dropped - dropped;
          dropped = it.dropped;
          expect(it.time).toBe(next);
          expect(it.bytes).toEqual(new Uint8Array(lengths[next]!).fill(next));
          expect(it.length).toBe(lengths[next]! + 7);
          next++;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('has room for a frame again once one was read, and none is ever larger than the ring', () => {
    const ring = createCaptureRing(512);
    const [writer, reader] = [new CaptureRingWriter(ring), new CaptureRingReader(ring)];
    write(writer, 0, 600);
    expect([reader.read(), reader.dropped]).toEqual([[], 1]);
    for (let i = 0; i < 9; i++) write(writer, i, 100);
    const kept = reader.read().length;
    expect(kept).toBeGreaterThan(1);
    write(writer, 42, 100);
    expect(reader.read().map(({ time }) => time)).toEqual([42]);
  });
});

describe('a capture of a site', () => {
  function createCaptured(options: { macs?: string[]; snapLength?: number } = {}) {
    const [a, b, c] = createOverlay(3, [VNI, 10]) as [OverlaySite, OverlaySite, OverlaySite];
    for (const [site, mac] of [[b, B] as const, [c, C] as const]) site.send(VNI, frame(BROADCAST, mac));
    a.take();
    a.frames(VNI);
    const ring = createCaptureRing(1 << 20);
    let time = 0;
    const clock = () => time++;
    a.forwarder.captures.begin(1, { vni: VNI, macs: [], snapLength: 65_549, ring, clock, ...options });
    return { a, b, reader: new CaptureRingReader(ring) };
  }

  it('has what goes to one site, to all, and to ports, with where from and where to', () => {
    const { a, b, reader } = createCaptured();
    a.send(VNI, frame(B, A, 1));
    a.send(VNI, frame(BROADCAST, A, 2));
    b.send(VNI, frame(A, B, 3));
    a.take();
    a.setPorts(VNI, 2);
    a.send(VNI, frame(A, C, 4), { port: 1 });
    const frames = reader.read();
    expect(frames.map(({ time, from, to }) => [time, from, to])).toEqual([
      [0, { port: 'tap9.0' }, AT_B],
      [1, { port: 'tap9.0' }, 'flood'],
      [2, AT_B, { port: 'tap9.0' }],
      [3, { port: 'tap9.1' }, { port: 'tap9.0' }],
    ]);
    expect(frames.map(({ bytes }) => bytes)).toEqual([
      frame(B, A, 1),
      frame(BROADCAST, A, 2),
      frame(A, B, 3),
      frame(A, C, 4),
    ]);
  });

  it('has large segments whole, as they came from the host and as they go to it, and cuts them to what is kept', () => {
    const { a, b, reader } = createCaptured({ snapLength: 100 });
    const segment = (destination: number, source: number) =>
      ethernet(destination, source, 0x0800, ipv4(tcp({ payload: counting(3000), checksum: 'incomplete' })));
    const header = { flags: 1, gsoType: 1, headerLength: 54, gsoSize: 1000, csumStart: 34, csumOffset: 16 };
    a.send(VNI, segment(B, A), { header });
    b.take();
    b.send(VNI, segment(A, B), { header });
    a.take();
    expect(reader.read().map(({ length, bytes }) => [length, bytes])).toEqual([
      [3054, segment(B, A).subarray(0, 100)],
      [3054, segment(A, B).subarray(0, 100)],
    ]);
  });

  it('has what the agent itself answers', () => {
    const { a, reader } = createCaptured();
    const tooLarge = ethernet(B, A, 0x0800, ipv4(tcp({ payload: counting(2000) })));
    a.send(VNI, tooLarge);
    expect(a.count(VNI, 'tooBigAnswered')).toBe(1);
    expect(reader.read().map(({ from, to }) => [from, to])).toEqual([['agent', { port: 'tap9.0' }]]);
  });

  it('has nothing of another network, nor of other MACs where some are named, nor of what came after its end', () => {
    const { a, reader } = createCaptured({ macs: [formatMac(C as Mac)] });
    a.send(10, frame(BROADCAST, C));
    a.send(VNI, frame(B, A));
    a.send(VNI, frame(C, A, 5));
    a.send(VNI, frame(B, C, 6));
    expect(a.forwarder.captures.isActive).toBe(true);
    a.forwarder.captures.end(1);
    expect(a.forwarder.captures.isActive).toBe(false);
    a.send(VNI, frame(C, A, 7));
    expect(reader.read().map(({ bytes }) => bytes.at(-1))).toEqual([5, 6]);
  });
});
