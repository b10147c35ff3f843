import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ethernet from '../../../agent/wire/ethernet.ts';
import { amid, hex, viewOf, written } from '../bytes.ts';
import { ARP_REQUEST } from '../captures.ts';

const anyMac = fc.maxSafeNat().map((n) => n % 2 ** 48);

describe('an Ethernet header', () => {
  it('of a captured ARP request reads as its sender wrote it', () => {
    const { view, offset } = amid(ARP_REQUEST);
    expect(ethernet.readDestinationHigh(view, offset)).toBe(0xffff);
    expect(ethernet.readDestinationLow(view, offset)).toBe(0xffff_ffff);
    expect(ethernet.readSourceHigh(view, offset)).toBe(0x0200);
    expect(ethernet.readSourceLow(view, offset)).toBe(1);
    expect(ethernet.readEtherType(view, offset)).toBe(ethernet.ETHERTYPE_ARP);
  });

  it('is written byte for byte', () => {
    const bytes = written(14, (view, offset) =>
      ethernet.writeEthernet(view, offset, 0xffff_ffff_ffff, 0x0200_0000_0001, ethernet.ETHERTYPE_ARP),
    );
    expect(bytes).toEqual(ARP_REQUEST.slice(0, 14));
  });

  it('comes back as it was written, for any addresses and type', () => {
    fc.assert(
      fc.property(anyMac, anyMac, fc.nat(0xffff), (destination, source, type) => {
        const view = viewOf(written(14, (v, at) => ethernet.writeEthernet(v, at, destination, source, type)));
        expect(ethernet.readMac(view, 0)).toBe(destination);
        expect(ethernet.readMac(view, 6)).toBe(source);
        expect(ethernet.readDestinationHigh(view, 0) * 2 ** 32 + ethernet.readDestinationLow(view, 0)).toBe(
          destination,
        );
        expect(ethernet.readSourceHigh(view, 0) * 2 ** 32 + ethernet.readSourceLow(view, 0)).toBe(source);
        expect(ethernet.readEtherType(view, 0)).toBe(type);
      }),
    );
  });
});

describe('an address', () => {
  it.each([
    [0xffff, 0xffff_ffff, true],
    [0x0100, 0x5e00_0001, true],
    [0x3333, 1, true],
    [0x0200, 1, false],
    [0x00ff, 0, false],
    [0, 0, false],
  ])('%i/%i: its group bit alone says whether it is a group', (high, _low, group) => {
    expect(ethernet.isGroup(high)).toBe(group);
  });

  it('may be a source unless it is a group or all zeros', () => {
    expect(ethernet.isStation(0x0200, 1)).toBe(true);
    expect(ethernet.isStation(0, 1)).toBe(true);
    expect(ethernet.isStation(0x0200, 0)).toBe(true);
    expect(ethernet.isStation(0, 0)).toBe(false);
    expect(ethernet.isStation(0x0100, 1)).toBe(false);
    expect(ethernet.isStation(0xffff, 0xffff_ffff)).toBe(false);
  });
});

describe('a VLAN tag', () => {
  it('is one of 802.1Q or 802.1ad, and nothing else is', () => {
    const types = Array.from({ length: 0x1_0000 }, (_, type) => type).filter(ethernet.isVlanType);
    expect(types).toEqual([0x8100, 0x88a8]);
  });

  it('goes, and leaves the frame as it would be without', () => {
    const { view, bytes, offset } = amid(hex('ffffffffffff 020000000001 8100 2064 0806 00010800'));
    const at = ethernet.stripVlanTag(bytes, offset);
    expect(at).toBe(offset + 4);
    expect(new Uint8Array(view.buffer, at, 18)).toEqual(ARP_REQUEST.slice(0, 18));
    expect(bytes[offset - 1]).toBe(0xa5);
  });
});
