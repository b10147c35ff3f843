import type { MiddlewareHandler } from 'hono';
import type { AppEnv } from '../gateway.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

/** What every answer tells a browser that gets hold of it. Answers of the API are nobody's to keep: they are what they were at one moment. */
export function securityHeaders(): MiddlewareHandler<AppEnv> {
  return async function securityHeaders(c, next) {
    await next();
    c.header('x-content-type-options', 'nosniff');
    c.header('referrer-policy', 'no-referrer');
    if (new URL(c.req.url).protocol === 'https:') c.header('strict-transport-security', `max-age=${YEAR_SECONDS}`);
    if (c.req.path.startsWith('/v1/')) c.header('cache-control', 'no-store');
  };
}
