import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertInStepWithRegistry, assertSymmetricVisibility, peersOf } from './asserts.ts';
import { Mesh, type MeshAgent, type Tenant, until } from './mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

const isLive = ({ session }: MeshAgent): boolean => session.status().watching;
const sees = (agent: MeshAgent, vni: number, peers: number): boolean => peersOf(agent).get(vni)?.length === peers;
/** Each agent holds the revision that the registry is at. */
async function allInStep(tenant: Tenant, agents: readonly MeshAgent[]): Promise<void> {
  for (;;) {
    const sites = await tenant.sites();
    const isThere = agents.every(({ session, site }) => {
      const held = new Map(
        session.status().networks.map(({ vni, digest, revision }) => [vni, `${revision} ${digest}`]),
      );
      const { networks } = sites.find(({ id }) => id === site)!;
      return (
        networks.length === held.size && networks.every(({ lag, digestMatch }) => lag === 0 && digestMatch === true)
      );
    });
    if (isThere) return;
  }
}

async function watchingTenant(
  slug: string,
  count: number,
): Promise<{ tenant: Tenant; vni: number; agents: MeshAgent[] }> {
  const tenant = await mesh.tenant(slug);
  const vni = await tenant.network('lan');
  const agents = await tenant.join(count, ['lan'], true);
  // One pull at the start, and one when the socket lives.
  await until(() => agents.every((agent) => isLive(agent) && agent.pulls() >= 2 && sees(agent, vni, count - 1)));
  return { tenant, vni, agents };
}

test('with a live socket a change is in force without a pull', async () => {
  const { tenant, vni, agents } = await watchingTenant('pushed', 3);
  const [one, two, three] = agents as [MeshAgent, MeshAgent, MeshAgent];
  const pulls = agents.map((agent) => agent.pulls());
  await tenant.move(three, '10.99.0.9');
  await until(() =>
    [one, two].every(({ datapath }) => datapath.networks.get(vni)!.vteps.get(three.site)?.address === '10.99.0.9'),
  );
  await tenant.detach(three, 'lan');
  await until(() => sees(one, vni, 1) && sees(two, vni, 1) && peersOf(three).size === 0);
  expect(agents.map((agent) => agent.pulls())).toEqual(pulls);
  // Who comes to carry a network asks for it, and is told again from there on.
  await tenant.attach(three, 'lan');
  await until(() => sees(three, vni, 2) && sees(one, vni, 2));
  await tenant.patchNetwork('lan', { mtu: 1300 });
  await until(() => agents.every(({ datapath }) => datapath.networks.get(vni)?.mtu === 1300));
  expect(agents.map((agent) => agent.pulls())).toEqual([pulls[0], pulls[1], pulls[2]! + 1]);
  await allInStep(tenant, agents);
  await assertInStepWithRegistry(tenant, agents);
});

test('a site that is disabled forwards for nobody at once, and comes back when it is enabled', async () => {
  const { tenant, vni, agents } = await watchingTenant('disabled', 2);
  const [one, two] = agents as [MeshAgent, MeshAgent];
  await tenant.disable(one, true);
  await until(() => peersOf(one).size === 0 && sees(two, vni, 0));
  expect(isLive(one)).toBe(false);
  await tenant.disable(one, false);
  await until(() => isLive(one) && sees(one, vni, 1) && sees(two, vni, 1));
});

test('after a restart of the gateway thirty agents are all told of changes again, and in step', async () => {
  const { tenant, vni, agents } = await watchingTenant('restarted', 30);
  await mesh.stopGateway();
  await until(() => agents.every((agent) => !isLive(agent)));
  await mesh.startGateway();
  await tenant.detach(agents[0]!, 'lan');
  await until(() => agents.every(isLive));
  await tenant.patchNetwork('lan', { mtu: 1400 });
  await until(() =>
    agents.slice(1).every((agent) => agent.datapath.networks.get(vni)?.mtu === 1400 && sees(agent, vni, 28)),
  );
  assertSymmetricVisibility(agents);
  await allInStep(tenant, agents);
  await assertInStepWithRegistry(tenant, agents);
});

test('while somebody looks, every agent says what it carries and by which revision, and a change shows in it', async () => {
  const { tenant, vni, agents } = await watchingTenant('looked-at', 2);
  const viewer = await tenant.look();
  const heard = new Map<string, number>();
  const allAt = async (revision: number): Promise<void> => {
    while (agents.some(({ site }) => (heard.get(site) ?? 0) < revision)) {
      const { sites } = await viewer.live('traffic');
      for (const { site, networks } of sites) {
        for (const network of networks) if (network.vni === vni) heard.set(site, network.revision);
      }
    }
  };
  await allAt(1);
  await tenant.patchNetwork('lan', { mtu: 1300 });
  const { revision } = await viewer.live('changed');
  await allAt(revision);
  viewer.close();
});
