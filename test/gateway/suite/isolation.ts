import { expect, test } from 'vitest';
import { freshVni, type Host, newAgent, newTenant } from '../host.ts';

export function isolation(host: () => Host): void {
  test('another tenant’s anything is answered exactly as what is not there', async () => {
    const [mine, theirs] = [await newTenant(host()), await newTenant(host())];
    const network = await theirs.admin.made('POST', `${theirs.at}/networks`, { name: 'secret' });
    const agent = await newAgent(host(), theirs);
    const token = await theirs.admin.made('POST', `${theirs.at}/join-tokens`, {});
    await theirs.admin.made('PUT', `${theirs.at}/sites/${agent.name}/networks/secret`, {
      port: { type: 'host', name: 't' },
    });
    const { vni } = await theirs.admin.made<{ vni: number }>('GET', `${theirs.at}/networks/secret`);
    const mac = '02:00:00:00:00:01';
    await (await agent.caller()).made('POST', '/v1/agent/macs', { announce: [{ vni, mac }], withdraw: [] });
    const spy = await (await newAgent(host(), mine)).caller();
    const withdraw = [{ vni, mac }];
    expect(await spy.made('POST', '/v1/agent/macs', { announce: [], withdraw })).toMatchObject({ rejected: [] });
    expect(await spy.made('POST', '/v1/agent/macs', { announce: withdraw, withdraw: [] })).toMatchObject({
      rejected: [{ vni, mac, code: 'not_found' }],
    });
    await mine.admin.made('POST', `${mine.at}/networks`, { name: 'own' });
    await mine.admin.made('POST', `${mine.at}/sites`, { name: 'own', kind: 'static', vtep: { address: '192.0.2.1' } });
    const port = { port: { type: 'none' } };
    const tries: [string, string, unknown?][] = [];
    for (const at of [mine.at, theirs.at]) {
      tries.push(
        ['GET', `${at}/networks/${network.id}`],
        ['PATCH', `${at}/networks/${network.id}`, { mtu: 1000 }],
        ['DELETE', `${at}/networks/${network.id}`],
        ['GET', `${at}/sites/${agent.id}`],
        ['PATCH', `${at}/sites/${agent.id}`, { disabled: true }],
        ['DELETE', `${at}/sites/${agent.id}`],
        ['PUT', `${at}/sites/own/networks/${network.id}`, port],
        ['PUT', `${at}/sites/${agent.id}/networks/own`, port],
        ['DELETE', `${at}/sites/${agent.id}/networks/${network.id}`],
        ['GET', `${at}/join-tokens/${token.id}`],
        ['DELETE', `${at}/join-tokens/${token.id}`],
        ['GET', `${at}/networks/${network.id}/macs`],
        ['GET', `${at}/networks/own/macs?site=${agent.id}`],
        ['PUT', `${at}/networks/${network.id}/macs/${mac}`, { site: 'own' }],
        ['PUT', `${at}/networks/own/macs/${mac}`, { site: agent.id }],
        ['DELETE', `${at}/networks/${network.id}/macs/${mac}`],
        ['DELETE', `${at}/networks/own/macs/${mac}`],
        ['DELETE', `${at}/networks/${network.id}/macs/${mac}/freeze`],
        ['GET', `${at}/networks/${network.id}/convergence`],
      );
    }
    tries.push(
      ['GET', theirs.at],
      ['PATCH', theirs.at, { name: 'mine now' }],
      ['DELETE', theirs.at],
      ['GET', `${theirs.at}/networks`],
      ['GET', `${theirs.at}/sites`],
      ['GET', `${theirs.at}/join-tokens`],
      ['GET', `${theirs.at}/api-keys`],
      ['POST', `${theirs.at}/networks`, { name: 'x' }],
    );
    for (const [method, path, body] of tries) {
      expect(await mine.admin.refused(method, path, body), `${method} ${path}`).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    }
    const wanted = { networks: [{ network: network.id, port: { type: 'host', name: 't' } }] };
    expect(await mine.admin.refused('POST', `${mine.at}/join-tokens`, wanted)).toMatchObject({ status: 400 });
    expect(await theirs.admin.made('GET', `${theirs.at}/networks/secret`)).toMatchObject({ mtu: 1450 });
    expect(await theirs.admin.made('GET', `${theirs.at}/networks/secret/macs`)).toMatchObject({
      items: [{ mac, site: agent.id }],
    });
    expect(await theirs.admin.made('GET', `${theirs.at}/sites/${agent.id}`)).toMatchObject({
      status: 'online',
      networks: [{ name: 'secret' }],
    });
  });

  test('a site sees no site of another tenant, whatever their VNIs and VTEPs', async () => {
    const [mine, theirs] = [await newTenant(host()), await newTenant(host())];
    const vtep = { address: '192.0.2.1', port: 4789 };
    const pulls = [];
    for (const tenant of [mine, theirs]) {
      await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'a', vni: freshVni() });
      const [one, two] = [await newAgent(host(), tenant, { vtep }), await newAgent(host(), tenant)];
      for (const agent of [one, two]) {
        await tenant.admin.made('PUT', `${tenant.at}/sites/${agent.name}/networks/a`, {
          port: { type: 'host', name: 't' },
        });
      }
      const table = await (await one.caller()).made<{ networks: { vteps: { site: string }[] }[] }>(
        'GET',
        '/v1/agent/tables',
      );
      pulls.push([table.networks.flatMap(({ vteps }) => vteps.map(({ site }) => site)), [two.id]]);
    }
    for (const [seen, expected] of pulls) expect(seen).toEqual(expected);
  });

  test('an agent’s token opens nothing but the agent’s calls, and a tenant’s key none of those', async () => {
    const tenant = await newTenant(host());
    const agent = await (await newAgent(host(), tenant)).caller();
    expect(await agent.refused('GET', tenant.at)).toMatchObject({ status: 401 });
    for (const caller of [tenant.admin, tenant.operator]) {
      expect(await caller.refused('GET', '/v1/agent/tables')).toMatchObject({ status: 401 });
    }
  });
}
