import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChecksumMemory } from '../../../agent/wire/checksum-memory.ts';
import { buildChecksumWasm } from '../../../tools/build-wasm.ts';
import { memoryOf } from '../bytes.ts';

const SIZE = 4096;
const compiled = createChecksumMemory(2 * 65_536);

describe('packet memory that sums', () => {
  it('sums as script does, whatever the bytes, their number and where they lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: SIZE }), fc.nat(200), (bytes, skipped) => {
        const skip = Math.min(skipped, bytes.length);
        compiled.bytes.set(bytes);
        const length = bytes.length - skip;
        // Zero has two forms in one's complement, and both ways of summing keep them apart.
        expect(compiled.sum(skip, length)).toBe(memoryOf(bytes).sum(skip, length));
      }),
    );
  });

  it('sums the largest packet of the largest words', () => {
    compiled.bytes.fill(0xff, 0, 65_553);
    expect(compiled.sum(0, 65_553)).toBe(memoryOf(new Uint8Array(65_553).fill(0xff)).sum(0, 65_553));
  });

  it('copies and sums in one pass, also to a lower place that overlaps, and touches nothing else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: SIZE, maxLength: SIZE }),
        fc.nat(200),
        fc.nat(300),
        fc.nat(2000),
        (bytes, to, gap, length) => {
          compiled.bytes.set(bytes);
          const expected = bytes.slice();
          const sum = memoryOf(expected).copy(to, to + gap, length);
          expect(compiled.copy(to, to + gap, length)).toBe(sum);
          expect(compiled.bytes.subarray(0, SIZE)).toEqual(expected);
        },
      ),
    );
  });

  it('refuses to go beyond its end', () => {
    expect(() => compiled.sum(compiled.bytes.length - 100, 101)).toThrow();
    expect(() => compiled.copy(0, compiled.bytes.length - 100, 101)).toThrow();
  });

  it('is made of the source that stands beside it', async () => {
    const path = new URL('../../../agent/wire/checksum-wasm.ts', import.meta.url);
    expect(readFileSync(path, 'utf8')).toBe(await buildChecksumWasm());
  });
});
