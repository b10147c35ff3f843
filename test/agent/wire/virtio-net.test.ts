import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as virtio from '../../../agent/wire/virtio-net.ts';
import { amid, hex, viewOf, written } from '../bytes.ts';

const dirtyRecord = (): virtio.VirtioNetHeader => ({
  flags: 165,
  gsoType: 165,
  headerLength: 165,
  gsoSize: 165,
  csumStart: 165,
  csumOffset: 165,
});

describe('a virtio-net header', () => {
  // What a TAP gives for a TCP segment of 1448-byte pieces over IPv4 with timestamps.
  const TSO = hex('01 01 4200 a805 2200 1000 0000');

  it('of a large TCP segment reads as the kernel wrote it', () => {
    const header = dirtyRecord();
    const { view, offset } = amid(TSO);
    virtio.decodeVirtioNet(view, offset, header);
    expect(header).toEqual({
      flags: virtio.VIRTIO_NET_NEEDS_CSUM,
      gsoType: virtio.VIRTIO_NET_GSO_TCPV4,
      headerLength: 66,
      gsoSize: 1448,
      csumStart: 34,
      csumOffset: 16,
    });
    expect(virtio.readVirtioFlags(view, offset)).toBe(1);
    expect(virtio.readVirtioCsumStart(view, offset)).toBe(34);
    expect(virtio.readVirtioCsumOffset(view, offset)).toBe(16);
  });

  it('is written byte for byte', () => {
    expect(written(12, (view, at) => virtio.writeVirtioNet(view, at, 1, 1, 66, 1448, 34, 16))).toEqual(TSO);
  });

  it('of a plain frame is all zeros', () => {
    expect(written(12, virtio.writePlainVirtioNet)).toEqual(new Uint8Array(12));
  });

  it('comes back as it was written, into a dirty record', () => {
    const byte = fc.nat(0xff);
    const short = fc.nat(0xffff);
    fc.assert(
      fc.property(byte, byte, short, short, short, short, (flags, gsoType, headerLength, gsoSize, start, offset) => {
        const header = dirtyRecord();
        const bytes = written(12, (view, at) =>
          virtio.writeVirtioNet(view, at, flags, gsoType, headerLength, gsoSize, start, offset),
        );
        virtio.decodeVirtioNet(viewOf(bytes), 0, header);
        expect(header).toEqual({ flags, gsoType, headerLength, gsoSize, csumStart: start, csumOffset: offset });
      }),
    );
  });
});
