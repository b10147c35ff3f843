import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import type { Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { applied, digestOfApplied, plain } from '../applied-table.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';

const port = { type: 'host', name: 'tap0' };

export function tables(host: () => Host): void {
  async function pull(agent: TestAgent, cursor?: string): Promise<TableUpdate | null> {
    const caller = await agent.caller();
    const answer = await caller.get<TableUpdate>(`/v1/agent/tables${cursor === undefined ? '' : `?cursor=${cursor}`}`);
    if (answer.status === 304) return null;
    expect(answer.status).toBe(200);
    return answer.body;
  }

  async function pair(): Promise<{
    tenant: TestTenant;
    one: TestAgent;
    two: TestAgent;
    attach: (a: TestAgent) => Promise<unknown>;
  }> {
    const tenant = await newTenant(host());
    await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'a' });
    const one = await newAgent(host(), tenant, { vtep: { address: '192.0.2.1', port: 4789 } });
    const two = await newAgent(host(), tenant, { vtep: { address: '192.0.2.2', port: 4789 } });
    const attach = (agent: TestAgent) =>
      tenant.admin.made('PUT', `${tenant.at}/sites/${agent.name}/networks/a`, { port });
    return { tenant, one, two, attach };
  }

  test('a site gets its networks with all other sites, never itself, and a digest that it can compute', async () => {
    const { one, two, attach } = await pair();
    expect(await pull(one)).toMatchObject({ kind: 'snapshot', networks: [] });
    await attach(one);
    await attach(two);
    const table = (await pull(one)) as Snapshot;
    expect(table).toMatchObject({
      kind: 'snapshot',
      networks: [
        {
          name: 'a',
          mtu: 1450,
          port,
          flood: 'headend',
          macs: [],
          vteps: [{ site: two.id, address: '192.0.2.2', port: 4789 }],
        },
      ],
    });
    const [network] = applied(new Map(), table).values();
    expect(network!.digest).toBe(digestOfApplied(network!));
    expect(table.networks[0]).not.toHaveProperty('gone');
  });

  test('with nothing new the answer is 304, and a change elsewhere in the tenant is a delta that names nothing', async () => {
    const { tenant, one, attach } = await pair();
    await attach(one);
    const first = (await pull(one))!;
    expect(await pull(one, first.cursor)).toBeNull();
    await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'b' });
    const next = (await pull(one, first.cursor))!;
    expect(next).toEqual({ kind: 'delta', from: first.cursor, cursor: expect.any(String), networks: [] });
    expect(await pull(one, next.cursor)).toBeNull();
  });

  test('attaching, moving, patching, disabling, detaching and deleting each come as a delta of just that', async () => {
    const { tenant, one, two, attach } = await pair();
    const { admin, at } = tenant;
    await attach(one);
    let table = applied(new Map(), (await pull(one))!);
    let cursor = ((await pull(one)) as Snapshot).cursor;
    const changes: [() => Promise<unknown>, object | null][] = [
      [() => attach(two), { vteps: [{ site: two.id, address: '192.0.2.2', port: 4789 }] }],
      [
        () => admin.made('PATCH', `${at}/sites/${two.name}`, { vtep: { address: '192.0.2.3' } }),
        { vteps: [{ site: two.id, address: '192.0.2.3' }] },
      ],
      [() => admin.made('PATCH', `${at}/networks/a`, { mtu: 1400 }), { mtu: 1400, vteps: [] }],
      [() => admin.made('PATCH', `${at}/networks/a`, { description: 'x' }), null],
      [() => admin.made('PUT', `${at}/sites/${two.name}/networks/a`, { port: { type: 'bridge', name: 'b' } }), null],
      [
        () => admin.made('PUT', `${at}/sites/${one.name}/networks/a`, { port: { type: 'bridge', name: 'b' } }),
        { port: { type: 'bridge', name: 'b' }, vteps: [] },
      ],
      [
        () => admin.made('PATCH', `${at}/sites/${two.name}`, { disabled: true }),
        { vteps: [], gone: { vteps: [two.id] } },
      ],
      [() => admin.made('PATCH', `${at}/sites/${two.name}`, { disabled: false }), { vteps: [{ site: two.id }] }],
      [() => admin.call('DELETE', `${at}/sites/${two.name}/networks/a`), { vteps: [], gone: { vteps: [two.id] } }],
      [() => attach(two), { vteps: [{ site: two.id }] }],
      [() => admin.call('DELETE', `${at}/sites/${two.name}`), { vteps: [], gone: { vteps: [two.id], macs: [] } }],
    ];
    for (const [change, expected] of changes) {
      await change();
      const delta = (await pull(one, cursor))!;
      expect(delta).toMatchObject({ kind: 'delta', from: cursor, networks: expected === null ? [] : [expected] });
      table = applied(table, delta);
      cursor = delta.cursor;
      const fresh = (await pull(one))!;
      expect(plain(table)).toEqual(plain(applied(new Map(), fresh)));
      for (const network of table.values()) expect(network.digest).toBe(digestOfApplied(network));
    }
    const [vni] = table.keys();
    await admin.call('DELETE', `${at}/networks/a`);
    expect(await pull(one, cursor)).toMatchObject({ kind: 'delta', networks: [], goneNetworks: [vni] });
    expect(await pull(one)).toMatchObject({ kind: 'snapshot', networks: [] });
  });

  test('another site’s cursor, a malformed one and one of the future get a snapshot', async () => {
    const { one, two, attach } = await pair();
    await attach(one);
    const mine = (await pull(one))!.cursor;
    const theirs = (await pull(two))!.cursor;
    for (const cursor of [theirs, 'nonsense', '', `${mine}9`, `${mine}.1`]) {
      expect(await pull(one, cursor), cursor).toMatchObject({ kind: 'snapshot', networks: [{ name: 'a' }] });
    }
  });

  test('a cursor older than the tombstones that are kept gets a snapshot, a younger one a delta', async () => {
    const { tenant, one, two, attach } = await pair();
    await attach(one);
    await attach(two);
    const old = (await pull(one))!.cursor;
    await tenant.admin.call('DELETE', `${tenant.at}/sites/${two.name}/networks/a`);
    const young = (await pull(one, old))!;
    expect(young).toMatchObject({ kind: 'delta', networks: [{ gone: { vteps: [two.id] } }] });
    await host().keepHouse();
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1300 });
    expect(await pull(one, old)).toMatchObject({ kind: 'snapshot', networks: [{ mtu: 1300, vteps: [] }] });
    expect(await pull(one, young.cursor)).toMatchObject({ kind: 'delta', networks: [{ mtu: 1300 }] });
  });

  test('a disabled site is refused until it is enabled, a deleted one for good', async () => {
    const { tenant, one, two, attach } = await pair();
    await attach(one);
    await attach(two);
    const { cursor } = (await pull(one))!;
    const path = `${tenant.at}/sites/${one.name}`;
    await tenant.admin.made('PATCH', path, { disabled: true });
    expect(await (await one.caller()).refused('GET', '/v1/agent/tables')).toMatchObject({
      status: 403,
      code: 'site_disabled',
    });
    expect(await pull(two)).toMatchObject({ networks: [{ vteps: [] }] });
    await tenant.admin.made('PATCH', path, { disabled: false });
    expect(await pull(one, cursor)).toMatchObject({ kind: 'delta', networks: [{ vteps: [{ site: two.id }] }] });
    await tenant.admin.call('DELETE', path);
    expect(await (await one.caller()).refused('GET', '/v1/agent/tables')).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
  });

  test('a clock a little off is forgiven; one far off is refused with the time, as is a token that lives too long', async () => {
    const { one } = await pair();
    const tryWith = async (changes: Parameters<TestAgent['caller']>[0]) =>
      (await one.caller(changes)).call<Problem>('GET', '/v1/agent/tables');
    expect((await tryWith({ clockOff: -100 })).status).toBe(200);
    expect((await tryWith({ clockOff: 50 })).status).toBe(200);
    for (const clockOff of [-600, 600]) {
      const refused = await tryWith({ clockOff });
      expect(refused).toMatchObject({ status: 401, body: { code: 'token_expired' } });
      expect(refused.body.detail).toContain(new Date().toISOString().slice(0, 13));
      expect(Math.abs(Date.parse(refused.headers.get('date')!) - Date.now())).toBeLessThan(5000);
    }
    expect(await tryWith({ lifeSeconds: 121 })).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  test('a token of another site’s key, for another gateway or in another’s name is refused', async () => {
    const { one, two } = await pair();
    for (const changes of [
      { kid: two.id },
      { kid: two.id, iss: two.id },
      { iss: two.id },
      { aud: 'https://elsewhere.example' },
    ]) {
      const caller = await one.caller(changes);
      expect(await caller.refused('GET', '/v1/agent/tables')).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
  });
}
