import type { RateLimit } from '@cloudflare/workers-types';
import { FirstFailures, nameOf } from '../../domain/failures.ts';
import type { RateLimits } from '../../gateway.ts';

export interface RateBindings {
  readonly KEY_RATE: RateLimit;
  readonly SITE_RATE: RateLimit;
  readonly FAILURE_RATE: RateLimit;
}

/** The binding doesn't say how long to wait; its periods are in wrangler.toml, and a part of one is mostly enough. */
const REQUEST_WAIT_SECONDS = 5;
const FAILURE_WAIT_SECONDS = 30;
/** As `FAILURE_RATE` has it in wrangler.toml. */
const FAILURE_SECONDS = 60;
const MAX_NAMES = 10_000;

/** Cloudflare counts per location. Who failed too often is kept by the isolate: to ask would be to count. */
export function limitsOfCloudflare({ KEY_RATE, SITE_RATE, FAILURE_RATE }: RateBindings): RateLimits {
  const until = new Map<string, number>();
  const firsts = new FirstFailures({ limit: 1, periodSeconds: FAILURE_SECONDS });
  const count = async (name: string, now: number): Promise<void> => {
    if ((await FAILURE_RATE.limit({ key: name })).success) return;
    until.delete(name);
    until.set(name, now + FAILURE_WAIT_SECONDS * 1000);
    if (until.size > MAX_NAMES) until.delete(until.keys().next().value!);
  };
  const waitOf = (name: string, now: number): number => Math.max(0, Math.ceil(((until.get(name) ?? 0) - now) / 1000));
  return {
    async countRequest(by, id) {
      const { success } = await (by === 'key' ? KEY_RATE : SITE_RATE).limit({ key: id });
      return success ? 0 : REQUEST_WAIT_SECONDS;
    },
    async countFailure(by, now) {
      if (by.credential !== null) await count(nameOf(by), now);
      if (firsts.isFirst(by, now)) await count(by.address, now);
    },
    failureWait: (by, now) => Math.max(waitOf(by.address, now), waitOf(nameOf(by), now)),
  };
}
