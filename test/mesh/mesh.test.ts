import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertInStepWithRegistry, assertSymmetricVisibility, peersOf } from './asserts.ts';
import { Mesh, type MeshAgent, pullAll, type Tenant } from './mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

/** A tenant with a network `lan`, and sites in it that have converged. */
async function converged(slug: string, count: number): Promise<{ tenant: Tenant; vni: number; agents: MeshAgent[] }> {
  const tenant = await mesh.tenant(slug);
  const vni = await tenant.network('lan');
  const agents = await tenant.join(count, ['lan']);
  await pullAll(agents);
  return { tenant, vni, agents };
}

test('sites that join one network see each other after one pull', async () => {
  const { tenant, vni, agents } = await converged('joins', 5);
  assertSymmetricVisibility(agents);
  await assertInStepWithRegistry(tenant, agents);
  for (const agent of agents) expect(peersOf(agent).get(vni)).toHaveLength(4);
});

test('a site that is detached is gone from its peers after their next pull, and they from it', async () => {
  const { tenant, vni, agents } = await converged('detached', 3);
  await tenant.detach(agents[0]!, 'lan');
  await pullAll(agents);
  expect(peersOf(agents[0]!)).toEqual(new Map());
  expect(peersOf(agents[1]!).get(vni)).toEqual([agents[2]!.site]);
  assertSymmetricVisibility(agents);
  await assertInStepWithRegistry(tenant, agents);
});

test('a site that is disabled forwards for nobody and is forwarded to by nobody, until it is enabled', async () => {
  const { tenant, vni, agents } = await converged('disabled', 3);
  const [first, ...others] = agents as [MeshAgent, MeshAgent, MeshAgent];
  await tenant.disable(first, true);
  await pullAll(agents);
  expect(peersOf(first)).toEqual(new Map());
  for (const other of others) expect(peersOf(other).get(vni)).not.toContain(first.site);
  await assertInStepWithRegistry(tenant, agents);
  await tenant.disable(first, false);
  await pullAll(agents);
  expect(peersOf(first).get(vni)).toHaveLength(2);
  assertSymmetricVisibility(agents);
  await assertInStepWithRegistry(tenant, agents);
});

test('a site that is deleted is forwarded to by nobody, and says that it is refused', async () => {
  const { tenant, vni, agents } = await converged('deleted', 3);
  const [first, ...others] = agents as [MeshAgent, MeshAgent, MeshAgent];
  await tenant.deleteSite(first);
  await pullAll(agents);
  for (const other of others) expect(peersOf(other).get(vni)).not.toContain(first.site);
  expect(first.session.status().contact).toMatchObject({
    state: 'refused',
    error: expect.stringContaining('unauthenticated'),
  });
  await assertInStepWithRegistry(tenant, others);
});

test('a site whose VTEP moves is reached at the new address after the next pull', async () => {
  const { tenant, vni, agents } = await converged('moved', 3);
  await tenant.move(agents[0]!, '10.99.0.1');
  await pullAll(agents);
  expect(agents[1]!.datapath.networks.get(vni)!.vteps.get(agents[0]!.site)?.address).toBe('10.99.0.1');
  await assertInStepWithRegistry(tenant, agents);
});

test('a network that is deleted is gone from its sites, and its name starts with nothing of the old one', async () => {
  const { tenant, vni, agents } = await converged('reborn', 3);
  for (const agent of agents) await tenant.detach(agent, 'lan');
  await tenant.deleteNetwork('lan');
  const next = await tenant.network('lan');
  expect(next).not.toBe(vni);
  await tenant.attach(agents[0]!, 'lan');
  await tenant.attach(agents[1]!, 'lan');
  await pullAll(agents);
  expect(peersOf(agents[0]!)).toEqual(new Map([[next, [agents[1]!.site]]]));
  expect(peersOf(agents[2]!)).toEqual(new Map());
  await assertInStepWithRegistry(tenant, agents);
});

test('tenants see nothing of each other, whatever their networks are called', async () => {
  const one = await converged('tenant-one', 3);
  const two = await converged('tenant-two', 3);
  await pullAll([...one.agents, ...two.agents]);
  expect(one.vni).not.toBe(two.vni);
  const sitesOfTwo = new Set(two.agents.map(({ site }) => site));
  for (const agent of one.agents) {
    expect([...peersOf(agent).keys()]).toEqual([one.vni]);
    expect(
      peersOf(agent)
        .get(one.vni)!
        .filter((site) => sitesOfTwo.has(site)),
    ).toEqual([]);
  }
});

test.each([-600_000, 600_000])(
  'a site whose clock is %i ms off joins, pulls and reports like any other',
  async (off) => {
    const { tenant, vni, agents } = await converged(`clock-${off > 0 ? 'ahead' : 'behind'}`, 1);
    const late = await mesh.join('late', await tenant.joinToken(['lan']), { clockOffMs: off });
    await pullAll([late, ...agents]);
    expect(peersOf(late).get(vni)).toEqual([agents[0]!.site]);
    await assertInStepWithRegistry(tenant, [late, ...agents]);
  },
);

test('nothing new is answered without a table', async () => {
  const { agents } = await converged('idle', 2);
  await pullAll(agents);
  expect(await agents[0]!.session.pullNow()).toBe('unchanged');
  expect(agents[0]!.datapath.applied.length).toBeLessThanOrEqual(2);
});
