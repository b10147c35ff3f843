import { expect, test, vi } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import type { Network } from '../../../src/contract/networks.ts';
import type { Usage } from '../../../src/contract/usage.ts';
import { freshVni, type Host, newTenant } from '../host.ts';

export function networks(host: () => Host): void {
  test('a network gets a VNI of the shared pool and the defaults, and is found by id and by name', async () => {
    const { admin, at } = await newTenant(host());
    const made = await admin.made<Network>('POST', `${at}/networks`, { name: 'blue' });
    expect(made.vni).toBeGreaterThanOrEqual(4096);
    expect(made).toMatchObject({ name: 'blue', mtu: 1450, flood: 'headend', antiSpoof: 'vtep', arpSuppression: false });
    expect(await admin.made('GET', `${at}/networks/blue`)).toEqual(made);
    expect(await admin.made('GET', `${at}/networks/${made.id}`)).toEqual(made);
  });

  test('200 networks made at once get 200 different VNIs', async () => {
    const { admin, at } = await newTenant(host(), { networks: 300 });
    const made = await Promise.all(
      Array.from({ length: 200 }, (_, i) => admin.made<Network>('POST', `${at}/networks`, { name: `n${i}` })),
    );
    expect(new Set(made.map(({ vni }) => vni)).size).toBe(200);
    const listed = await admin.made<{ items: Network[] }>('GET', `${at}/networks?limit=500`);
    expect(new Set(listed.items.map(({ vni }) => vni))).toEqual(new Set(made.map(({ vni }) => vni)));
  });

  test('released VNIs that rest count too: with those in use they are twice the limit of networks at most', async () => {
    const { admin, at } = await newTenant(host(), { networks: 1 });
    const make = () => admin.call<Problem>('POST', `${at}/networks`, { name: 'a' });
    for (let i = 0; i < 2; i++) {
      expect((await make()).status).toBe(201);
      expect((await admin.call('DELETE', `${at}/networks/a`)).status).toBe(204);
    }
    const { vnis } = await admin.made<Usage>('GET', `${at}/usage`);
    expect(vnis).toEqual({ used: 2, limit: 2 });
    expect((await make()).body).toMatchObject({ code: 'quota_exceeded', detail: expect.stringContaining('rest') });
  });

  test('of twenty that ask for one VNI at once, one gets it', async () => {
    const { admin, at } = await newTenant(host());
    const vni = freshVni();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => admin.call<Problem>('POST', `${at}/networks`, { name: `n${i}`, vni })),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBe(1);
    expect(answers.filter(({ body }) => body.code === 'vni_taken').length).toBe(19);
  });

  test('a quota holds however many ask at once, and what was refused left nothing', async () => {
    const { admin, at, operator } = await newTenant(host(), { networks: 5 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => admin.call<Problem>('POST', `${at}/networks`, { name: `n${i}` })),
    );
    expect(answers.filter(({ status }) => status === 201).length).toBe(5);
    expect(answers.filter(({ status, body }) => status === 403 && body.code === 'quota_exceeded').length).toBe(15);
    expect(await operator.made('GET', at)).toMatchObject({ revision: 6 });
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/networks`)).items.length).toBe(5);
    await admin.call(
      'DELETE',
      `${at}/networks/${(await admin.made<{ items: Network[] }>('GET', `${at}/networks`)).items[0]!.id}`,
    );
    expect((await admin.call('POST', `${at}/networks`, { name: 'again' })).status).toBe(201);
  });

  test('a name that is taken is 409 and costs no VNI', async () => {
    const { admin, at } = await newTenant(host());
    const vni = freshVni();
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    expect(await admin.refused('POST', `${at}/networks`, { name: 'a', vni })).toMatchObject({
      status: 409,
      code: 'name_taken',
    });
    expect(await admin.made('POST', `${at}/networks`, { name: 'b', vni })).toMatchObject({ vni });
  });

  test('a VNI in no pool open to the tenant is 422, one in use 409', async () => {
    const { admin, at } = await newTenant(host());
    const vni = freshVni();
    expect(await admin.refused('POST', `${at}/networks`, { name: 'a', vni: 4095 })).toMatchObject({
      status: 422,
      code: 'vni_out_of_range',
    });
    await admin.made('POST', `${at}/networks`, { name: 'a', vni });
    expect(await admin.refused('POST', `${at}/networks`, { name: 'b', vni })).toMatchObject({
      status: 409,
      code: 'vni_taken',
    });
  });

  test('a released VNI rests, says until when, and can be had again at once when its time is over', async () => {
    const { admin, at } = await newTenant(host());
    const [vni, free] = [freshVni(), freshVni()];
    for (const n of [vni - 1, vni, vni + 1]) await admin.made('POST', `${at}/networks`, { name: `n${n}`, vni: n });
    await admin.call('DELETE', `${at}/networks/n${vni}`);
    const refused = await admin.refused('POST', `${at}/networks`, { name: 'again', vni });
    expect(refused).toMatchObject({ status: 409, code: 'vni_quarantined' });
    const left = Date.parse(refused.until!) - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(host().holdSeconds * 1000);
    expect(await admin.made<Network>('POST', `${at}/networks`, { name: 'other', vni: free })).toMatchObject({
      vni: free,
    });
    await vi.waitFor(() => admin.made('POST', `${at}/networks`, { name: 'again', vni }), {
      timeout: 10_000,
      interval: 100,
    });
    for (const n of [vni - 1, vni + 1]) await admin.call('DELETE', `${at}/networks/n${n}`);
  });

  test('a patch changes what it names, null clears, and what agents do not see leaves the table’s revision', async () => {
    const { admin, at } = await newTenant(host());
    const body = {
      name: 'a',
      subnet: '10.1.0.0/24',
      description: 'first',
      flood: 'multicast',
      multicastGroup: '239.1.1.1',
    };
    const made = await admin.made<Network>('POST', `${at}/networks`, body);
    const described = await admin.made<Network>('PATCH', `${at}/networks/a`, {
      description: null,
      subnet: '10.2.0.0/24',
    });
    expect(described).toMatchObject({ subnet: '10.2.0.0/24', revision: made.revision, multicastGroup: '239.1.1.1' });
    expect(described).not.toHaveProperty('description');
    const changed = await admin.made<Network>('PATCH', `${at}/networks/a`, {
      mtu: 1400,
      name: 'b',
      flood: 'headend',
      multicastGroup: null,
    });
    expect(changed.revision).toBeGreaterThan(made.revision);
    expect(changed).toMatchObject({ mtu: 1400, name: 'b', vni: made.vni });
    expect(changed).not.toHaveProperty('multicastGroup');
    expect(await admin.made('PATCH', `${at}/networks/b`, { mtu: 1400 })).toEqual(changed);
  });
}
