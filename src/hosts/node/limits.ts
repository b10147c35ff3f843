import type { Config } from '../../config.ts';
import { FirstFailures, nameOf } from '../../domain/failures.ts';
import { TokenBuckets } from '../../domain/rate-limit.ts';
import type { RateLimits } from '../../gateway.ts';

/** One process sees everything, so its counts are exact. */
export function limitsInProcess({ key, site, failure }: Config['rates']): RateLimits {
  const requests = { key: new TokenBuckets(key), site: new TokenBuckets(site) };
  const failures = new TokenBuckets(failure);
  const firsts = new FirstFailures(failure);
  return {
    countRequest: (by, id, now) => requests[by].take(id, now),
    countFailure: (by, now) => {
      if (by.credential !== null) failures.take(nameOf(by), now);
      if (firsts.isFirst(by, now)) failures.take(by.address, now);
    },
    failureWait: (by, now) => Math.max(failures.waitOf(by.address, now), failures.waitOf(nameOf(by), now)),
  };
}
