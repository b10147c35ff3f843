/** The gateway's application: the same on every host, which gives it a store, a clock and its settings. */
import { Hono } from 'hono';
import { Refusal } from './domain/refusal.ts';
import type { AppEnv, Gateway } from './gateway.ts';
import { answerError, problem } from './http-error.ts';
import { accessTo } from './middleware/access.ts';
import { contractVersion } from './middleware/contract.ts';
import { observeRequests } from './middleware/observe.ts';
import { limitFailures } from './middleware/rate-limit.ts';
import { requestId } from './middleware/request-id.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { tellOfChanges } from './middleware/tell.ts';
import { agentMacRoutes } from './routes/agent-macs.ts';
import { agentWireguardRoutes } from './routes/agent-wireguard.ts';
import { alertRoutes } from './routes/alerts.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { attachmentRoutes } from './routes/attachments.ts';
import { convergenceRoutes } from './routes/convergence.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { enrollRoutes } from './routes/enroll.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { heartbeatRoutes } from './routes/heartbeat.ts';
import { historyRoutes } from './routes/history.ts';
import { identityRoutes } from './routes/identity.ts';
import { joinTokenRoutes } from './routes/join-tokens.ts';
import { liveRoutes } from './routes/live.ts';
import { macRoutes } from './routes/macs.ts';
import { memberRoutes } from './routes/members.ts';
import { networkRoutes } from './routes/networks.ts';
import { addOpenApi } from './routes/openapi.ts';
import { pathRoutes } from './routes/paths.ts';
import { sessionRoutes } from './routes/session.ts';
import { sessionsRoutes } from './routes/sessions.ts';
import { siteKeyRoutes } from './routes/site-key.ts';
import { siteRoutes } from './routes/sites.ts';
import { tableRoutes } from './routes/tables.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { topologyRoutes } from './routes/topology.ts';
import { usageRoutes } from './routes/usage.ts';
import { vniPoolRoutes } from './routes/vni-pools.ts';
import { watchRoutes } from './routes/watch.ts';

export function createApp(gateway: Gateway): Hono<AppEnv> {
  const access = accessTo(gateway);
  const app = new Hono<AppEnv>();
  app.use(observeRequests(gateway));
  app.use(requestId(gateway));
  app.use(securityHeaders());
  app.use(limitFailures(gateway));
  app.use(tellOfChanges(gateway));
  app.use('/v1/agent/*', contractVersion());
  app.onError(answerError(gateway.log));

  app.route('/', dashboardRoutes(gateway));
  app.route('/', healthRoutes(gateway));
  app.route('/', tenantRoutes(gateway, access));
  app.route('/', apiKeyRoutes(gateway, access));
  app.route('/', vniPoolRoutes(gateway, access));
  app.route('/', networkRoutes(gateway, access));
  app.route('/', joinTokenRoutes(gateway, access));
  app.route('/', siteRoutes(gateway, access));
  app.route('/', attachmentRoutes(gateway, access));
  app.route('/', pathRoutes(gateway, access));
  app.route('/', eventRoutes(gateway, access));
  app.route('/', usageRoutes(gateway, access));
  app.route('/', macRoutes(gateway, access));
  app.route('/', convergenceRoutes(gateway, access));
  app.route('/', topologyRoutes(gateway, access));
  app.route('/', alertRoutes(gateway, access));
  app.route('/', historyRoutes(gateway, access));
  app.route('/', liveRoutes(gateway, access));
  app.route('/', sessionRoutes(gateway, access));
  app.route('/', sessionsRoutes(gateway, access));
  app.route('/', memberRoutes(gateway, access));
  app.route('/', identityRoutes(gateway));
  app.route('/', enrollRoutes(gateway));
  app.route('/', tableRoutes(gateway));
  app.route('/', watchRoutes(gateway));
  app.route('/', agentMacRoutes(gateway));
  app.route('/', heartbeatRoutes(gateway));
  app.route('/', agentWireguardRoutes(gateway));
  app.route('/', siteKeyRoutes(gateway));
  addOpenApi(app);

  const methodsAt = methodTable(app);
  app.notFound((c) => {
    const methods = methodsAt(c.req.path);
    if (methods.length === 0) return problem(c, new Refusal('not_found', `There is nothing at ${c.req.path}.`));
    c.header('allow', methods.join(', '));
    return problem(c, new Refusal('method_not_allowed', `${c.req.path} takes ${methods.join(', ')}.`));
  });
  return app;
}

/** @returns a function that says which methods a path takes: none where it isn't there. */
function methodTable(app: Hono<AppEnv>): (path: string) => string[] {
  const byPath = new Map<string, { form: RegExp; methods: Set<string> }>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL') continue;
    const known = byPath.get(path) ?? {
      form: new RegExp(`^${path.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`),
      methods: new Set(),
    };
    byPath.set(path, known);
    known.methods.add(method);
  }
  return (path) => [
    ...new Set([...byPath.values()].filter(({ form }) => form.test(path)).flatMap(({ methods }) => [...methods])),
  ];
}
