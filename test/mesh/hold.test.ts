/** Who loses most of its peers at once, and nobody asked for that, waits until it is said twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertInStepWithRegistry, peersOf } from './asserts.ts';
import { Mesh, pullAll } from './mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

test('a gateway that comes back with an old database takes no peers away until it has said so twice', async () => {
  const tenant = await mesh.tenant('restored');
  const vni = await tenant.network('lan');
  const agents = await tenant.join(4);
  await tenant.attach(agents[0]!, 'lan');
  await mesh.stopGateway();
  mesh.backUp();
  await mesh.startGateway();
  for (const agent of agents.slice(1)) await tenant.attach(agent, 'lan');
  await pullAll(agents);
  await mesh.stopGateway();
  mesh.restore();
  await mesh.startGateway();

  const outcomes = await Promise.all(agents.map(({ session }) => session.pullNow()));
  expect(outcomes).toEqual(['held', 'held', 'held', 'held']);
  for (const agent of agents) {
    expect(peersOf(agent).get(vni), agent.name).toHaveLength(3);
    const error = '3 of 3 peers would go: held until the gateway says it again';
    expect(agent.session.status()).toMatchObject({ inStep: false, networks: [{ vni, error }] });
  }
  const [first] = (await tenant.sites()).filter(({ id }) => id === agents[0]!.site);
  expect(first!.networks[0]!.error).toContain('3 of 3 peers would go');
  const events = await tenant.events('removal_held');
  for (const { name, site } of agents) {
    const event = { subject: site, actor: { kind: 'site', name }, after: { vni, peers: 3 } };
    expect(events.filter(({ subject }) => subject === site)).toMatchObject([event]);
  }
  expect((await tenant.convergence('lan')).converged).toBe(false);

  await pullAll(agents);
  for (const agent of agents) expect(peersOf(agent).get(vni) ?? [], agent.name).toEqual([]);
  await assertInStepWithRegistry(tenant, agents);
  expect(await tenant.convergence('lan')).toMatchObject({ converged: true, sites: [{ inStep: true }] });
});

test('what a person takes away is gone after one pull, however much it is', async () => {
  const tenant = await mesh.tenant('asked');
  const vni = await tenant.network('lan');
  const agents = await tenant.join(7, ['lan']);
  await pullAll(agents);
  const [first, detached, disabled, deleted] = agents;
  await tenant.detach(detached!, 'lan');
  await tenant.disable(disabled!, true);
  await tenant.deleteSite(deleted!);
  await tenant.detach(agents[4]!, 'lan');
  await tenant.detach(agents[5]!, 'lan');
  expect(await first!.session.pullNow()).toBe('changed');
  expect(peersOf(first!).get(vni)).toEqual([agents[6]!.site]);
  expect(await detached!.session.pullNow()).toBe('changed');
  expect(peersOf(detached!)).toEqual(new Map());
});

test('the API says who is in step with a revision, and who is not yet', async () => {
  const tenant = await mesh.tenant('convergence');
  await tenant.network('lan');
  const agents = await tenant.join(3, ['lan']);
  await pullAll(agents);
  const before = await tenant.convergence('lan');
  expect(before).toMatchObject({ converged: true, sites: agents.map(({ name }) => ({ name, inStep: true, lag: 0 })) });
  await tenant.patchNetwork('lan', { mtu: 1300 });
  await pullAll(agents.slice(1));
  const { revision, converged, sites } = await tenant.convergence('lan');
  expect(converged).toBe(false);
  expect(sites.map(({ inStep, digestMatch }) => ({ inStep, digestMatch }))).toEqual([
    { inStep: false, digestMatch: true },
    { inStep: true, digestMatch: true },
    { inStep: true, digestMatch: true },
  ]);
  expect(sites[0]).toMatchObject({ appliedRevision: before.revision, lag: revision - before.revision, online: true });
  expect((await tenant.convergence('lan', before.revision)).converged).toBe(true);
  await pullAll(agents);
  expect((await tenant.convergence('lan')).converged).toBe(true);
});
