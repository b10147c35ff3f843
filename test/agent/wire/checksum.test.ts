import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finishChecksum, foldSum, sumBytes } from '../../../agent/wire/checksum.ts';
import { amid, hex, viewOf } from '../bytes.ts';

/** RFC 1071 §1, word by word: sum in one's complement, an odd byte padded with a zero. */
function naiveSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return sum;
}

describe('the Internet checksum', () => {
  it('is that of the example in RFC 1071 §3', () => {
    const bytes = hex('0001 f203 f4f5 f6f7');
    expect(foldSum(sumBytes(viewOf(bytes), 0, 8, 0))).toBe(0xddf2);
    expect(finishChecksum(sumBytes(viewOf(bytes), 0, 8, 0))).toBe(0x220d);
  });

  it('is that of word-by-word addition for any bytes, length and offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(40), fc.nat(40), (bytes, skip, cut) => {
        const part = bytes.subarray(Math.min(skip, bytes.length), Math.max(skip, bytes.length - cut));
        const { view, offset } = amid(bytes);
        expect(foldSum(sumBytes(view, offset + Math.min(skip, bytes.length), part.length, 0))).toBe(naiveSum(part));
      }),
    );
  });

  it('pads a last odd byte with a zero', () => {
    expect(sumBytes(viewOf(hex('12 34 56')), 0, 3, 0)).toBe(0x1234 + 0x5600);
    expect(sumBytes(viewOf(hex('56')), 0, 1, 0)).toBe(0x5600);
    expect(sumBytes(viewOf(hex('56')), 0, 0, 0)).toBe(0);
  });

  it('does not overflow on the largest packet of the largest words', () => {
    const bytes = new Uint8Array(65_535).fill(0xff);
    expect(foldSum(sumBytes(viewOf(bytes), 0, bytes.length, 0))).toBe(naiveSum(bytes));
  });

  it('of parts that start on even bytes is that of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), fc.nat(), (bytes, at) => {
        const middle = (at % bytes.length) & ~1;
        const view = viewOf(bytes);
        const inParts = sumBytes(view, middle, bytes.length - middle, sumBytes(view, 0, middle, 0));
        expect(foldSum(inParts)).toBe(naiveSum(bytes));
      }),
    );
  });

  it('folds every sum that stays exact to 16 bits that are congruent to it', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (sum) => {
        const folded = foldSum(sum);
        expect(folded).toBeGreaterThanOrEqual(sum === 0 ? 0 : 1);
        expect(folded).toBeLessThanOrEqual(0xffff);
        expect((sum - folded) % 0xffff).toBe(0);
      }),
    );
  });

  it('makes the sum all ones once it is in its field', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), (bytes) => {
        const view = viewOf(bytes);
        view.setUint16(2, 0);
        view.setUint16(2, finishChecksum(sumBytes(view, 0, bytes.length, 0)));
        expect([0xffff, 0]).toContain(foldSum(sumBytes(view, 0, bytes.length, 0)));
        expect(finishChecksum(sumBytes(view, 0, bytes.length, 0))).toBe(bytes.some((byte) => byte !== 0) ? 0 : 0xffff);
      }),
    );
  });
});
