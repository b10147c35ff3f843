import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { updateChecksum } from '../../../agent/wire/checksum.ts';
import {
  CE,
  ECT_0,
  ECT_1,
  MARK_DROP,
  MARK_NONE,
  MARK_TAKEN,
  NOT_ECT,
  readTrafficClass,
  takeMark,
} from '../../../agent/wire/ecn.ts';
import { concat, viewOf } from '../bytes.ts';
import { ethernet, ipv4, ipv6, sumWords, tcp } from '../frames.ts';

/** Figure 4 of RFC 6040: by inner, then by outer ECN; null for a drop. */
const FIGURE_4 = [
  [NOT_ECT, NOT_ECT, NOT_ECT],
  [NOT_ECT, ECT_0, NOT_ECT],
  [NOT_ECT, ECT_1, NOT_ECT],
  [NOT_ECT, CE, null],
  [ECT_0, NOT_ECT, ECT_0],
  [ECT_0, ECT_0, ECT_0],
  [ECT_0, ECT_1, ECT_1],
  [ECT_0, CE, CE],
  [ECT_1, NOT_ECT, ECT_1],
  [ECT_1, ECT_0, ECT_1],
  [ECT_1, ECT_1, ECT_1],
  [ECT_1, CE, CE],
  [CE, NOT_ECT, CE],
  [CE, ECT_0, CE],
  [CE, ECT_1, CE],
  [CE, CE, CE],
] as const;
const DSCPS = [0, 0x2e, 0x3f];

const families = {
  IPv4: (trafficClass: number) =>
    ethernet(2, 1, 0x0800, ipv4(tcp(), { trafficClass, options: Uint8Array.of(1, 1, 1) })),
  IPv6: (trafficClass: number) => ethernet(2, 1, 0x86dd, ipv6(tcp(), { trafficClass })),
};

describe.each(Object.entries(families))('an %s packet', (_family, packet) => {
  it.each(FIGURE_4)('with ECN %i inside and %i outside goes on with %s, all else as it was', (inner, outer, result) => {
    for (const dscp of DSCPS) {
      const frame = packet((dscp << 2) | inner);
      const verdict = takeMark(viewOf(frame), 0, frame.length, outer);
      const expected = result === null ? MARK_DROP : result === inner ? MARK_NONE : MARK_TAKEN;
      expect(verdict).toBe(expected);
      // Its checksum, too, is that of a packet made so.
      expect(frame).toEqual(packet((dscp << 2) | (result ?? inner)));
    }
  });

  it('tells its DSCP and ECN bits', () => {
    for (let trafficClass = 0; trafficClass < 256; trafficClass++) {
      const frame = packet(trafficClass);
      expect(readTrafficClass(viewOf(frame), 0, frame.length)).toBe(trafficClass);
    }
  });
});

it('what is no whole IP packet has no class, takes no mark, and nothing behind it is looked at', () => {
  const cut = (frame: Uint8Array, length: number) => concat(frame.subarray(0, length), new Uint8Array(40).fill(0xff));
  for (const [frame, length] of [
    [ethernet(2, 1, 0x0806, new Uint8Array(28).fill(0xff)), 42],
    [cut(families.IPv4(3), 33), 33],
    [cut(families.IPv6(3), 53), 53],
    [ethernet(2, 1, 0x0800, families.IPv6(3).subarray(14)), 74],
    [ethernet(2, 1, 0x86dd, families.IPv4(3).subarray(14)), 74],
  ] as const) {
    const before = frame.slice();
    expect(readTrafficClass(viewOf(frame), 0, length)).toBe(0);
    expect(takeMark(viewOf(frame), 0, length, CE)).toBe(MARK_NONE);
    expect(frame).toEqual(before);
  }
});

it('a checksum updated for one word is the one that is made anew', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 40 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
      fc.nat(0xffff),
      (bytes, after) => {
        const changed = bytes.slice();
        changed.set([after >> 8, after & 0xff]);
        // A header is never all zeros, for which one's complement has two sums.
        fc.pre(changed.some((byte) => byte !== 0));
        const updated = updateChecksum(0xffff - sumWords(bytes), (bytes[0]! << 8) | bytes[1]!, after);
        expect(updated).toBe(0xffff - sumWords(changed));
      },
    ),
  );
});
