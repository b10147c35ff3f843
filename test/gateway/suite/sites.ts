import { expect, test } from 'vitest';
import type { Site } from '../../../src/contract/sites.ts';
import { type Host, newAgent, newTenant } from '../host.ts';

export function sites(host: () => Host): void {
  test('a static site is made with the VXLAN port, shown, changed and deleted', async () => {
    const { admin, at } = await newTenant(host());
    const body = {
      name: 'switch',
      kind: 'static',
      vtep: { address: '2001:DB8::1' },
      labels: { rack: '7' },
      where: 'Ghent',
    };
    const made = await admin.made<Site>('POST', `${at}/sites`, body);
    expect(made).toMatchObject({
      kind: 'static',
      status: 'online',
      vtep: { address: '2001:db8::1', port: 4789 },
      where: 'Ghent',
      networks: [],
    });
    expect(await admin.made('GET', `${at}/sites/switch`)).toEqual(made);
    const patched = await admin.made<Site>('PATCH', `${at}/sites/${made.id}`, {
      name: 'leaf',
      vtep: { address: '192.0.2.9' },
      where: null,
      disabled: true,
    });
    expect(patched).toMatchObject({
      name: 'leaf',
      status: 'disabled',
      vtep: { address: '192.0.2.9', port: 4789 },
      labels: { rack: '7' },
    });
    expect(patched).not.toHaveProperty('where');
    expect((await admin.call('DELETE', `${at}/sites/leaf`)).status).toBe(204);
    expect(await admin.refused('GET', `${at}/sites/leaf`)).toMatchObject({ status: 404 });
  });

  test('names and VTEPs are unique in a tenant, and the number of sites is limited', async () => {
    const { admin, at } = await newTenant(host(), { sites: 2 });
    const site = (name: string, address: string) => ({ name, kind: 'static', vtep: { address } });
    await admin.made('POST', `${at}/sites`, site('a', '192.0.2.1'));
    expect(await admin.refused('POST', `${at}/sites`, site('a', '192.0.2.2'))).toMatchObject({
      status: 409,
      code: 'name_taken',
    });
    expect(await admin.refused('POST', `${at}/sites`, site('b', '192.0.2.1'))).toMatchObject({
      status: 409,
      code: 'vtep_taken',
    });
    await admin.made('POST', `${at}/sites`, site('b', '192.0.2.2'));
    expect(await admin.refused('PATCH', `${at}/sites/b`, { vtep: { address: '192.0.2.1' } })).toMatchObject({
      status: 409,
      code: 'vtep_taken',
    });
    expect(await admin.refused('PATCH', `${at}/sites/b`, { name: 'a' })).toMatchObject({
      status: 409,
      code: 'name_taken',
    });
    expect(await admin.refused('POST', `${at}/sites`, site('c', '192.0.2.3'))).toMatchObject({
      status: 403,
      code: 'quota_exceeded',
    });
  });

  test('attaching is 201, again the same 200 with no new revision, another port 200 with one; detaching is 204, then 404', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const { vni, id: network } = await admin.made<{ id: string; vni: number }>('POST', `${at}/networks`, { name: 'a' });
    const site = await newAgent(host(), tenant);
    const path = `${at}/sites/${site.name}/networks/a`;
    const port = { type: 'host', name: 'tap0' };
    const first = await admin.call<{ revision: number }>('PUT', path, { port });
    expect(first).toMatchObject({ status: 201, body: { site: site.id, network, vni, port } });
    expect(await admin.call('PUT', path, { port })).toMatchObject({ status: 200, body: first.body });
    const other = await admin.call('PUT', path, { port: { type: 'bridge', name: 'br0' } });
    expect(other).toMatchObject({
      status: 200,
      body: { revision: first.body.revision + 1, port: { type: 'bridge', name: 'br0' } },
    });
    expect(await admin.made('GET', `${at}/sites/${site.id}`)).toMatchObject({
      networks: [{ network, name: 'a', vni }],
    });
    expect((await admin.call('DELETE', path)).status).toBe(204);
    expect(await admin.refused('DELETE', path)).toMatchObject({ status: 404, code: 'not_found' });
    expect((await admin.call('PUT', path, { port })).status).toBe(201);
  });

  test('attaching one site many times at once counts once', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    const [one, two] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    await admin.made('PUT', `${at}/sites/${one.name}/networks/a`, { port: { type: 'host', name: 't' } });
    const before = await admin.made<{ revision: number }>('GET', at);
    const path = `${at}/sites/${two.name}/networks/a`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => admin.call('PUT', path, { port: { type: 'host', name: 't' } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(await admin.made('GET', at)).toMatchObject({ revision: before.revision + 1 });
  });

  test('a static site takes no port of ours, and a site with an agent takes one', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    const agent = await newAgent(host(), tenant);
    await admin.made('POST', `${at}/sites`, { name: 'st', kind: 'static', vtep: { address: '192.0.2.77' } });
    const put = (site: string, port: unknown) => admin.call('PUT', `${at}/sites/${site}/networks/a`, { port });
    expect(await put('st', { type: 'host', name: 't' })).toMatchObject({
      status: 422,
      body: { code: 'port_not_for_site' },
    });
    expect(await put(agent.name, { type: 'none' })).toMatchObject({ status: 422, body: { code: 'port_not_for_site' } });
    expect(await put('st', { type: 'none' })).toMatchObject({ status: 201 });
    const token = { networks: [{ network: 'a', port: { type: 'none' } }] };
    expect(await admin.refused('POST', `${at}/join-tokens`, token)).toMatchObject({
      status: 422,
      code: 'port_not_for_site',
    });
  });

  test('attaching what is not there is 404', async () => {
    const { admin, at } = await newTenant(host());
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    await admin.made('POST', `${at}/sites`, { name: 's', kind: 'static', vtep: { address: '192.0.2.1' } });
    const body = { port: { type: 'none' } };
    expect(await admin.refused('PUT', `${at}/sites/x/networks/a`, body)).toMatchObject({ status: 404 });
    expect(await admin.refused('PUT', `${at}/sites/s/networks/x`, body)).toMatchObject({ status: 404 });
    expect(await admin.refused('DELETE', `${at}/sites/s/networks/a`)).toMatchObject({ status: 404 });
  });

  test('a heartbeat makes the site online, with how far each network has come', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const { vni } = await admin.made<{ vni: number }>('POST', `${at}/networks`, { name: 'a' });
    const site = await newAgent(host(), tenant);
    await admin.made('PUT', `${at}/sites/${site.name}/networks/a`, { port: { type: 'host', name: 't' } });
    const agent = await site.caller();
    const pulled = await agent.made<{ cursor: string; networks: { revision: number; digest: string }[] }>(
      'GET',
      '/v1/agent/tables',
    );
    const { revision, digest } = pulled.networks[0]!;
    const beat = {
      cursor: pulled.cursor,
      version: '1.2.3',
      networks: [{ vni, revision, digest, counters: { rxFrames: 7 } }],
    };
    expect((await agent.call('POST', '/v1/agent/heartbeat', beat)).status).toBe(204);
    expect(await admin.made('GET', `${at}/sites/${site.id}`)).toMatchObject({
      status: 'online',
      version: '1.2.3',
      networks: [{ vni, revision, appliedRevision: revision, lag: 0, digestMatch: true, counters: { rxFrames: 7 } }],
    });
    const other = await newAgent(host(), tenant);
    await admin.made('PUT', `${at}/sites/${other.name}/networks/a`, { port: { type: 'host', name: 't' } });
    const [shown] = (await admin.made<{ items: Site[] }>('GET', `${at}/sites`)).items.filter(
      ({ id }) => id === site.id,
    );
    expect(shown!.networks[0]).toMatchObject({ appliedRevision: revision, digestMatch: false });
    expect(shown!.networks[0]!.lag).toBeGreaterThan(0);
  });

  test('what a site reports of networks that it does not carry is not kept, and only so much of it told, however much it says', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const { vni } = await admin.made<{ vni: number }>('POST', `${at}/networks`, { name: 'a' });
    const site = await newAgent(host(), tenant);
    const agent = await site.caller();
    const said = (of: number, heldRemovals?: number) => ({
      vni: of,
      revision: 0,
      digest: '000000000000',
      counters: {},
      ...(heldRemovals === undefined ? {} : { heldRemovals }),
    });
    const beat = (networks: object[]) =>
      agent.call('POST', '/v1/agent/heartbeat', { cursor: 'c', version: '1.2.3', networks });
    const held = async () =>
      (await admin.made<{ items: unknown[] }>('GET', `${at}/events?kind=removal_held&limit=500`)).items;
    const strangers = Array.from({ length: 4000 }, (_, i) => vni + 1 + i);
    expect((await beat(strangers.map((of) => said(of)))).status).toBe(204);
    expect((await beat(strangers.map((of) => said(of, 1)))).status).toBe(204);
    const told = await held();
    expect(told).toHaveLength(100);

    await admin.made('PUT', `${at}/sites/${site.name}/networks/a`, { port: { type: 'host', name: 't' } });
    expect((await beat([said(vni, 3), said(vni + 1, 3), said(vni + 2)])).status).toBe(204);
    expect((await beat([said(vni, 4)])).status).toBe(204);
    expect((await held()).slice(told.length)).toMatchObject([{ subject: site.id, after: { vni, peers: 3 } }]);
    expect(await beat([said(vni), said(vni)])).toMatchObject({ status: 400, body: { code: 'invalid_body' } });
    const body = JSON.stringify({ cursor: 'c', version: '1.2.3', networks: [said(vni)] });
    for (const wrong of [
      body.replace('1.2.3', `1.2.3-${'a'.repeat(100)}`),
      body.replace('{}', '{"rxFrames": 1e999}'),
      body.replace('{}', JSON.stringify(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`c${i}`, i])))),
    ]) {
      expect((await agent.send('POST', '/v1/agent/heartbeat', { body: wrong })).status).toBe(400);
    }
  });
}
