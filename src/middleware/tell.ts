import type { MiddlewareHandler } from 'hono';
import type { AppEnv, Gateway } from '../gateway.ts';

/** What changes nothing that a site is told, though it is no GET. */
const QUIET: ReadonlySet<string> = new Set(['/v1/agent/heartbeat']);

/**
 * After every change of a tenant, whichever route made it, tells those who watch. What fails in that is made up for within a minute
 * (`housekeeping.ts`).
 */
export function tellOfChanges({ hub, inBackground }: Gateway): MiddlewareHandler<AppEnv> {
  return async function tellOfChanges(c, next) {
    await next();
    const isQuiet = c.req.method === 'GET' || c.req.method === 'HEAD' || !c.res.ok || QUIET.has(c.req.path);
    const own = isQuiet ? undefined : (c.get('tenant')?.id ?? c.get('agent')?.tenant.id);
    const concerned = c.get('changedTenants') ?? (own === undefined ? [] : [own]);
    for (const tenantId of concerned) inBackground(c, hub.tell(tenantId));
  };
}
