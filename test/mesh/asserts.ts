/** What must hold in a mesh, by its name. */
import { expect } from 'vitest';
import { digestOf, formatDigest } from '../../src/contract/digest.ts';
import type { MeshAgent, Tenant } from './mesh.ts';

/** @returns the sites that an agent forwards to, by VNI. */
export function peersOf({ datapath }: MeshAgent): Map<number, string[]> {
  return new Map([...datapath.networks].map(([vni, { vteps }]) => [vni, [...vteps.keys()].sort()]));
}

/** Where one sees the other, the other sees the one, at the address it has; and nobody sees itself. */
export function assertSymmetricVisibility(agents: readonly MeshAgent[]): void {
  const bySite = new Map(agents.map((agent) => [agent.site, agent]));
  for (const agent of agents) {
    for (const [vni, peers] of peersOf(agent)) {
      expect(peers, `${agent.name} in VNI ${vni}`).not.toContain(agent.site);
      for (const site of peers) {
        const peer = bySite.get(site);
        const theirs = peer === undefined ? [] : (peersOf(peer).get(vni) ?? []);
        expect(theirs, `${peer?.name ?? site}, seen by ${agent.name} in VNI ${vni}`).toContain(agent.site);
      }
    }
  }
}

/**
 * Each agent forwards by exactly what the registry says, both sides' digests agree, and the registry knows it: for agents that have
 * pulled since the last change.
 */
export async function assertInStepWithRegistry(tenant: Tenant, agents: readonly MeshAgent[]): Promise<void> {
  const sites = await tenant.sites();
  const live = sites.filter(({ status }) => status !== 'disabled');
  const members = new Map<
    number,
    { readonly id: string; readonly vtep: { readonly address: string; readonly port: number } }[]
  >();
  for (const { id, vtep, networks } of live) {
    for (const { vni } of networks) members.set(vni, [...(members.get(vni) ?? []), { id, vtep }]);
  }
  for (const agent of agents) {
    const site = sites.find(({ id }) => id === agent.site);
    if (site === undefined) throw new Error(`${agent.name} is not in the registry`);
    const expected = live.includes(site) ? site.networks.map(({ vni }) => vni) : [];
    expect([...agent.datapath.networks.keys()].sort(), `networks of ${agent.name}`).toEqual(expected.sort());
    for (const { vni, vteps, macs } of agent.datapath.networks.values()) {
      const peers = members.get(vni)!.filter(({ id }) => id !== agent.site);
      const addresses = Object.fromEntries([...vteps].map(([id, { address, port }]) => [id, { address, port }]));
      expect(addresses, `peers of ${agent.name} in VNI ${vni}`).toEqual(
        Object.fromEntries(peers.map(({ id, vtep }) => [id, vtep])),
      );
      const digest = formatDigest(digestOf({ vteps: vteps.values(), macs: macs.values() }));
      expect(agent.session.status().networks.find((network) => network.vni === vni)).toMatchObject({
        digest,
        inStep: true,
      });
    }
    if (site.status === 'disabled') continue;
    for (const { name, lag, digestMatch } of site.networks) {
      expect({ lag, digestMatch }, `${agent.name} in ${name}, by its last report`).toEqual({
        lag: 0,
        digestMatch: true,
      });
    }
  }
}
