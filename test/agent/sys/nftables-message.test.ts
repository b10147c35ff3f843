import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isField, isTransport } from '../../../agent/sys/nftables-expression.ts';
import {
  askElements,
  changeElements,
  decodeElements,
  decodeTableName,
  encodeKey,
  nftTransaction,
} from '../../../agent/sys/nftables-message.ts';
import { encodeMessage } from '../../../agent/sys/rtnetlink.ts';
import { concat, hex } from '../bytes.ts';

const TABLE = { family: 'ip', name: 'ox' } as const;

/**
 * What nft 1.0.6 sent for `add element ip ox vteps { 10.77.0.3 . 9 }`, less the header, in two halves: between them stood the number of a set
 * of the same transaction, which is not needed for one that is there.
 */
const ADD_TO = hex('02000000 0700 0100 6f7800 00 0a00 0200 7674657073 000000');
const ADD_ELEMENT = hex('1800 0380 1400 0180 1000 0180 0c00 0100 0a4d0003 00000900');
/** How Linux 6.18 listed the element (10.77.0.2, VNI 9) of a set that counts: 3 packets, 402 bytes. */
const LISTED = hex(`
  02000004 0700 0100 6f7800 00 0a00 0200 7674657073 000000
  4400 0300 4000 0100
    1000 0100 0c00 0100 0a4d0002 00000900
    2c00 0700 0c00 0100 636f756e74657200 1c00 0200 0c00 0100 0000000000000192 0c00 0200 0000000000000003`);
/** `meta l4proto udp`, and `udp dport 4789`, as nft says them. */
const IS_UDP = hex(`
  2400 0180 0900 0100 6d657461 00 000000 1400 0280 0800 0200 00000010 0800 0100 00000008
  2c00 0180 0800 0100 636d7000 2000 0280 0800 0100 00000008 0800 0200 00000000 0c00 0380 0500 0100 11 000000`);
const IS_PORT = hex(`
  3400 0180 0c00 0100 7061796c 6f616400 2400 0280
    0800 0100 00000008 0800 0200 00000002 0800 0300 00000002 0800 0400 00000002
  2c00 0180 0800 0100 636d7000 2000 0280 0800 0100 00000008 0800 0200 00000000 0c00 0380 0600 0100 12b5 0000`);

describe('what is said to nftables', () => {
  it('of an element is byte for byte what nft says', () => {
    const [message] = changeElements('add', TABLE, 'vteps', [{ key: hex('0a4d0003 00000900') }]);
    expect(concat(...message!.parts)).toEqual(concat(ADD_TO, ADD_ELEMENT));
  });

  it('of many elements is split, so that no attribute outgrows its length', () => {
    const keys = Array.from({ length: 2500 }, (_, i) => Uint8Array.of(i >> 8, i & 0xff, 0, 0));
    const elements = keys.map((key) => ({ key }));
    const messages = changeElements('add', TABLE, 'guarded', elements);
    expect(messages).toHaveLength(3);
    expect(messages.flatMap(({ parts }) => decodeElements(concat(...parts)).map(({ key }) => key))).toEqual(keys);
    expect(changeElements('add', TABLE, 'guarded', [])).toEqual([]);
  });

  it('of a transport protocol and a port is what nft says, but for the register', () => {
    expect(concat(...isTransport(17))).toEqual(IS_UDP);
    expect(concat(...isField({ base: 'transport', offset: 2, length: 2 }, Uint8Array.of(0x12, 0xb5)))).toEqual(IS_PORT);
  });

  it('as a transaction begins and ends as one', () => {
    const messages = nftTransaction(changeElements('delete', TABLE, 'guarded', [{ key: hex('000009') }]));
    expect(messages.map(({ type }) => type)).toEqual([0x10, 0x0a0e, 0x11]);
    expect(encodeMessage(messages[0]!.type, 1, 0, messages[0]!.parts).subarray(16)).toEqual(hex('0000000a'));
  });

  it('of a key of several parts has each padded to 4 bytes', () => {
    expect(encodeKey(hex('0a4d0002'), hex('12b5'), hex('000009'))).toEqual(hex('0a4d0002 12b50000 00000900'));
  });
});

describe('what nftables says', () => {
  it('of an element is its key and what it counted', () => {
    expect(decodeElements(LISTED)).toEqual([{ key: hex('0a4d000200000900'), packets: 3, bytes: 402 }]);
    expect(decodeTableName(LISTED)).toBe('ox');
  });

  it('of any bytes is read without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(LISTED.length), (noise, at) => {
        decodeElements(noise);
        const broken = LISTED.slice();
        broken.set(noise.subarray(0, broken.length - at), at);
        for (const { key } of decodeElements(broken)) expect(key.length).toBeLessThanOrEqual(broken.length);
      }),
    );
  });

  it('is asked for by table and set', () => {
    expect(concat(...askElements(TABLE, 'vteps'))).toEqual(ADD_TO);
  });
});
