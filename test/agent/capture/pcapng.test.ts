import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, encodeEnd, encodePacket, encodeStart, INBOUND, OUTBOUND } from '../../../agent/capture/pcapng.ts';
import { type Block, PcapngReader } from '../../../agent/capture/pcapng-reader.ts';
import { hex } from '../bytes.ts';
import { counting } from '../frames.ts';

const START = encodeStart('overlane-agent 1', 'blue (VNI 9)', 2048);
const packet = fc.record({
  time: fc.integer({ min: 0, max: 2 ** 52 }),
  bytes: fc.uint8Array({ maxLength: 70 }),
  length: fc.nat(70_000),
  comment: fc.string(),
  direction: fc.constantFrom(INBOUND, OUTBOUND),
  missed: fc.nat(),
});

describe('a pcapng stream', () => {
  it('has the blocks that its specification shows', () => {
    // Section header: magic, version 1.0, unknown length, application.
    expect(START.subarray(0, 28)).toEqual(hex('0a0d0d0a 34000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 1000'));
    // Interface: Ethernet, what is kept of a frame, name.
    expect(START.subarray(52)).toEqual(
      concat([
        hex('01000000 28000000 0100 0000 00080000 0200 0c00'),
        new TextEncoder().encode('blue (VNI 9)'),
        hex('0000 0000 28000000'),
      ]),
    );
    const bytes = hex('010203');
    const time = 0x0005_e2a1_1234_5678;
    expect(encodePacket({ time, bytes, length: 60, comment: 'a > b', direction: OUTBOUND, missed: 0 })).toEqual(
      hex(
        '06000000 3c000000 00000000 a1e20500 78563412 03000000 3c000000 01020300' +
          '0100 0500 61203e2062000000 0200 0400 02000000 0000 0000 3c000000',
      ),
    );
  });

  it('is read as it was written, however its bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), fc.integer({ min: 1, max: 50 }), (packets, step) => {
        const written = concat([START, ...packets.map(encodePacket), encodeEnd(5, packets.length, 7)]);
        const reader = new PcapngReader();
        const blocks: Block[] = [];
        for (let at = 0; at < written.length; at += step) blocks.push(...reader.feed(written.subarray(at, at + step)));
        expect(concat(blocks.map(({ raw }) => raw))).toEqual(written);
        expect(blocks.flatMap((block) => (block.kind === 'packet' ? [block.packet] : []))).toEqual(packets);
        expect(blocks.map(({ kind }) => kind)).toEqual(['other', 'other', ...packets.map(() => 'packet'), 'end']);
        expect(blocks.at(-1)).toMatchObject({ missed: 7 });
      }),
    );
  });

  it('that is none is refused, and one that is damaged does no harm', () => {
    expect(() => new PcapngReader().feed(new TextEncoder().encode('HTTP/1.1 200 OK'))).toThrow('no pcapng');
    const whole = concat([
      START,
      encodePacket({ time: 1, bytes: counting(60), length: 60, comment: 'x', direction: 1, missed: 9 }),
    ]);
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 2, 3, 4, 8, 16, 60, 127, 128, 255]) {
        const damaged = whole.slice();
        damaged[at] = value;
        try {
          new PcapngReader().feed(damaged);
        } catch (error) {
          expect((error as Error).message).toMatch('no pcapng');
        }
      }
    }
  });
});
