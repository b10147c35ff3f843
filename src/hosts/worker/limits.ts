import type { RateLimit } from '@cloudflare/workers-types';
import type { RateLimits } from '../../gateway.ts';

export interface RateBindings {
  readonly KEY_RATE: RateLimit;
  readonly SITE_RATE: RateLimit;
  readonly FAILURE_RATE: RateLimit;
}

/** The binding doesn't say how long to wait; its periods are in wrangler.toml, and a part of one is mostly enough. */
const REQUEST_WAIT_SECONDS = 5;
const FAILURE_WAIT_SECONDS = 30;
const MAX_ADDRESSES = 10_000;

/** Cloudflare counts per location. Which addresses failed too often is kept by the isolate: to ask would be to count. */
export function limitsOfCloudflare({ KEY_RATE, SITE_RATE, FAILURE_RATE }: RateBindings): RateLimits {
  const until = new Map<string, number>();
  return {
    async countRequest(by, id) {
      const { success } = await (by === 'key' ? KEY_RATE : SITE_RATE).limit({ key: id });
      return success ? 0 : REQUEST_WAIT_SECONDS;
    },
    async countFailure(address, now) {
      if ((await FAILURE_RATE.limit({ key: address })).success) return;
      until.delete(address);
      until.set(address, now + FAILURE_WAIT_SECONDS * 1000);
      if (until.size > MAX_ADDRESSES) until.delete(until.keys().next().value!);
    },
    failureWait: (address, now) => Math.max(0, Math.ceil(((until.get(address) ?? 0) - now) / 1000)),
  };
}
