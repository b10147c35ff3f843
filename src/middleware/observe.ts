import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AppEnv, Gateway } from '../gateway.ts';

/** Tells a host that keeps figures of every request: by its route's pattern, since addresses are without number. */
export function observeRequests({ observe }: Gateway): MiddlewareHandler<AppEnv> {
  return async function observeRequests(c, next) {
    if (observe === undefined) return next();
    const begun = performance.now();
    await next();
    const route = matchedRoutes(c).findLast(({ method }) => method !== 'ALL');
    const seconds = (performance.now() - begun) / 1000;
    observe({ method: route?.method ?? 'none', route: route?.path ?? 'none', status: c.res.status, seconds });
  };
}
