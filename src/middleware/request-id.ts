import type { MiddlewareHandler } from 'hono';
import { newId } from '../domain/ids.ts';
import type { AppEnv, Gateway } from '../gateway.ts';

/** Every answer says which request it answers, and what the gateway's clock says: an agent with a wrong one can correct itself. */
export function requestId(gateway: Gateway): MiddlewareHandler<AppEnv> {
  return async function requestId(c, next) {
    const given = c.req.header('x-request-id');
    const id = given !== undefined && /^[A-Za-z0-9._-]{1,128}$/.test(given) ? given : newId(gateway.now());
    c.set('requestId', id);
    await next();
    c.header('x-request-id', id);
    c.header('date', new Date(gateway.now()).toUTCString());
  };
}
