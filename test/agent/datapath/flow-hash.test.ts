import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashFlow } from '../../../agent/datapath/flow-hash.ts';
import { SOURCE_PORT_LANES } from '../../../agent/underlay/underlay.ts';
import { amid } from '../bytes.ts';
import { ARP_REQUEST } from '../captures.ts';
import { counting, ethernet, type Ipv4Options, ipv4, ipv6, opaque, type Segment, tcp, udp } from '../frames.ts';

const A = 0x0200_0000_0001;
const B = 0x0200_0000_0002;

function hashOf(frame: Uint8Array): number {
  const { view, offset } = amid(frame);
  return hashFlow(view, offset, frame.length);
}

const over4 = (segment: Segment, options: Ipv4Options = {}): number =>
  hashOf(ethernet(B, A, 0x0800, ipv4(segment, options)));
const over6 = (segment: Segment): number => hashOf(ethernet(B, A, 0x86dd, ipv6(segment)));

describe('the hash of a flow', () => {
  it('is the same for every packet of a flow, whatever it carries', () => {
    for (const over of [over4, over6]) {
      expect(over(tcp({ payload: counting(500), flags: 0x18 }))).toBe(over(tcp({ checksum: 'incomplete' })));
      expect(over(udp({ payload: counting(500) }))).toBe(over(udp({ checksum: 0 })));
    }
    expect(over4(tcp(), { options: counting(8) })).toBe(over4(tcp()));
  });

  it('differs with each field of the 5-tuple', () => {
    const hashes = [
      over4(tcp()),
      over4(tcp({ from: 40_001 })),
      over4(tcp({ to: 81 })),
      over4(udp({ from: 40_000, to: 80 })),
      over4(tcp(), { from: [10, 0, 0, 3] }),
      over4(tcp(), { to: [10, 0, 0, 3] }),
      over6(tcp()),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('keeps all fragments of a datagram together, the first included', () => {
    const first = over4(udp({ payload: counting(100) }), { fragment: 0x2000 });
    const middle = over4(opaque(17, counting(108)), { fragment: 0x2000 | 13 });
    const last = over4(opaque(17, counting(30)), { fragment: 26 });
    expect(middle).toBe(first);
    expect(last).toBe(first);
  });

  it('goes by the addresses of the two stations where there is no IP', () => {
    const arp = hashOf(ARP_REQUEST);
    expect(hashOf(ARP_REQUEST.slice(0, 14))).toBe(arp);
    const other = ARP_REQUEST.slice();
    other[11] = 9;
    expect(hashOf(other)).not.toBe(arp);
  });

  it.each([
    ['TCP', tcp],
    ['UDP', udp],
  ])('spreads %s flows evenly that differ only in a port', (_name, segment) => {
    const lanes = new Array<number>(SOURCE_PORT_LANES).fill(0);
    const flows = 4096;
    for (let port = 0; port < flows; port++) lanes[over4(segment({ from: 32_768 + port })) % SOURCE_PORT_LANES]! += 1;
    const expected = flows / SOURCE_PORT_LANES;
    // χ² of 15 degrees of freedom: above 37.7 once in a thousand; the input is fixed, so this never flickers.
    const chiSquared = lanes.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(37.7);
  });

  it('spreads hosts evenly that differ only in the last byte of their address', () => {
    for (const hash of [
      (i: number) => over4(opaque(1, counting(8)), { from: [10, 0, 0, i] }),
      (i: number) => hashOf(ethernet(B, A + i, 0x0806, counting(28))),
    ]) {
      const lanes = new Set(Array.from({ length: 100 }, (_, i) => hash(i) % SOURCE_PORT_LANES));
      expect(lanes.size).toBe(SOURCE_PORT_LANES);
    }
  });

  it('goes by the addresses alone where the ports are not all there', () => {
    for (const [type, packet] of [
      [0x0800, ipv4(udp())],
      [0x86dd, ipv6(tcp())],
    ] as const) {
      const whole = ethernet(B, A, type, packet);
      const headers = 14 + (type === 0x0800 ? 20 : 40);
      // At the very end of memory: a read beyond the frame would throw.
      const hashes = [0, 1, 2, 3].map((more) => {
        const cut = whole.slice(0, headers + more);
        return hashFlow(new DataView(cut.buffer), 0, cut.length);
      });
      expect(new Set(hashes).size).toBe(1);
      expect(hashOf(whole.slice(0, headers + 4))).toBe(hashOf(whole));
    }
  });

  it('is 32 bits, and depends on nothing outside the frame, for any bytes of any length', () => {
    const start = fc.constantFrom([], [8, 0, 0x45], [8, 0, 0x4f], [0x86, 0xdd, 0x60]);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 80 }), (head, rest) => {
        const frame = Uint8Array.of(...new Uint8Array(12), ...(head.length > 0 ? head : [0, 0]), ...rest);
        const hash = hashOf(frame);
        expect(hash).toBe(hash >>> 0);
        // The very end of memory: a read beyond the frame would throw.
        const alone = frame.slice();
        expect(hashFlow(new DataView(alone.buffer), 0, alone.length)).toBe(hash);
      }),
    );
  });
});
