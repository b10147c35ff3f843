import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AF_INET,
  AF_INET6,
  readSockaddrWords,
  SOCKADDR_SIZE,
  writeSockaddr,
} from '../../../agent/sys/sockaddr.linux.ts';
import { parseIp } from '../../../src/contract/ip.ts';
import { hex, viewOf, written } from '../bytes.ts';

function sockaddr(family: number, address: string, port: number): { bytes: Uint8Array; length: number } {
  let length = -1;
  const bytes = written(SOCKADDR_SIZE, (view, at) => {
    length = writeSockaddr(view, at, family, parseIp(address)!, port);
  });
  return { bytes: bytes.slice(0, length), length };
}

describe('a socket address', () => {
  it('of IPv4 is laid out as struct sockaddr_in', () => {
    expect(sockaddr(AF_INET, '10.0.0.2', 4789).bytes).toEqual(hex('0200 12b5 0a000002 0000000000000000'));
  });

  it('of IPv6 is laid out as struct sockaddr_in6', () => {
    expect(sockaddr(AF_INET6, 'fd09::2', 4789).bytes).toEqual(
      hex('0a00 12b5 00000000 fd090000000000000000000000000002 00000000'),
    );
  });

  it('of IPv4 on an IPv6 socket is IPv4-mapped', () => {
    expect(sockaddr(AF_INET6, '10.0.0.2', 4789).bytes).toEqual(
      hex('0a00 12b5 00000000 00000000000000000000ffff0a000002 00000000'),
    );
  });

  it('of IPv6 on an IPv4 socket is none', () => {
    expect(sockaddr(AF_INET, 'fd09::2', 4789).length).toBe(0);
  });

  it('reads as the same four words from either kind of socket', () => {
    const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(address, fc.nat(0xffff), (bytes, port) => {
        const words = [AF_INET, AF_INET6].map((family) => {
          const view = viewOf(written(SOCKADDR_SIZE, (v, at) => void writeSockaddr(v, at, family, bytes, port)));
          const into = new Uint32Array(6).fill(0xa5a5_a5a5);
          readSockaddrWords(view, 0, into, 1);
          return [...into];
        });
        expect(words[0]).toEqual([0xa5a5_a5a5, 0, 0, 0xffff, viewOf(bytes).getUint32(0), 0xa5a5_a5a5]);
        expect(words[1]).toEqual(words[0]);
      }),
    );
  });

  it('of IPv6 reads as the words it was written from', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const view = viewOf(written(SOCKADDR_SIZE, (v, at) => void writeSockaddr(v, at, AF_INET6, bytes, 1)));
        const words = new Uint32Array(4);
        readSockaddrWords(view, 0, words, 0);
        expect([...words]).toEqual([0, 4, 8, 12].map((at) => viewOf(bytes).getUint32(at)));
      }),
    );
  });
});
