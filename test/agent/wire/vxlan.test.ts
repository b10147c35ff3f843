import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBatch, HEADROOM, MAX_PACKET, SLOT_SIZE } from '../../../agent/wire/packet-batch.ts';
import { VIRTIO_NET_HEADER_LENGTH } from '../../../agent/wire/virtio-net.ts';
import * as vxlan from '../../../agent/wire/vxlan.ts';
import { amid, hex, viewOf, written } from '../bytes.ts';
import { VXLAN_9 } from '../captures.ts';

describe('a VXLAN header', () => {
  it('of the Linux kernel reads as it wrote it', () => {
    const { view, offset } = amid(VXLAN_9);
    expect(vxlan.hasVni(view, offset)).toBe(true);
    expect(vxlan.readVni(view, offset)).toBe(9);
  });

  it('is written byte for byte as the Linux kernel writes it', () => {
    expect(written(8, (view, at) => vxlan.writeVxlan(view, at, 9))).toEqual(VXLAN_9);
  });

  it.each([
    [0, '0800000000000000'],
    [1, '0800000000000100'],
    [0x800000, '0800000080000000'],
    [0xffffff, '08000000ffffff00'],
    [0x123456, '0800000012345600'],
  ])('has VNI %i in the upper 24 bits of its second word', (vni, bytes) => {
    expect(written(8, (view, at) => vxlan.writeVxlan(view, at, vni))).toEqual(hex(bytes));
    expect(vxlan.readVni(viewOf(hex(bytes)), 0)).toBe(vni);
  });

  it('is read with every reserved bit ignored', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 24 - 1), fc.uint8Array({ minLength: 8, maxLength: 8 }), (vni, noise) => {
        const bytes = written(8, (view, at) => vxlan.writeVxlan(view, at, vni));
        const reserved = hex('f7ffffff000000ff');
        const view = viewOf(bytes.map((byte, i) => byte | (noise[i]! & reserved[i]!)));
        expect(vxlan.hasVni(view, 0)).toBe(true);
        expect(vxlan.readVni(view, 0)).toBe(vni);
      }),
    );
  });

  it('without the I flag has no VNI, whatever else is set', () => {
    expect(vxlan.hasVni(viewOf(hex('f7ffffffffffffff')), 0)).toBe(false);
  });

  it('costs an inner packet 50 bytes over IPv4 and 70 over IPv6', () => {
    expect([vxlan.VXLAN_OVERHEAD_IPV4, vxlan.VXLAN_OVERHEAD_IPV6]).toEqual([50, 70]);
  });
});

describe('a batch', () => {
  it('has slots that hold the largest packet and its headroom without touching each other', () => {
    const capacity = 3;
    const bytes = new Uint8Array(128 + capacity * SLOT_SIZE);
    const batch = createBatch({ bytes, view: viewOf(bytes) }, 128, capacity);
    expect(batch.count).toBe(0);
    expect(batch.length).toHaveLength(capacity);
    expect(batch.source).toHaveLength(capacity * 4);
    expect(HEADROOM).toBeGreaterThanOrEqual(VIRTIO_NET_HEADER_LENGTH);
    expect(HEADROOM).toBeGreaterThanOrEqual(vxlan.VXLAN_HEADER_LENGTH);
    let end = 128;
    for (const offset of batch.offset) {
      expect(offset - HEADROOM).toBeGreaterThanOrEqual(end);
      end = offset + MAX_PACKET;
    }
    expect(end).toBeLessThanOrEqual(bytes.length);
  });
});
