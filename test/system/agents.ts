/** Agents with a table in a file, and what they say of themselves. */
import { join } from 'node:path';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';

export const VXLAN_PORT = 4789;

export interface PeersConfig {
  readonly vtep: { readonly address: string; readonly port?: number };
  readonly clampMss?: boolean;
  readonly networks: readonly {
    readonly vni: number;
    readonly mtu?: number;
    readonly port: { readonly type: 'host' | 'bridge'; readonly name: string };
    readonly vteps: readonly { readonly address: string; readonly port?: number }[];
    readonly antiSpoof?: 'vtep' | 'strict' | 'off';
  }[];
}

/** One network on a host port named `tap`, with these VTEPs. */
export function config(address: string, vni: number, vteps: readonly string[], mtu = 1450): PeersConfig {
  return {
    vtep: { address },
    networks: [{ vni, mtu, port: { type: 'host', name: 'tap' }, vteps: vteps.map((peer) => ({ address: peer })) }],
  };
}

export interface SaidCounters {
  readonly agent: Readonly<Record<string, number>>;
  readonly networks: readonly { readonly vni: number; readonly counters: Readonly<Record<string, number>> }[];
}

/** What `overlane-agent counters --json` says at a site that `site.agent` started. */
export async function counters(site: Site, lab: { readonly folder: string }): Promise<SaidCounters> {
  const said = await site.exec([
    ...AGENT_ARGV,
    'counters',
    '--json',
    '--config',
    join(lab.folder, `${site.name}.json`),
  ]);
  return JSON.parse(said) as SaidCounters;
}

/** Waits until the agent's counters are as `matches` says: they count after the fact. */
export function untilCounters(
  site: Site,
  lab: { readonly folder: string },
  what: string,
  matches: (said: SaidCounters) => boolean,
): Promise<SaidCounters> {
  return until(`counters of ${site.name}: ${what}`, async () => {
    const said = await counters(site, lab);
    return matches(said) ? said : undefined;
  });
}

/** Starts an agent and gives its host port `tap` addresses. */
export async function startAgent(site: Site, given: PeersConfig, ...addresses: readonly string[]): Promise<Program> {
  const program = await site.agent({ config: given });
  await site.address('tap', ...addresses);
  return program;
}
