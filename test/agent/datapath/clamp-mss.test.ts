import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clampMss } from '../../../agent/datapath/clamp-mss.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { concat, viewOf } from '../bytes.ts';
import { type Checksum, ethernet, ipv4, ipv6, tcp } from '../frames.ts';
import { BROADCAST, frame, OverlaySite, snapshot, station, table } from './overlay.ts';

const MTU = 1450;
const SYN = 0x02;
const SYN_ACK = 0x12;
const NOP = 1;
const [A, B] = [station(1), station(2)];

const mss = (value: number): number[] => [2, 4, value >> 8, value & 0xff];
const families = {
  IPv4: {
    limit: MTU - 40,
    syn: (options: readonly number[], flags = SYN, checksum: Checksum = 'complete') =>
      ethernet(B, A, 0x0800, ipv4(tcp({ flags, options: Uint8Array.from(options), checksum }))),
  },
  IPv6: {
    limit: MTU - 60,
    syn: (options: readonly number[], flags = SYN, checksum: Checksum = 'complete') =>
      ethernet(B, A, 0x86dd, ipv6(tcp({ flags, options: Uint8Array.from(options), checksum }))),
  },
};

describe.each(Object.entries(families))('the MSS of a SYN over %s', (_family, { limit, syn }) => {
  it.each([
    ['the first option', (value: number) => mss(value)],
    ['behind others', (value: number) => [4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, ...mss(value)]],
    ['at an odd place', (value: number) => [NOP, ...mss(value), NOP, NOP, NOP]],
  ])('is lowered to the MTU less the headers, the checksum made right: %s', (_where, options) => {
    for (const flags of [SYN, SYN_ACK, SYN | 0xc0]) {
      for (const checksum of ['complete', 'incomplete'] as const) {
        for (const value of [limit + 1, 1460, 8910, 65_535]) {
          const sent = syn(options(value), flags, checksum);
          expect(clampMss(viewOf(sent), 0, sent.length, MTU)).toBe(true);
          expect(sent).toEqual(syn(options(limit), flags, checksum));
        }
      }
    }
  });

  it.each([
    ['it is low enough', syn(mss(limit))],
    ['it is lower, and is never raised', syn(mss(536))],
    ['there is none', syn([NOP, NOP, 4, 2])],
    ['it is behind the end of the options', syn([0, ...mss(9000), 0, 0, 0])],
    ['its length is not right', syn([2, 3, 0xff, NOP])],
    ['an option before it has no length', syn([8, 0, ...mss(9000), NOP, NOP])],
    ['an option before it is longer than all of them', syn([8, 200, ...mss(9000), NOP, NOP])],
    ['the options end within it', syn([NOP, NOP, 2, 4])],
    ['the segment is no SYN', syn(mss(9000), 0x10)],
  ])('stays where %s', (_why, sent) => {
    const before = sent.slice();
    expect(clampMss(viewOf(sent), 0, sent.length, MTU)).toBe(false);
    expect(sent).toEqual(before);
  });

  it('stays, and nothing behind the frame is looked at, where the frame is cut short', () => {
    const whole = syn(mss(9000));
    for (let length = 14; length < whole.length; length++) {
      const cut = concat(whole.subarray(0, length), new Uint8Array(whole.length - length).fill(0xff));
      const before = cut.slice();
      expect(clampMss(viewOf(cut), 0, length, MTU)).toBe(false);
      expect(cut).toEqual(before);
    }
  });
});

it('whatever the options are, no other byte changes than two of them, and the checksum is right', () => {
  const option = fc.oneof(
    fc.uint8Array({ maxLength: 6 }).map((bytes) => [...bytes]),
    fc.nat(0xffff).map(mss),
  );
  fc.assert(
    fc.property(
      fc.array(option, { maxLength: 6 }).map((options) => options.flat().slice(0, 40)),
      fc.constantFrom('IPv4' as const, 'IPv6' as const),
      (options, family) => {
        const { syn } = families[family];
        const before = syn(options);
        const sent = before.slice();
        const lowered = clampMss(viewOf(sent), 0, sent.length, MTU);
        const start = sent.length - (options.length + (-options.length & 3));
        const changed = sent.subarray(start).reduce((count, byte, i) => count + Number(byte !== before[start + i]), 0);
        expect(changed).toBeLessThanOrEqual(lowered ? 2 : 0);
        expect(sent).toEqual(syn([...sent.subarray(start)]));
      },
    ),
  );
});

it('a fragment has no SYN to be lowered', () => {
  const segment = tcp({ flags: SYN, options: Uint8Array.from(mss(9000)) });
  const sent = ethernet(B, A, 0x0800, ipv4(segment, { fragment: 0x2000 }));
  expect(clampMss(viewOf(sent), 0, sent.length, MTU)).toBe(false);
});

describe('a site', () => {
  const NETWORK = snapshot(table(9, { vteps: { b: '10.0.0.2' } }));
  const create = (clampMss: boolean) => {
    const fabric = new InMemoryFabric();
    const a = new OverlaySite(fabric, 'a', '10.0.0.1', { rules: { clampMss } });
    const b = new OverlaySite(fabric, 'b', '10.0.0.2');
    a.apply(NETWORK);
    b.apply(snapshot(table(9, { vteps: { a: '10.0.0.1' } })));
    b.send(9, frame(BROADCAST, B));
    a.take();
    a.frames(9);
    return { a, b };
  };
  const { limit, syn } = families.IPv4;
  const back = (value: number) =>
    ethernet(A, B, 0x0800, ipv4(tcp({ flags: SYN_ACK, options: Uint8Array.from(mss(value)) })));

  it('that clamps does it to what its host sends, checksums left to a device or not, and to what comes for it', () => {
    const { a, b } = create(true);
    a.send(9, syn(mss(8960)));
    const header = { flags: 1, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 34, csumOffset: 16 };
    a.send(9, syn(mss(8960), SYN, 'incomplete'), { header });
    b.take();
    expect(b.frames(9)).toEqual([syn(mss(limit)), syn(mss(limit))]);
    b.send(9, back(8960));
    a.take();
    expect(a.frames(9)).toEqual([back(limit)]);
    expect(a.count(9, 'mssClamped')).toBe(3);
  });

  it('that was not told to changes nothing', () => {
    const { a, b } = create(false);
    a.send(9, syn(mss(8960)));
    b.take();
    expect(b.frames(9)).toEqual([syn(mss(8960))]);
  });
});
