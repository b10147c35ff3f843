/** The hub of a Worker: a Durable Object per tenant, which a request may have to wake. */
import type { DurableObjectNamespace, DurableObjectStub } from '@cloudflare/workers-types';
import type { Context } from 'hono';
import type { AgentSession } from '../../db/agent-sessions.ts';
import type { ViewerState } from '../../domain/viewer.ts';
import type { AppEnv, Hub } from '../../gateway.ts';
import { stateOf } from '../../hub/watcher-says.ts';

/** Only this Worker reaches its objects, so what it tells them needs no proof. */
export const STATE_HEADER = 'x-overlane-watcher';
export const VIEWER_HEADER = 'x-overlane-viewer';
export const TENANT_HEADER = 'x-overlane-tenant';

export function durableHub(namespace: DurableObjectNamespace): Hub {
  async function call(tenantId: string, path: 'tell' | 'look'): Promise<void> {
    const answer = await objectOf(namespace, tenantId).fetch(`https://hub/${path}`, {
      method: 'POST',
      headers: { [TENANT_HEADER]: tenantId },
    });
    if (!answer.ok) throw new Error(`the tenant's object answered ${answer.status}`);
  }

  async function upgrade(tenantId: string, path: 'watch' | 'live', headers: Record<string, string>): Promise<Response> {
    const answer = await objectOf(namespace, tenantId).fetch(`https://hub/${path}`, {
      headers: { upgrade: 'websocket', [TENANT_HEADER]: tenantId, ...headers },
    });
    return answer as unknown as Response;
  }

  return {
    tell: (tenantId) => call(tenantId, 'tell'),
    look: (tenantId) => call(tenantId, 'look'),
    watch: (_: Context<AppEnv>, session: AgentSession, cursor: string) =>
      upgrade(session.tenant.id, 'watch', { [STATE_HEADER]: JSON.stringify(stateOf(session, cursor)) }),
    live: (_: Context<AppEnv>, tenantId: string, viewer: ViewerState) =>
      upgrade(tenantId, 'live', { [VIEWER_HEADER]: JSON.stringify(viewer) }),
  };
}

function objectOf(namespace: DurableObjectNamespace, tenantId: string): DurableObjectStub {
  return namespace.get(namespace.idFromName(tenantId));
}
