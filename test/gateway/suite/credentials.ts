import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import type { ApiKey } from '../../../src/contract/tenants.ts';
import { type AgentKey, Caller, type Host, newAgent, newAgentKey, newTenant } from '../host.ts';

const TABLES = '/v1/agent/tables';
const KEY = '/v1/agent/key';

export function credentials(host: () => Host): void {
  test('a rotated key works beside the new one for as long as said, and not a moment where that is none', async () => {
    const { operator, at } = await newTenant(host());
    const until = '2999-01-01T00:00:00.000Z';
    const old = await operator.made<ApiKey & { key: string }>('POST', `${at}/api-keys`, {
      name: 'k',
      role: 'viewer',
      expiresAt: until,
    });
    const rotate = (id: string, overlapSeconds: number) =>
      operator.made<ApiKey & { key: string }>('POST', `${at}/api-keys/${id}/rotate`, { overlapSeconds });
    const begun = Date.now();
    const second = await rotate(old.id, 600);
    expect(second).toMatchObject({ name: 'k', role: 'viewer', expiresAt: until });
    for (const { key } of [old, second]) expect((await new Caller(host().url, key).get(at)).status).toBe(200);
    const { items } = await operator.made<{ items: ApiKey[] }>('GET', `${at}/api-keys`);
    const ends = Date.parse(items.find(({ id }) => id === old.id)!.expiresAt!);
    expect(ends - begun).toBeGreaterThanOrEqual(600_000);
    expect(ends - Date.now()).toBeLessThanOrEqual(600_000);

    const third = await rotate(second.id, 0);
    expect(await new Caller(host().url, second.key).refused('GET', at)).toMatchObject({ code: 'unauthenticated' });
    expect((await new Caller(host().url, third.key).get(at)).status).toBe(200);
    expect(await operator.refused('POST', `${at}/api-keys/none/rotate`, { overlapSeconds: 0 })).toMatchObject({
      code: 'not_found',
    });
    expect(await operator.refused('POST', `${at}/api-keys/${third.id}/rotate`, {})).toMatchObject({
      errors: [{ path: 'overlapSeconds' }],
    });
  });

  test('a site’s new key, proven and signed for by the old one, takes its place at once; done again it changes nothing', async () => {
    const tenant = await newTenant(host());
    const agent = await newAgent(host(), tenant);
    const next = await newAgentKey();
    const body = { publicKey: next.publicKey, proof: await proofFor(next, agent.id) };
    expect((await (await agent.caller()).call('POST', KEY, body)).status).toBe(204);
    expect(await (await agent.caller()).refused('GET', TABLES)).toMatchObject({ status: 401, code: 'unauthenticated' });
    const byNew = new Caller(host().url, await next.sign(host().url, agent.id));
    expect((await byNew.get(TABLES)).status).toBe(200);
    expect((await byNew.call('POST', KEY, body)).status).toBe(204);
    type Items = { items: { kind: string; actor: object; before: object; after: object }[] };
    const { items } = await tenant.admin.made<Items>('GET', `${tenant.at}/events?kind=site_key_rotated`);
    expect(items).toMatchObject([
      {
        actor: { kind: 'site', id: agent.id },
        before: { publicKey: agent.key.publicKey },
        after: { publicKey: next.publicKey },
      },
    ]);
  });

  test('a new key that is not proven, not for this site, or another site’s, changes nothing', async () => {
    const tenant = await newTenant(host());
    const [agent, other] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    const [next, stranger] = [await newAgentKey(), await newAgentKey()];
    const refused = async (publicKey: string, proof: string): Promise<Problem> =>
      (await agent.caller()).refused('POST', KEY, { publicKey, proof });
    const unproven = { code: 'invalid_body', errors: [{ path: 'proof' }] };
    expect(await refused(next.publicKey, await proofFor(stranger, agent.id))).toMatchObject(unproven);
    expect(await refused(next.publicKey, await proofFor(next, other.id))).toMatchObject(unproven);
    expect(await refused(next.publicKey, await next.sign(host().url, next.publicKey))).toMatchObject(unproven);
    expect(await refused(next.publicKey, 'nonsense')).toMatchObject(unproven);
    expect(await refused(other.key.publicKey, await proofFor(other.key, agent.id))).toMatchObject({
      status: 409,
      code: 'key_taken',
    });
    const body = { publicKey: next.publicKey, proof: await proofFor(next, agent.id) };
    const thief = new Caller(host().url, await stranger.sign(host().url, agent.id));
    expect(await thief.refused('POST', KEY, body)).toMatchObject({ status: 401 });
    for (const { caller } of [agent, other]) expect((await (await caller()).get(TABLES)).status).toBe(200);
  });

  test('of many new keys asked for at once by the same old one, exactly one becomes the site’s', async () => {
    const agent = await newAgent(host(), await newTenant(host()));
    const caller = await agent.caller();
    const keys = await Promise.all(Array.from({ length: 5 }, newAgentKey));
    const answers = await Promise.all(
      keys.map(async (key) => {
        const { status } = await caller.call('POST', KEY, {
          publicKey: key.publicKey,
          proof: await proofFor(key, agent.id),
        });
        return status;
      }),
    );
    expect(answers.filter((status) => status === 204).length).toBe(1);
    const works = await Promise.all(
      keys.map(async (key) => (await new Caller(host().url, await key.sign(host().url, agent.id)).get(TABLES)).status),
    );
    expect(works.map((status) => status === 200)).toEqual(answers.map((status) => status === 204));
  });

  test('a disabled site is refused by the very next request, and its peers’ tables have it no more', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    const [agent, peer] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    for (const { id } of [agent, peer]) {
      await admin.made('PUT', `${at}/sites/${id}/networks/a`, { port: { type: 'host', name: 't' } });
    }
    type Table = { networks: { vteps: { site: string }[] }[] };
    const seen = async () => (await (await peer.caller()).made<Table>('GET', TABLES)).networks[0]!.vteps;
    expect((await seen()).map(({ site }) => site)).toEqual([agent.id]);
    await admin.made('PATCH', `${at}/sites/${agent.id}`, { disabled: true });
    expect(await (await agent.caller()).refused('GET', TABLES)).toMatchObject({ status: 403, code: 'site_disabled' });
    expect(await seen()).toEqual([]);
  });

  /** The signer says `sub`, beside what every token of an agent says. */
  function proofFor(key: AgentKey, site: string): Promise<string> {
    return key.sign(host().url, key.publicKey, { sub: site });
  }
}
