import { describe, expect, it } from 'vitest';
import {
  ICMP_ECHO_LENGTH,
  ICMP_ECHO_REPLY,
  ICMPV6_ECHO_REPLY,
  isIcmpValid,
  readEchoIdentifier,
  readEchoSequence,
  readIcmpType,
  writeEcho,
  writeIcmpChecksum,
} from '../../../agent/wire/icmp.ts';
import { IPV4_MIN_LENGTH, PROTOCOL_ICMPV6 } from '../../../agent/wire/ipv4.ts';
import { IPV6_HEADER_LENGTH, sumIpv6PseudoHeader } from '../../../agent/wire/ipv6.ts';
import { amid, hex, viewOf, written } from '../bytes.ts';

/** Answers of Linux to pings with 5 bytes of data (an odd number, for the checksum's sake), from the IP header on. */
const REPLY_V4 = hex('4500 0021 0929 0000 4001 5d17 0a4d0002 0a4d0001  0000 f97e 0681 0000  00 00 00 00 00');
const REPLY_V6 = hex(
  '60064aaa 000d 3a40 fd770000000000000000000000000002 fd770000000000000000000000000001  8100 7d43 0682 0000  00 00 00 00 00',
);
const DATA = 5;

describe('an ICMP echo', () => {
  it('that Linux answered over IPv4 reads as its sender wrote it', () => {
    const { view, offset } = amid(REPLY_V4.subarray(IPV4_MIN_LENGTH));
    expect(readIcmpType(view, offset)).toBe(ICMP_ECHO_REPLY);
    expect(readEchoIdentifier(view, offset)).toBe(0x0681);
    expect(readEchoSequence(view, offset)).toBe(0);
    expect(isIcmpValid(view, offset, ICMP_ECHO_LENGTH + DATA, 0)).toBe(true);
  });

  it('that Linux answered over IPv6 has its checksum over the pseudo-header too', () => {
    const { view, offset } = amid(REPLY_V6);
    const length = ICMP_ECHO_LENGTH + DATA;
    const pseudoHeader = sumIpv6PseudoHeader(view, offset, PROTOCOL_ICMPV6, length);
    expect(readIcmpType(view, offset + IPV6_HEADER_LENGTH)).toBe(ICMPV6_ECHO_REPLY);
    expect(isIcmpValid(view, offset + IPV6_HEADER_LENGTH, length, pseudoHeader)).toBe(true);
    expect(isIcmpValid(view, offset + IPV6_HEADER_LENGTH, length, 0)).toBe(false);
  });

  it('is written as Linux writes it, every byte of it', () => {
    const length = ICMP_ECHO_LENGTH + DATA;
    const bytes = written(length, (view, offset) => {
      writeEcho(view, offset, ICMP_ECHO_REPLY, 0x0681, 0);
      for (let i = 0; i < DATA; i++) view.setUint8(offset + ICMP_ECHO_LENGTH + i, 0);
      writeIcmpChecksum(view, offset, length, 0);
    });
    expect(bytes).toEqual(REPLY_V4.subarray(IPV4_MIN_LENGTH));
  });

  it('is not valid with any one bit of it turned over', () => {
    const message = REPLY_V4.slice(IPV4_MIN_LENGTH);
    for (let bit = 0; bit < message.length * 8; bit++) {
      message[bit >> 3]! ^= 1 << (bit & 7);
      expect(isIcmpValid(viewOf(message), 0, message.length, 0)).toBe(false);
      message[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
