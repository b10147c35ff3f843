import * as v from 'valibot';
import { expect, test } from 'vitest';
import { formatMac, isGroupMac, type Mac, parseMac } from '../../src/contract/mac.ts';
import { InterfaceNameSchema } from '../../src/contract/port.ts';
import { MacSchema, NameSchema, SlugSchema, SubnetSchema, TimeSchema } from '../../src/contract/primitives.ts';

test.for([
  ['slug', SlugSchema, ['a', 'a-b', '0', 'a'.repeat(63)], ['', 'A', '-a', 'a-', 'a b', 'a_b', 'a'.repeat(64), 'é']],
  ['name', NameSchema, ['a', 'A.b-c_d', '9'], ['', 'a b', '.a', 'a.', 'a/b', 'a'.repeat(64), 'a\n']],
  [
    'interface',
    InterfaceNameSchema,
    ['tap0', 'br-lan.7', 'a'.repeat(15)],
    ['', '.', '..', 'a b', 'a/b', 'a:b', 'a%b', 'a'.repeat(16)],
  ],
  [
    'subnet',
    SubnetSchema,
    ['10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32'],
    ['10.0.0.0', '10.0.0.1/24', '10.0.0.0/33', '10.0.0.0/08', '::/129', '/8'],
  ],
  [
    'MAC',
    MacSchema,
    ['02:00:00:00:00:0A'],
    ['01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00', '02-00-00-00-00-0a', '02:00:00:00:00'],
  ],
  [
    'time',
    TimeSchema,
    ['2026-12-31T23:59:59Z', '2026-12-31T23:59:59+02:00'],
    ['2026-12-31', 'tomorrow', '2026-13-01T00:00:00Z'],
  ],
] as const)('a %s is told from what is none', ([, schema, good, bad]) => {
  for (const text of good) expect(v.is(schema, text), text).toBe(true);
  for (const text of bad) expect(v.is(schema, text), text).toBe(false);
});

test('what comes in many spellings is kept in one', () => {
  expect(v.parse(MacSchema, '02:00:00:00:00:0A')).toBe('02:00:00:00:00:0a');
  expect(v.parse(SubnetSchema, '2001:DB8:0::/48')).toBe('2001:db8::/48');
  expect(v.parse(TimeSchema, '2026-12-31T23:59:59+02:00')).toBe('2026-12-31T21:59:59.000Z');
});

test('a MAC is its 48 bits in network order, and the lowest bit of its first byte makes it a group’s', () => {
  expect(parseMac('02:00:00:00:01:0a')).toBe(0x02000000010a);
  expect(formatMac(0xfffffffffffe as Mac)).toBe('ff:ff:ff:ff:ff:fe');
  expect([isGroupMac(parseMac('01:00:5e:00:00:01')!), isGroupMac(parseMac('02:00:00:00:00:01')!)]).toEqual([
    true,
    false,
  ]);
});
