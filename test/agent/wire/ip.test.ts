import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finishChecksum, foldSum, sumBytes } from '../../../agent/wire/checksum.ts';
import * as ipv4 from '../../../agent/wire/ipv4.ts';
import * as ipv6 from '../../../agent/wire/ipv6.ts';
import { amid, hex, viewOf, written } from '../bytes.ts';
import { TCP_SYN_COMPLETE, TCP_SYN_IPV6, UDP_IPV4, UDP_IPV6 } from '../captures.ts';

describe('an IPv4 header', () => {
  const packet = UDP_IPV4.subarray(14);

  it('of a captured packet reads as its sender wrote it', () => {
    const { view, offset } = amid(packet);
    expect(ipv4.ipv4HeaderLength(view, offset, packet.length)).toBe(20);
    expect(ipv4.readIpv4TotalLength(view, offset)).toBe(32);
    expect(ipv4.readIpv4Protocol(view, offset)).toBe(ipv4.PROTOCOL_UDP);
    expect(ipv4.readIpv4Source(view, offset)).toBe(0xc0a8_0901);
    expect(ipv4.readIpv4Destination(view, offset)).toBe(0xc0a8_0902);
    expect(ipv4.isIpv4Fragment(view, offset)).toBe(false);
  });

  it('is written byte for byte, with its checksum', () => {
    const bytes = written(20, (view, at) => ipv4.writeIpv4(view, at, ipv4.PROTOCOL_UDP, 0xc0a8_0001, 0xc0a8_00c7, 95));
    expect(bytes).toEqual(hex('45 00 0073 0000 4000 40 11 b861 c0a80001 c0a800c7'));
  });

  it('comes back as it was written, and verifies', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(2 ** 32 - 1),
        fc.nat(2 ** 32 - 1),
        fc.nat(65_515),
        (protocol, from, to, length) => {
          const view = viewOf(written(20, (v, at) => ipv4.writeIpv4(v, at, protocol, from, to, length)));
          expect(ipv4.ipv4HeaderLength(view, 0, 20)).toBe(20);
          expect(ipv4.readIpv4TotalLength(view, 0)).toBe(20 + length);
          expect(ipv4.readIpv4Protocol(view, 0)).toBe(protocol);
          expect(ipv4.readIpv4Source(view, 0)).toBe(from);
          expect(ipv4.readIpv4Destination(view, 0)).toBe(to);
          expect(finishChecksum(sumBytes(view, 0, 20, 0))).toBe(0);
        },
      ),
    );
  });

  it.each([
    ['too short', '45', 19, 0],
    ['another version', '65', 60, 0],
    ['a header length below 20', '44', 60, 0],
    ['options', '4f', 60, 60],
    ['options that are not all there', '4f', 59, 0],
  ])('with %s has the right length, or none', (_what, first, length, expected) => {
    const { view, offset } = amid(hex(first.padEnd(120, '0')));
    expect(ipv4.ipv4HeaderLength(view, offset, length)).toBe(expected);
  });

  it.each([
    ['0000', false],
    ['4000', false],
    ['8000', false],
    ['2000', true],
    ['6000', true],
    ['0001', true],
    ['1fff', true],
  ])('with %s in the fragment field: is it a fragment? %s', (field, expected) => {
    const { view, offset } = amid(hex(`45000020 0000 ${field} 40110000 00000000 00000000`));
    expect(ipv4.isIpv4Fragment(view, offset)).toBe(expected);
  });

  it("'s pseudo-header is that of which a captured checksum is made", () => {
    const { view, offset } = amid(TCP_SYN_COMPLETE.subarray(14));
    const pseudo = ipv4.sumIpv4PseudoHeader(view, offset, ipv4.PROTOCOL_TCP, 28);
    expect(finishChecksum(sumBytes(view, offset + 20, 28, pseudo))).toBe(0);
  });

  it("'s pseudo-header folds to what the kernel left in an incomplete checksum", () => {
    const { view, offset } = amid(packet);
    expect(foldSum(ipv4.sumIpv4PseudoHeader(view, offset, ipv4.PROTOCOL_UDP, 12))).toBe(0x9371);
  });
});

describe('an IPv6 header', () => {
  const packet = UDP_IPV6.subarray(14);

  it('of a captured packet reads as its sender wrote it', () => {
    const { view, offset } = amid(packet);
    expect(ipv6.isIpv6(view, offset, packet.length)).toBe(true);
    expect(ipv6.readIpv6PayloadLength(view, offset)).toBe(12);
    expect(ipv6.readIpv6NextHeader(view, offset)).toBe(ipv4.PROTOCOL_UDP);
  });

  it('is none where it is too short or of another version', () => {
    const { view, offset } = amid(packet);
    expect(ipv6.isIpv6(view, offset, 40)).toBe(true);
    expect(ipv6.isIpv6(view, offset, 39)).toBe(false);
    view.setUint8(offset, 0x45);
    expect(ipv6.isIpv6(view, offset, packet.length)).toBe(false);
  });

  it('is written byte for byte, but for its addresses', () => {
    const bytes = written(8, (view, at) => ipv6.writeIpv6Start(view, at, ipv4.PROTOCOL_UDP, 12));
    // The kernel's has a flow label, ours has none.
    expect(bytes).toEqual(Uint8Array.of(0x60, 0, 0, 0, ...packet.subarray(4, 8)));
  });

  it("'s pseudo-header folds to what the kernel left in an incomplete checksum", () => {
    const udp = amid(packet);
    expect(foldSum(ipv6.sumIpv6PseudoHeader(udp.view, udp.offset, ipv4.PROTOCOL_UDP, 12))).toBe(0xfa33);
    const tcp = amid(TCP_SYN_IPV6.subarray(14));
    expect(foldSum(ipv6.sumIpv6PseudoHeader(tcp.view, tcp.offset, ipv4.PROTOCOL_TCP, 40))).toBe(0xfa44);
  });
});
