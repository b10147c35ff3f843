import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertInStepWithRegistry, assertSymmetricVisibility, peersOf } from './asserts.ts';
import { Mesh, type MeshAgent, pullAll } from './mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

test('while the gateway is away nothing is forgotten, not even by a restart; what changed meanwhile arrives when it is back', async () => {
  const tenant = await mesh.tenant('acme');
  await tenant.network('lan');
  await tenant.network('lab');
  const agents = await tenant.join(4, ['lan', 'lab']);
  await pullAll(agents);
  const before = agents.map(peersOf);

  await mesh.stopGateway();
  for (let i = 0; i < 3; i++) await pullAll(agents);
  agents[3] = await (agents[3] as MeshAgent).restart();
  await pullAll(agents);
  expect(agents.map(peersOf)).toEqual(before);
  for (const { session } of agents) expect(session.status().contact.state).toBe('unreachable');

  // The same registry, where the agents don't look for it.
  await mesh.startGateway(true);
  await tenant.detach(agents[0]!, 'lan');
  await tenant.disable(agents[1]!, true);
  await tenant.patchNetwork('lab', { mtu: 1400 });
  await mesh.stopGateway();
  await pullAll(agents);
  expect(agents.map(peersOf)).toEqual(before);

  await mesh.startGateway();
  await pullAll(agents);
  assertSymmetricVisibility(agents);
  await assertInStepWithRegistry(tenant, agents);
  expect(agents[0]!.datapath.networks.size).toBe(1);
  expect(agents[1]!.datapath.networks.size).toBe(0);
  expect([...agents[3]!.datapath.networks.values()].map(({ mtu }) => mtu).sort()).toEqual([1400, 1450]);
  // Each failure and each return is one line, however many pulls there were.
  expect(agents[0]!.lines.filter((line) => line.includes("can't be reached"))).toHaveLength(1);
});
