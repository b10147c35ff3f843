import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalIp, formatIp, isMulticastIp, isUnicastIp, parseIp } from '../../src/contract/ip.ts';

test.for([
  ['10.0.0.1', '10.0.0.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::', '::'],
  ['1::', '1::'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
] as const)('%s is spelled %s (RFC 5952)', ([text, canonical]) => {
  expect(canonicalIp(text)).toBe(canonical);
});

test.for([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '01.2.3.4',
  '1.2.3.-4',
  ':::',
  '1:2:3',
  '1::2::3',
  '1:2:3:4:5:6:7:8:9',
  'fe80::1%eth0',
  '::ffff:1.2.3.4',
  '12345::',
  '1.2.3.4::',
  'g::',
  '1:2:3:4:5:6:7::8:9',
])('%j is no address', (text) => {
  expect(canonicalIp(text)).toBeNull();
});

test('whatever the bytes, their text reads back as the same bytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, (address) => {
      expect(parseIp(formatIp(address))).toEqual(new Uint8Array(address));
    }),
  );
});

test('one host’s addresses are told from groups and from nobody’s', () => {
  for (const text of ['10.0.0.1', '127.0.0.1', 'fe80::1', '::1']) expect(isUnicastIp(parseIp(text)!)).toBe(true);
  for (const text of ['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1'])
    expect(isUnicastIp(parseIp(text)!)).toBe(false);
  for (const text of ['224.0.0.1', '239.255.255.255', 'ff05::1']) expect(isMulticastIp(parseIp(text)!)).toBe(true);
  for (const text of ['223.255.255.255', '240.0.0.1', 'fe80::1']) expect(isMulticastIp(parseIp(text)!)).toBe(false);
});
