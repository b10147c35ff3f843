import type { Config } from '../../config.ts';
import { TokenBuckets } from '../../domain/rate-limit.ts';
import type { RateLimits } from '../../gateway.ts';

/** One process sees everything, so its counts are exact. */
export function limitsInProcess({ key, site, failure }: Config['rates']): RateLimits {
  const requests = { key: new TokenBuckets(key), site: new TokenBuckets(site) };
  const failures = new TokenBuckets(failure);
  return {
    countRequest: (by, id, now) => requests[by].take(id, now),
    countFailure: (address, now) => void failures.take(address, now),
    failureWait: (address, now) => failures.waitOf(address, now),
  };
}
