/** What a delta of one change costs, by how many MACs the network has. */
import type { D1Database } from '@cloudflare/workers-types';
import type { Network } from '../../../src/contract/networks.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import type { Tenant } from '../../../src/contract/tenants.ts';
import { type Caller, newAgent, newTenant } from '../../gateway/host.ts';
import { median } from '../report.ts';
import { type CountedGateway, startCountedGateway } from './counted-gateway.ts';
import { seedMacs } from './seed.ts';

export const FEW_MACS = 100;
export const MANY_MACS = 100_000;

/** Medians of the rounds. */
export interface DeltaCost {
  readonly bytes: number;
  readonly rowsRead: number;
  readonly ms: number;
}

interface Case {
  readonly speaker: Caller;
  readonly listener: Caller;
  readonly vni: number;
  cursor: string;
  readonly samples: DeltaCost[];
}

/** @param d1 as for `startCountedGateway`. Rounds alternate between the two sizes. */
export async function costOfDelta(
  rounds: number,
  d1?: D1Database,
): Promise<{ readonly few: DeltaCost; readonly many: DeltaCost }> {
  const gateway = await startCountedGateway(d1);
  try {
    const few = await prepare(gateway, FEW_MACS);
    const many = await prepare(gateway, MANY_MACS);
    // So that both have a neighbour in every index: a scan reads one row more than it wants, unless the index ends there.
    await prepare(gateway, FEW_MACS);
    for (let round = 0; round < rounds; round++) {
      for (const one of [few, many]) await changeAndPull(gateway, one, round);
    }
    return { few: medians(few.samples), many: medians(many.samples) };
  } finally {
    await gateway.close();
  }
}

async function prepare(gateway: CountedGateway, macs: number): Promise<Case> {
  const tenant = await newTenant(gateway, { macsPerNetwork: 1_000_000 });
  const { admin, at } = tenant;
  const { id, vni } = await admin.made<Network>('POST', `${at}/networks`, { name: 'blue' });
  const [speaker, listener] = [await newAgent(gateway, tenant), await newAgent(gateway, tenant)];
  for (const [i, site] of [speaker, listener].entries()) {
    await admin.made('PUT', `${at}/sites/${site.id}/networks/blue`, { port: { type: 'host', name: `blue${i}` } });
  }
  const caller = await listener.caller();
  const { cursor } = await caller.made<TableUpdate>('GET', '/v1/agent/tables');
  const { id: tenantId, revision } = await admin.made<Tenant>('GET', at);
  await seedMacs(gateway.store, { tenantId, networkId: id, siteId: speaker.id, revision }, macs);
  return { speaker: await speaker.caller(), listener: caller, vni, cursor, samples: [] };
}

async function changeAndPull(gateway: CountedGateway, one: Case, round: number): Promise<void> {
  const { speaker, listener, vni, cursor } = one;
  const mac = `06:00:00:00:${hex(round >> 8)}:${hex(round & 255)}`;
  await speaker.made('POST', '/v1/agent/macs', { announce: [{ vni, mac }], withdraw: [] });
  const start = performance.now();
  const { result: delta, rows } = await gateway.count(() =>
    listener.made<TableUpdate>('GET', `/v1/agent/tables?cursor=${encodeURIComponent(cursor)}`),
  );
  const ms = performance.now() - start;
  if (delta.kind !== 'delta' || delta.networks[0]?.macs.length !== 1) throw new Error('that is no delta of one change');
  one.cursor = delta.cursor;
  one.samples.push({ bytes: JSON.stringify(delta).length, rowsRead: rows.read, ms });
}

function medians(samples: readonly DeltaCost[]): DeltaCost {
  return {
    bytes: median(samples.map(({ bytes }) => bytes)),
    rowsRead: median(samples.map(({ rowsRead }) => rowsRead)),
    ms: median(samples.map(({ ms }) => ms)),
  };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
