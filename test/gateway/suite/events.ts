import { expect, test } from 'vitest';
import type { Event } from '../../../src/contract/events.ts';
import { Caller, enrol, type Host, newAgent, newAgentKey, newTenant, type TestTenant } from '../host.ts';

interface EventPage {
  items: Event[];
  nextCursor: string | null;
}

export function events(host: () => Host): void {
  const eventsOf = async ({ admin, at }: TestTenant, query = '') =>
    (await admin.made<EventPage>('GET', `${at}/events?limit=500${query}`)).items;

  test('every change says who made it, from where, what was before and what is after; a refused or idle one says nothing', async () => {
    const tenant = await newTenant(host());
    const { admin, operator, at } = tenant;
    const port = { type: 'host', name: 't' };
    const keys = await operator.made<{ items: { id: string }[] }>('GET', `${at}/api-keys`);
    const keyId = keys.items[0]!.id;
    const begin = (await eventsOf(tenant)).at(-1)!.id;
    const network = await admin.made<{ id: string; vni: number }>('POST', `${at}/networks`, { name: 'a' });
    await admin.made('PATCH', `${at}/networks/a`, { mtu: 1300 });
    await admin.made('PATCH', `${at}/networks/a`, { mtu: 1300 });
    await admin.refused('POST', `${at}/networks`, { name: 'a' });
    const wanted = { networks: [{ network: 'a', port }] };
    const token = await admin.made<{ id: string; token: string }>('POST', `${at}/join-tokens`, wanted);
    const site = (await enrol(host(), await newAgentKey(), { token: token.token, name: 's' })).body.site;
    for (const name of ['t', 'u', 'u']) {
      await admin.made('PUT', `${at}/sites/s/networks/a`, { port: { type: 'host', name } });
    }
    await admin.made('PATCH', `${at}/sites/s`, { disabled: true });
    await admin.call('DELETE', `${at}/sites/s/networks/a`);
    await admin.call('DELETE', `${at}/sites/s`);
    await admin.call('DELETE', `${at}/networks/a`);
    await admin.call('DELETE', `${at}/join-tokens/${token.id}`);
    await operator.made('PATCH', at, { limits: { sites: 5 } });
    const key = await operator.made<{ id: string; key: string }>('POST', `${at}/api-keys`, {
      name: 'k',
      role: 'viewer',
    });
    await operator.call('DELETE', `${at}/api-keys/${key.id}`);

    const happened = await eventsOf(tenant, `&since=${begin}`);
    expect(happened.map(({ kind, actor, subject }) => [kind, actor.kind, subject])).toEqual([
      ['network_created', 'key', network.id],
      ['network_changed', 'key', network.id],
      ['join_token_created', 'key', token.id],
      ['site_enrolled', 'site', site],
      ['site_attached', 'site', site],
      ['site_attached', 'key', site],
      ['site_changed', 'key', site],
      ['site_detached', 'key', site],
      ['site_deleted', 'key', site],
      ['network_deleted', 'key', network.id],
      ['join_token_deleted', 'key', token.id],
      ['tenant_changed', 'operator', expect.any(String)],
      ['api_key_created', 'operator', key.id],
      ['api_key_deleted', 'operator', key.id],
    ]);
    expect(happened[0]).toMatchObject({
      actor: { kind: 'key', id: keyId, name: 'test' },
      address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      requestId: expect.any(String),
      after: { name: 'a', vni: network.vni, mtu: 1450, arpSuppression: false },
    });
    expect(happened[0]).not.toHaveProperty('before');
    expect(happened[1]).toMatchObject({ before: { mtu: 1450 }, after: { mtu: 1300 } });
    expect(happened[3]!.actor).toEqual({ kind: 'site', id: site, name: 's' });
    expect(happened[4]).toMatchObject({ after: { network: network.id, vni: network.vni, port } });
    expect(happened[5]).toMatchObject({ before: { port }, after: { port: { name: 'u' } } });
    expect(happened[6]).toMatchObject({ before: { disabled: false }, after: { disabled: true } });
    expect(happened[9]).toMatchObject({ before: { mtu: 1300 } });
    expect(happened[9]).not.toHaveProperty('after');
    expect(happened[11]).toMatchObject({ before: { limits: { sites: 100 } }, after: { limits: { sites: 5 } } });
    const revisions = happened.map(({ revision }) => revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(JSON.stringify(happened)).not.toMatch(/olk_|olj_|hash/);
  });

  test('a list of events goes either way, by kind, and on from an event or a time, and misses none', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    for (const name of ['a', 'b', 'c']) await admin.made('POST', `${at}/networks`, { name });
    const all = await eventsOf(tenant);
    expect(all.map(({ kind }) => kind)).toEqual(['api_key_created', ...Array(3).fill('network_created')]);
    expect(await eventsOf(tenant, '&order=newest')).toEqual([...all].reverse());
    expect(await eventsOf(tenant, '&kind=network_created')).toEqual(all.slice(1));
    expect(await eventsOf(tenant, `&since=${all[1]!.id}`)).toEqual(all.slice(2));
    expect(await eventsOf(tenant, `&since=${all[3]!.id}`)).toEqual([]);
    expect(await eventsOf(tenant, `&since=${all[0]!.at}`)).toEqual(all);
    for (const order of ['oldest', 'newest']) {
      const paged: Event[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page: EventPage = await admin.made('GET', `${at}/events?limit=1&order=${order}${more}`);
        paged.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(paged).toEqual(await eventsOf(tenant, `&order=${order}`));
    }
    for (const [query, path] of [
      ['since=yesterday', 'since'],
      ['kind=nothing', 'kind'],
      ['order=random', 'order'],
    ]) {
      expect(await admin.refused('GET', `${at}/events?${query}`)).toMatchObject({
        code: 'invalid_query',
        errors: [{ path }],
      });
    }
  });

  test('tenants that come and go are the operator’s to see, and so is what happened in one that is no more', async () => {
    const tenant = await newTenant(host());
    const { admin, operator, at, slug } = tenant;
    const { id } = await operator.made('GET', at);
    await operator.call('DELETE', at);
    const { items } = await operator.made<EventPage>('GET', '/v1/events?order=newest&limit=500');
    const own = items.filter(({ subject }) => subject === id);
    expect(own.map(({ kind }) => kind)).toEqual(['tenant_deleted', 'tenant_created']);
    expect(own[0]).toMatchObject({ before: { slug }, actor: { kind: 'operator' } });
    const after = await operator.made<EventPage>('GET', `/v1/events?tenant=${id}`);
    expect(after.items.map(({ kind }) => kind)).toEqual(['api_key_created']);
    expect(await admin.refused('GET', '/v1/events')).toMatchObject({ status: 401 });
  });

  test('coming to nine tenths of a limit is an event, each time, and usage says how much is left', async () => {
    const tenant = await newTenant(host(), { networks: 10, sites: 2, macsPerNetwork: 10 });
    const { admin, operator, at } = tenant;
    const { key } = await operator.made<{ key: string }>('POST', `${at}/api-keys`, { name: 'v', role: 'viewer' });
    for (let n = 1; n <= 10; n++) await admin.made('POST', `${at}/networks`, { name: `n${n}` });
    await admin.made('POST', `${at}/sites`, { name: 's', kind: 'static', vtep: { address: '192.0.2.1' } });
    const agent = await newAgent(host(), tenant);
    await admin.made('PUT', `${at}/sites/${agent.id}/networks/n1`, { port: { type: 'host', name: 't' } });
    const { id, vni } = await admin.made<{ id: string; vni: number }>('GET', `${at}/networks/n1`);
    const macs = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, i) => ({ vni, mac: `02:00:00:00:00:1${from + i - 1}` }));
    for (const announce of [macs(1, 8), macs(1, 9), macs(5, 10)]) {
      await (await agent.caller()).made('POST', '/v1/agent/macs', { announce, withdraw: [] });
    }
    await admin.made('DELETE', `${at}/networks/n1/macs/${macs(9, 9)[0]!.mac}`);
    await admin.made('DELETE', `${at}/networks/n1/macs/${macs(10, 10)[0]!.mac}`);
    await admin.made('PUT', `${at}/networks/n1/macs/${macs(9, 9)[0]!.mac}`, { site: agent.id });
    const near = await eventsOf(tenant, '&kind=quota_near');
    expect(near.map(({ subject, after }) => [subject, after])).toEqual([
      ['networks', { used: 9, limit: 10 }],
      ['sites', { used: 2, limit: 2 }],
      [id, { used: 9, limit: 10 }],
      [id, { used: 9, limit: 10 }],
    ]);
    expect(await new Caller(host().url, key).made('GET', `${at}/usage`)).toMatchObject({
      networks: { used: 10, limit: 10 },
      sites: { used: 2, limit: 2 },
      macsPerNetwork: { used: 9, limit: 10 },
    });
  });

  test('a page looks at so many events and no more, and the next goes on from there', async () => {
    const { admin, at, slug } = await newTenant(host());
    await host().write(
      `INSERT INTO events (tenant_id, at, kind, revision, actor, subject)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        SELECT t.id, i, 'mac_moved', 0, '{"kind":"system"}', 'm' FROM n, tenants t WHERE t.slug = ?`,
      slug,
    );
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    for (const filter of ['kind=network_created', 'search=network_created']) {
      const page = (query: string) => admin.made<EventPage>('GET', `${at}/events?${filter}${query}`);
      const first = await page('');
      expect(first).toMatchObject({ items: [], nextCursor: expect.any(String) });
      expect(await page(`&cursor=${first.nextCursor}`)).toMatchObject({
        items: [{ kind: 'network_created' }],
        nextCursor: null,
      });
      const newest = await page('&order=newest');
      expect(newest).toMatchObject({ items: [{ kind: 'network_created' }], nextCursor: expect.any(String) });
      expect(await page(`&order=newest&cursor=${newest.nextCursor}`)).toEqual({ items: [], nextCursor: null });
    }
  });
}
