import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProbe, PROBE_LENGTH, type Probe, readProbe, writeProbe } from '../../../agent/wire/probe.ts';
import { hasVni } from '../../../agent/wire/vxlan.ts';
import { amid, concat, hex, viewOf, written } from '../bytes.ts';

const ASK: Probe = { kind: 'ask', size: 1472, nonce: 0x0123_4567_89ab_cdefn, port: 4789, heldMicros: 0 };
/** As it is on the wire: agents of every version must read it. */
const ASK_BYTES = hex('00000000 00000000 4f564c50 01 01 05c0 0123456789abcdef 12b5 0000 00000000');
const ANSWER_BYTES = hex('00000000 00000000 4f564c50 01 02 05c0 0123456789abcdef 12b5 0000 000003e8');

const probes = fc.record<Probe>({
  kind: fc.constantFrom('ask', 'answer'),
  size: fc.integer({ min: PROBE_LENGTH, max: 65_507 }),
  nonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  port: fc.integer({ min: 1, max: 65_535 }),
  heldMicros: fc.nat(2 ** 32 - 1),
});

describe('a probe', () => {
  it('is written byte for byte as agents of other versions read it', () => {
    expect(written(PROBE_LENGTH, (view, at) => writeProbe(view, at, ASK))).toEqual(ASK_BYTES);
    const answer = { ...ASK, kind: 'answer', heldMicros: 1000 } as const;
    expect(written(PROBE_LENGTH, (view, at) => writeProbe(view, at, answer))).toEqual(ANSWER_BYTES);
  });

  it('is read as it was written, an ask with all its padding', () => {
    fc.assert(
      fc.property(probes, (probe) => {
        const head = written(PROBE_LENGTH, (view, at) => writeProbe(view, at, probe));
        const sent = probe.kind === 'ask' ? concat(head, new Uint8Array(probe.size - PROBE_LENGTH)) : head;
        const { view, offset } = amid(sent);
        expect(readProbe(view, offset, sent.length)).toEqual(probe);
      }),
      { numRuns: 30 },
    );
  });

  it('has no I flag, so that every other VTEP drops it', () => {
    expect(hasVni(viewOf(ASK_BYTES), 0)).toBe(false);
  });

  it('is none where it was cut short or put together with another, has the I flag, or is of another version or kind', () => {
    const { view, offset } = amid(concat(ASK_BYTES, new Uint8Array(1472 - PROBE_LENGTH)));
    for (const length of [0, PROBE_LENGTH - 1, PROBE_LENGTH, 1471, 1473]) {
      expect(readProbe(view, offset, length)).toBeNull();
    }
    const changed = (at: number, byte: number): Probe | null => {
      const bytes = ANSWER_BYTES.slice();
      bytes[at] = byte;
      return readProbe(viewOf(bytes), 0, bytes.length);
    };
    expect(readProbe(viewOf(ANSWER_BYTES), 0, PROBE_LENGTH)).not.toBeNull();
    for (const [at, byte] of [
      [0, 0x08],
      [8, 0],
      [12, 2],
      [13, 3],
    ] as const) {
      expect(changed(at, byte)).toBeNull();
    }
    expect(isProbe(view, offset, PROBE_LENGTH - 1)).toBe(false);
  });
});
