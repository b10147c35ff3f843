import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addToDigest,
  DIGEST_MODULUS,
  digestOf,
  EMPTY_DIGEST,
  formatDigest,
  hashMac,
  hashVtep,
  subtractFromDigest,
} from '../../src/contract/digest.ts';

const vtep = fc.record({ site: fc.string(), address: fc.ipV4(), port: fc.integer({ min: 1, max: 65_535 }) });

test('a digest does not depend on the order of its entries', () => {
  fc.assert(
    fc.property(fc.array(vtep), (vteps) => {
      expect(digestOf({ vteps: [...vteps].reverse(), macs: [] })).toBe(digestOf({ vteps, macs: [] }));
    }),
  );
});

test('taking an entry back undoes adding it, whatever else is in', () => {
  fc.assert(
    fc.property(fc.array(vtep), vtep, (vteps, one) => {
      const before = digestOf({ vteps, macs: [] });
      const after = subtractFromDigest(addToDigest(before, hashVtep(one)), hashVtep(one));
      expect(after).toBe(before);
      expect(after).toBeGreaterThanOrEqual(0);
      expect(after).toBeLessThan(DIGEST_MODULUS);
    }),
  );
});

test('entries that differ in any one field have different hashes', () => {
  const one = { site: 's', address: '10.0.0.1', port: 4789 };
  const mac = { mac: '02:00:00:00:00:01', ip: '10.0.0.1', site: 's', sticky: false };
  const hashes = [
    hashVtep(one),
    hashVtep({ ...one, site: 't' }),
    hashVtep({ ...one, address: '10.0.0.2' }),
    hashVtep({ ...one, port: 4790 }),
    hashMac(mac),
    hashMac({ ...mac, mac: '02:00:00:00:00:02' }),
    hashMac({ ...mac, ip: undefined }),
    hashMac({ ...mac, site: 't' }),
    hashMac({ ...mac, sticky: true }),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('a thousand sites’ hashes do not collide and use all 48 bits', () => {
  const hashes = Array.from({ length: 1000 }, (_, i) => hashVtep({ site: `s${i}`, address: '10.0.0.1', port: 4789 }));
  expect(new Set(hashes).size).toBe(1000);
  for (let bit = 0; bit < 48; bit++) {
    const ones = hashes.filter((hash) => Math.floor(hash / 2 ** bit) % 2 === 1).length;
    expect(ones, `bit ${bit}`).toBeGreaterThan(400);
    expect(ones, `bit ${bit}`).toBeLessThan(600);
  }
});

test('on the wire a digest is 12 hex digits', () => {
  expect(formatDigest(EMPTY_DIGEST)).toBe('000000000000');
  expect(formatDigest(subtractFromDigest(EMPTY_DIGEST, addToDigest(EMPTY_DIGEST, 1 as typeof EMPTY_DIGEST)))).toBe(
    'ffffffffffff',
  );
});
