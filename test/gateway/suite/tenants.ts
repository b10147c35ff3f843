import { expect, test } from 'vitest';
import { Caller, type Host, newTenant } from '../host.ts';

export function tenants(host: () => Host): void {
  test('the operator makes a tenant, changes one limit without touching the others, and deletes it', async () => {
    const { operator, at, slug } = await newTenant(host(), { sites: 7 });
    expect(await operator.made('GET', at)).toMatchObject({
      slug,
      limits: { networks: 100, sites: 7, macsPerNetwork: 10_000 },
    });
    const patched = await operator.made('PATCH', at, { limits: { networks: 1000 } });
    expect(patched).toMatchObject({ limits: { networks: 1000, sites: 7, macsPerNetwork: 10_000 } });
    expect((await operator.call('DELETE', at)).status).toBe(204);
    expect(await operator.refused('GET', at)).toMatchObject({ status: 404 });
  });

  test('a slug that is taken is 409', async () => {
    const { operator, slug } = await newTenant(host());
    expect(await operator.refused('POST', '/v1/tenants', { slug, name: 'x' })).toMatchObject({
      status: 409,
      code: 'slug_taken',
    });
  });

  test('a tenant with networks or sites is not deleted', async () => {
    const { operator, admin, at } = await newTenant(host());
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    expect(await operator.refused('DELETE', at)).toMatchObject({ status: 409, code: 'tenant_not_empty' });
    await admin.call('DELETE', `${at}/networks/a`);
    await admin.made('POST', `${at}/sites`, { name: 's', kind: 'static', vtep: { address: '192.0.2.1' } });
    expect(await operator.refused('DELETE', at)).toMatchObject({ status: 409, code: 'tenant_not_empty' });
    await admin.call('DELETE', `${at}/sites/s`);
    expect((await operator.call('DELETE', at)).status).toBe(204);
  });

  test('a key is shown once, then never again, and works until it is revoked', async () => {
    const { operator, at } = await newTenant(host());
    const made = await operator.made<{ id: string; key: string }>('POST', `${at}/api-keys`, {
      name: 'k',
      role: 'admin',
    });
    const holder = new Caller(host().url, made.key);
    expect((await holder.get(at)).status).toBe(200);
    const list = await operator.get(`${at}/api-keys`);
    expect(JSON.stringify(list.body)).toContain(made.id);
    expect(JSON.stringify(list.body)).not.toContain(made.key.slice(31));
    expect((await operator.call('DELETE', `${at}/api-keys/${made.id}`)).status).toBe(204);
    expect(await holder.refused('GET', at)).toMatchObject({ status: 401 });
    expect(await operator.refused('DELETE', `${at}/api-keys/${made.id}`)).toMatchObject({ status: 404 });
  });

  test('a key past its time is 401', async () => {
    const { operator, at } = await newTenant(host());
    const body = { name: 'k', role: 'admin', expiresAt: '2020-01-01T00:00:00Z' };
    const { key } = await operator.made<{ key: string }>('POST', `${at}/api-keys`, body);
    expect(await new Caller(host().url, key).refused('GET', at)).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
  });

  test('a viewer reads and writes nothing; an admin writes, but not what is the operator’s', async () => {
    const { operator, admin, at } = await newTenant(host());
    const { key } = await operator.made<{ key: string }>('POST', `${at}/api-keys`, { name: 'v', role: 'viewer' });
    const viewer = new Caller(host().url, key);
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    expect((await viewer.get(`${at}/networks/a`)).status).toBe(200);
    for (const [method, path] of [
      ['POST', `${at}/networks`],
      ['PATCH', `${at}/networks/a`],
      ['DELETE', `${at}/networks/a`],
      ['POST', `${at}/join-tokens`],
      ['POST', `${at}/sites`],
    ] as const) {
      expect(await viewer.refused(method, path, {}), `${method} ${path}`).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    }
    for (const [method, path] of [
      ['GET', '/v1/tenants'],
      ['POST', '/v1/tenants'],
      ['PATCH', at],
      ['DELETE', at],
      ['GET', `${at}/api-keys`],
      ['POST', `${at}/api-keys`],
    ] as const) {
      const body = method === 'GET' ? undefined : {};
      expect(await admin.refused(method, path, body), `${method} ${path}`).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    }
  });

  test('the pages of a list hold everything once, in order, and the last says it is the last', async () => {
    const { admin, at } = await newTenant(host());
    const names = ['alpha', 'Beta', 'b', 'gamma', 'zeta', 'b.1', 'b-2'];
    for (const name of names) await admin.made('POST', `${at}/networks`, { name });
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const page: { items: { name: string }[]; nextCursor: string | null } = await admin.made(
        'GET',
        `${at}/networks?limit=2${cursor}`,
      );
      expect(page.items.length).toBeGreaterThan(0);
      seen.push(...page.items.map(({ name }) => name));
      next = page.nextCursor;
    }
    expect(seen).toEqual([...names].sort());
    expect(await admin.refused('GET', `${at}/networks?cursor=***`)).toMatchObject({
      status: 400,
      code: 'invalid_cursor',
    });
    for (const limit of ['0', '501', 'x', '1.5']) {
      const refused = await admin.refused('GET', `${at}/networks?limit=${limit}`);
      expect(refused).toMatchObject({ status: 400, code: 'invalid_query', errors: [{ path: 'limit' }] });
    }
  });
}
