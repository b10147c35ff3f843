import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import { type Answer, Caller, type Host, newAgentKey, newTenant } from '../host.ts';

type Made = { id: string; name: string; code?: string };

/** POSTs that take no Idempotency-Key, each with its reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  '/v1/agent/heartbeat': 'it only says how things are: the last one counts',
  '/v1/agent/key': 'the same key again changes nothing',
  '/v1/session': 'signing in twice is two sessions, of which one is not used',
  '/v1/agent/macs': 'the same announcement again changes nothing',
};

let keys = 0;

export function idempotency(host: () => Host): void {
  const freshKey = () => {
    keys += 1;
    return `key-${keys}`;
  };
  const post = <T = Made>(caller: Caller, path: string, key: string, body: unknown): Promise<Answer<T>> =>
    caller.send<T>('POST', path, { body: JSON.stringify(body), headers: { 'idempotency-key': key } });

  test('the same request again is done once and answered the same, a secret in it included', async () => {
    const { admin, operator, at } = await newTenant(host());
    const [key, other] = [freshKey(), freshKey()];
    const first = await post(admin, `${at}/networks`, key, { name: 'a', mtu: 1400 });
    const again = await post(admin, `${at}/networks`, key, { mtu: 1400, name: 'a' });
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('content-type')).toMatch(/^application\/json/);
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/networks`)).items.length).toBe(1);

    const body = { name: 'k', role: 'viewer' };
    const made = await post<{ key: string }>(operator, `${at}/api-keys`, other, body);
    expect((await post(operator, `${at}/api-keys`, other, body)).body).toEqual(made.body);
    expect((await new Caller(host().url, made.body.key).get(at)).status).toBe(200);
  });

  test('the same request many times at once is done once; the others get its answer or are told to wait', async () => {
    const { admin, at } = await newTenant(host());
    const key = freshKey();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(admin, `${at}/networks`, key, { name: 'a' })),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
    for (const { status, body, headers } of answers.filter((answer) => answer.status !== 201)) {
      expect({ status, code: body.code }).toEqual({ status: 409, code: 'idempotency_in_progress' });
      expect(headers.get('retry-after')).toBe('1');
    }
    expect((await post(admin, `${at}/networks`, key, { name: 'a' })).body).toEqual(made[0]!.body);
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/networks`)).items.length).toBe(1);
  });

  test('a key that came with another body, or to another address, is refused; another caller’s is another key', async () => {
    const [tenant, other] = [await newTenant(host()), await newTenant(host())];
    const { admin, at } = tenant;
    const key = freshKey();
    await post(admin, `${at}/networks`, key, { name: 'a' });
    for (const [path, body] of [
      ['networks', { name: 'b' }],
      ['join-tokens', {}],
    ] as const) {
      expect(await post(admin, `${at}/${path}`, key, body)).toMatchObject({
        status: 422,
        body: { code: 'idempotency_mismatch' },
      });
    }
    expect((await post(other.admin, `${other.at}/networks`, key, { name: 'b' })).status).toBe(201);
    for (const bad of ['', 'x'.repeat(256), 'with space']) {
      expect(await post(admin, `${at}/networks`, bad, { name: 'c' })).toMatchObject({
        status: 400,
        body: { code: 'invalid_idempotency_key' },
      });
    }
  });

  test('a refusal did nothing, so the same key may try again', async () => {
    const { admin, at } = await newTenant(host());
    const key = freshKey();
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    const refused = await post(admin, `${at}/networks`, key, { name: 'a' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'name_taken' } });
    await admin.call('DELETE', `${at}/networks/a`);
    expect((await post(admin, `${at}/networks`, key, { name: 'a' })).status).toBe(201);
  });

  test('an enrolment takes a key too, and whoever has not the site’s key gets nothing by it', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const { id, token } = await admin.made<{ id: string; token: string }>('POST', `${at}/join-tokens`, { maxUses: 9 });
    const [mine, theirs] = [await newAgentKey(), await newAgentKey()];
    const body = {
      token,
      name: 's',
      publicKey: mine.publicKey,
      vtep: { address: '192.0.2.1', port: 4789 },
      version: '1.0.0',
    };
    const key = freshKey();
    const proof = async (of = mine) => new Caller(host().url, await of.sign(host().url, mine.publicKey));
    const first = await post(await proof(), '/v1/agent/enroll', key, body);
    const again = await post(await proof(), '/v1/agent/enroll', key, body);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    const thief = await post<Problem>(await proof(theirs), '/v1/agent/enroll', key, body);
    expect(thief).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await admin.made('GET', `${at}/join-tokens/${id}`)).toMatchObject({ uses: 1 });
  });

  test('every POST takes an Idempotency-Key, but those that need none', async () => {
    interface Document {
      paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    }
    const { paths } = await new Caller(host().url, null).made<Document>('GET', '/openapi.json');
    const posts = Object.entries(paths).filter(([, methods]) => 'post' in methods);
    expect(posts.length).toBeGreaterThan(5);
    const without = posts.filter(
      ([, { post }]) =>
        !post!.parameters?.some(({ in: place, name }) => place === 'header' && name === 'idempotency-key'),
    );
    expect(without.map(([path]) => path).filter((path) => !(path in WITHOUT))).toEqual([]);
  });
}
