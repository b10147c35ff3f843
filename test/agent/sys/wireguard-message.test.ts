/** The bytes are what linux/wireguard.h and linux/genetlink.h say, attribute by attribute. */
import { expect, test } from 'vitest';
import {
  decodeFamilyId,
  decodePeers,
  encodeGetDevice,
  encodeGetFamily,
  encodeSetIdentity,
  encodeSetPeers,
} from '../../../agent/sys/wireguard-message.ts';

const hex = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('hex');
const spaced = (text: string): string => text.replace(/\s+/g, '');
const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

test('a family is asked for by its name, and its id is read from the answer', () => {
  expect(hex(encodeGetFamily('wireguard'))).toBe(spaced('03010000 0e000200 776972656775617264 00 0000'));
  const answer = Buffer.from(spaced('01020000 0e000200 776972656775617264 00 0000 06000100 2300 0000'), 'hex');
  expect(decodeFamilyId(answer)).toBe(0x23);
  expect(decodeFamilyId(Buffer.alloc(4))).toBeNull();
});

test('a device’s key and port are set by its name', () => {
  expect(hex(encodeSetIdentity('wg', key(0x11), 51_820))).toBe(
    spaced(`01010000 07000200 776700 00 24000300 ${'11'.repeat(32)} 06000600 6cca 0000`),
  );
  expect(hex(encodeGetDevice('wg'))).toBe(spaced('00010000 07000200 776700 00'));
});

test('peers are set with one allowed address each, an endpoint of either family or none, and removed by a flag', () => {
  const address = new Uint8Array(16).fill(0xfd);
  const allowed = `2c000980 28000080 06000100 0a00 0000 14000200 ${'fd'.repeat(16)} 05000300 80 000000`;
  expect(
    hex(encodeSetPeers('wg', [{ publicKey: key(1), address, endpoint: null, keepaliveSeconds: 25 }], [key(2)])),
  ).toBe(
    spaced(`01010000 07000200 776700 00 98000880
      30000080 24000100 ${'02'.repeat(32)} 08000300 01000000
      64000080 24000100 ${'01'.repeat(32)} 08000300 02000000 06000500 1900 0000 ${allowed}`),
  );
  const endpoint = { address: Uint8Array.of(192, 0, 2, 1), port: 51_820 };
  const withEndpoint = hex(encodeSetPeers('wg', [{ publicKey: key(1), address, endpoint, keepaliveSeconds: 25 }], []));
  expect(withEndpoint).toContain(spaced('14000400 0200 ca6c c0000201 0000000000000000'));
  const v6 = { address: new Uint8Array(16).fill(0x20), port: 51_820 };
  expect(hex(encodeSetPeers('wg', [{ publicKey: key(1), address, endpoint: v6, keepaliveSeconds: 25 }], []))).toContain(
    spaced(`20000400 0a00 ca6c 00000000 ${'20'.repeat(16)} 00000000`),
  );
});

test('of a device’s answer the peers’ keys and handshakes are read', () => {
  const peer = (byte: string, seconds: string) =>
    `38000080 24000100 ${byte.repeat(32)} 14000600 ${seconds} 0500000000000000`.replace('38', '3c');
  const answer = spaced(
    `00010000 07000200 776700 00 7c000880 ${peer('01', '00f1536500000000')} ${peer('02', '0000000000000000')}`,
  );
  const peers = decodePeers(Buffer.from(answer, 'hex')).map((one) => [one.publicKey[0], one.handshakeAt]);
  expect(peers).toEqual([
    [1, 0x6553f100],
    [2, 0],
  ]);
  expect(decodePeers(Buffer.alloc(4))).toEqual([]);
});
