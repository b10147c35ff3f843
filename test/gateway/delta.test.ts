import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTenant } from '../../src/db/tenants.ts';
import { MAC_LIMIT, NETWORKS, SITES } from './delta/model.ts';
import { step } from './delta/steps.ts';
import { World } from './delta/world.ts';
import { memoryStore } from './memory-store.ts';

test('whatever happens in a tenant, deltas bring every agent to what a snapshot says, and name only what changed', async () => {
  const { db, close } = memoryStore();
  let tenants = 0;
  const check = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
    tenants += 1;
    const slug = `t${tenants}`;
    const tenant = await createTenant(
      db,
      { id: slug, epoch: 'epoch', now: 0 },
      { slug, name: 'Acme', limits: { macsPerNetwork: MAC_LIMIT } },
    );
    const world = new World(db, tenant.id);
    for (let i = 0; i < NETWORKS; i++) await world.registry.makeNetwork(i);
    for (let i = 0; i < SITES; i++) await world.registry.makeSite(i);
    for (const run of steps) await run(world);
    for (let i = 0; i < SITES; i++) {
      await world.registry.patchSite(i, 'enable');
      await world.agents.pull(i);
    }
    await world.agents.assertMacsAreModel();
  });
  await fc.assert(check, { numRuns: 150 });
  close();
});

test('what a disabled site is attached to or detached from is told to nobody', async () => {
  const { db, close } = memoryStore();
  await createTenant(db, { id: 'acme', epoch: 'epoch', now: 0 }, { slug: 'acme', name: 'Acme' });
  const world = new World(db, 'acme');
  await world.registry.makeNetwork(0);
  for (let i = 0; i < 4; i++) await world.registry.makeSite(i);
  await world.registry.attach(0, 0, 0);
  await world.registry.attach(0, 1, 0);
  await world.registry.patchSite(1, 'disable');
  await world.registry.patchSite(2, 'disable');
  await world.agents.pull(0);
  await world.registry.detach(0, 1);
  await world.registry.attach(0, 1, 1);
  await world.registry.attach(0, 2, 0);
  await world.registry.attach(0, 3, 0);
  const pulled = await world.agents.fetch(world.model.sites[0]!, world.model.sites[0]!.cursor);
  expect(pulled).toMatchObject({ kind: 'delta', networks: [{ vteps: [{ site: world.model.sites[3]!.id }] }] });
  expect(pulled).not.toHaveProperty('networks.0.gone');
  await world.agents.pull(0);
  close();
});
