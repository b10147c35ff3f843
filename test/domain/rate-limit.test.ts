import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameOfCredential } from '../../src/domain/failures.ts';
import { TokenBuckets } from '../../src/domain/rate-limit.ts';

test('however requests come, no more get through than the bucket held and time gave, and whoever waits as told gets through', () => {
  const gap = fc.nat(3000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(gap, { maxLength: 200 }), (limit, gaps) => {
      const buckets = new TokenBuckets({ limit, periodSeconds: 10 });
      let now = 1_000_000;
      const start = now;
      let through = 0;
      for (const milliseconds of gaps) {
        now += milliseconds;
        const wait = buckets.take('a', now);
        if (wait === 0) through += 1;
        expect(through).toBeLessThanOrEqual(limit + ((now - start) / 10_000) * limit + 1e-6);
        if (wait > 0) expect(buckets.waitOf('a', now + wait * 1000)).toBe(0);
        expect(buckets.waitOf('b', now)).toBe(0);
      }
    }),
  );
});

test('a limit of 0 is none, and a clock that was set back gives nothing', () => {
  const free = new TokenBuckets({ limit: 0, periodSeconds: 10 });
  for (let i = 0; i < 1000; i++) expect(free.take('a', 0)).toBe(0);
  const buckets = new TokenBuckets({ limit: 1, periodSeconds: 10 });
  expect(buckets.take('a', 50_000)).toBe(0);
  expect(buckets.take('a', 0)).toBe(10);
});

test('of a credential its name is told, and of what has no known form nothing', () => {
  const id = '01k0000000000000000000000a';
  expect(nameOfCredential(`olk_${id}_${'s'.repeat(43)}`)).toBe(`olk_${id}`);
  expect(nameOfCredential(`ols_${id}_${'s'.repeat(43)}`)).toBe(`ols_${id}`);
  expect(nameOfCredential('eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJhIn0.c2ln')).toBe('eyJhbGciOiJFZERTQSJ9');
  for (const text of ['the.operator.key', 'olj_x_y', '', '.a.b']) expect(nameOfCredential(text)).toBeNull();
});
