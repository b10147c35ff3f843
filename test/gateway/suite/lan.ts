/** A network of two sites, and what its agents and its admin say and ask of MAC addresses. */
import type { MacReported, MacView } from '../../../src/contract/macs.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';

export const port = { type: 'host', name: 'tap0' };
export const mac = (n: number): string =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;

export interface Lan {
  readonly tenant: TestTenant;
  readonly vni: number;
  readonly one: TestAgent;
  readonly two: TestAgent;
}

interface Page {
  readonly items: MacView[];
  readonly nextCursor: string | null;
}

/** Network `a` of a tenant of its own, with these limits, attached at both sites. */
export async function newLan(host: Host, limits: Record<string, number> = {}): Promise<Lan> {
  const tenant = await newTenant(host, limits);
  const { vni } = await tenant.admin.made<{ vni: number }>('POST', `${tenant.at}/networks`, { name: 'a' });
  const [one, two] = [await newAgent(host, tenant), await newAgent(host, tenant)];
  for (const { name } of [one, two]) {
    await tenant.admin.made('PUT', `${tenant.at}/sites/${name}/networks/a`, { port });
  }
  return { tenant, vni, one, two };
}

export async function report(agent: TestAgent, announce: object[], withdraw: object[] = []): Promise<MacReported> {
  return (await agent.caller()).made('POST', '/v1/agent/macs', { announce, withdraw });
}

export async function pull(agent: TestAgent, cursor?: string): Promise<TableUpdate> {
  return (await agent.caller()).made('GET', `/v1/agent/tables${cursor === undefined ? '' : `?cursor=${cursor}`}`);
}

export const list = ({ tenant }: Lan, query = ''): Promise<Page> =>
  tenant.admin.made<Page>('GET', `${tenant.at}/networks/a/macs${query}`);
