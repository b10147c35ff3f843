/** What single calls cost a store, in the rows that it bills. */
import type { D1Database } from '@cloudflare/workers-types';
import type { Network } from '../../../src/contract/networks.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { enrol, newAgent, newAgentKey, newTenant, type TestAgent } from '../../gateway/host.ts';
import { startCountedGateway } from './counted-gateway.ts';
import type { Rows } from './counted-store.ts';

/** Rows by what was called. */
export type CallCosts = Readonly<Record<CallName, Rows>>;

const CALLS = [
  'network made',
  'site enrolled',
  'site attached',
  'snapshot of 10 sites',
  'delta of one site',
  'nothing new',
  '1 MAC announced',
  '1,000 MACs announced',
  'heartbeat',
  'housekeeping, nothing due',
] as const;
export type CallName = (typeof CALLS)[number];

const SITES = 10;

/** @param d1 with all tables. */
export async function countCalls(d1: D1Database): Promise<CallCosts> {
  const gateway = await startCountedGateway(d1);
  const costs: Partial<Record<CallName, Rows>> = {};
  async function count<T>(name: CallName, act: () => Promise<T>): Promise<T> {
    const { result, rows } = await gateway.count(act);
    costs[name] = rows;
    return result;
  }
  try {
    const tenant = await newTenant(gateway);
    const { admin, at } = tenant;
    await admin.made('POST', `${at}/networks`, { name: 'first' });
    const { vni } = await count('network made', () => admin.made<Network>('POST', `${at}/networks`, { name: 'blue' }));
    const { token } = await admin.made<{ token: string }>('POST', `${at}/join-tokens`, { maxUses: 2 });
    await enrol(gateway, await newAgentKey(), { token });
    const attach = (site: string): Promise<unknown> =>
      admin.made('PUT', `${at}/sites/${site}/networks/blue`, { port: { type: 'host', name: 'blue0' } });
    const agents: TestAgent[] = [];
    for (let i = 0; i < SITES; i++) {
      const agent = await newAgent(gateway, tenant);
      agents.push(agent);
      await attach(agent.id);
    }
    const key = await newAgentKey();
    const { body: last } = await count('site enrolled', () => enrol(gateway, key, { token }));

    const caller = await agents[0]!.caller();
    const pull = (cursor: string) => caller.get<TableUpdate>(`/v1/agent/tables?cursor=${encodeURIComponent(cursor)}`);
    const { cursor } = (await count('snapshot of 10 sites', () => pull(''))).body;
    await count('site attached', () => attach(last.site));
    const { body: delta } = await count('delta of one site', () => pull(cursor));
    await count('nothing new', () => pull(delta.cursor));
    const announce = (macs: number, from: number) => () =>
      caller.made('POST', '/v1/agent/macs', { announce: someMacs(vni, macs, from), withdraw: [] });
    await count('1 MAC announced', announce(1, 0));
    await count('1,000 MACs announced', announce(1000, 1));
    const heartbeat = { cursor: delta.cursor, version: '1.0.0', networks: [] };
    await caller.made('POST', '/v1/agent/heartbeat', heartbeat);
    await count('heartbeat', () => caller.made('POST', '/v1/agent/heartbeat', heartbeat));
    await count('housekeeping, nothing due', gateway.keepHouse);
    return costs as CallCosts;
  } finally {
    await gateway.close();
  }
}

function someMacs(vni: number, count: number, from: number): object[] {
  return Array.from({ length: count }, (_, i) => {
    const tail = (from + i).toString(16).padStart(4, '0');
    return {
      vni,
      mac: `02:00:00:00:${tail.slice(0, 2)}:${tail.slice(2)}`,
      ip: `10.0.${(from + i) >> 8}.${(from + i) & 255}`,
    };
  });
}
