import { describe, expect, it } from 'vitest';
import { readTcpFlags, TCP_CHECKSUM, TCP_FLAG_CWR, tcpHeaderLength } from '../../../agent/wire/tcp.ts';
import { readPorts, UDP_CHECKSUM, UDP_HEADER_LENGTH } from '../../../agent/wire/udp.ts';
import { amid } from '../bytes.ts';
import { TCP_SYN_IPV4, UDP_IPV4 } from '../captures.ts';

describe('a TCP header', () => {
  const segment = TCP_SYN_IPV4.subarray(34);

  it('of a captured SYN reads as its sender wrote it', () => {
    const { view, offset } = amid(segment);
    expect(tcpHeaderLength(view, offset, segment.length)).toBe(40);
    expect(readTcpFlags(view, offset)).toBe(0x02);
    expect(readTcpFlags(view, offset) & TCP_FLAG_CWR).toBe(0);
    expect(readPorts(view, offset)).toBe(40_002 * 2 ** 16 + 8080);
    expect(view.getUint16(offset + TCP_CHECKSUM)).toBe(0x9382);
  });

  it('is none where it is too short, or says that it is longer than what is there or shorter than can be', () => {
    const { view, offset } = amid(segment);
    expect(tcpHeaderLength(view, offset, 39)).toBe(0);
    expect(tcpHeaderLength(view, offset, 19)).toBe(0);
    view.setUint8(offset + 12, 0x4f);
    expect(tcpHeaderLength(view, offset, 40)).toBe(0);
    view.setUint8(offset + 12, 0x5f);
    expect(tcpHeaderLength(view, offset, 20)).toBe(20);
  });
});

describe('a UDP header', () => {
  it('of a captured datagram reads as its sender wrote it', () => {
    const { view, offset } = amid(UDP_IPV4.subarray(34));
    expect(readPorts(view, offset)).toBe(5000 * 2 ** 16 + 7);
    expect(view.getUint16(offset + UDP_CHECKSUM)).toBe(0x9371);
    expect(view.getUint32(offset + UDP_HEADER_LENGTH)).toBe(0x70696e67);
  });
});
