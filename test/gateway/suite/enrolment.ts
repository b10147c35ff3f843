import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import type { Site } from '../../../src/contract/sites.ts';
import { AgentKey, Caller, enrol, type Host, newAgentKey, newTenant, type TestTenant } from '../host.ts';

type Token = { id: string; token: string };

export function enrolment(host: () => Host): void {
  const tokenOf = ({ admin, at }: TestTenant, body = {}) => admin.made<Token>('POST', `${at}/join-tokens`, body);

  test('a token is shown once; the site it enrols has its labels and is attached to its networks', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const { id: network, vni } = await admin.made<{ id: string; vni: number }>('POST', `${at}/networks`, { name: 'a' });
    const port = { type: 'host', name: 'tap0' };
    const made = await tokenOf(tenant, { networks: [{ network: 'a', port }], labels: { region: 'be' } });
    const answer = await enrol(host(), await newAgentKey(), {
      token: made.token,
      name: 'gent',
      vtep: { address: '192.0.2.5', port: 4789 },
    });
    expect(answer).toMatchObject({
      status: 201,
      body: { tenant: tenant.slug, name: 'gent', vtep: { address: '192.0.2.5', port: 4789 } },
    });
    expect(await admin.made('GET', `${at}/sites/gent`)).toMatchObject({
      id: answer.body.site,
      kind: 'agent',
      status: 'online',
      version: '1.0.0',
      labels: { region: 'be' },
      networks: [{ network, vni, port }],
    });
    const shown = await admin.made('GET', `${at}/join-tokens/${made.id}`);
    expect(shown).toMatchObject({ uses: 1, maxUses: 1, networks: [{ network, port }] });
    expect(JSON.stringify([shown, await admin.made('GET', `${at}/join-tokens`)])).not.toContain(made.token.slice(31));
  });

  test('the same key again finds the same site, with its new VTEP and version, however used up the token is', async () => {
    const tenant = await newTenant(host());
    const { token } = await tokenOf(tenant);
    const key = await newAgentKey();
    const first = await enrol(host(), key, { token, name: 'one' });
    const again = await enrol(host(), key, {
      token,
      name: 'renamed',
      version: '2.0.0',
      vtep: { address: '192.0.2.99', port: 4789 },
    });
    expect(again).toMatchObject({ status: 200, body: { site: first.body.site, name: 'one' } });
    const site = await tenant.admin.made<Site>('GET', `${tenant.at}/sites/one`);
    expect(site).toMatchObject({ version: '2.0.0', vtep: { address: '192.0.2.99', port: 4789 } });
    expect((await tenant.admin.made<{ items: unknown[] }>('GET', `${tenant.at}/sites`)).items.length).toBe(1);
  });

  test('200 sites that enrol at once with a token for 10 make exactly 10', async () => {
    const tenant = await newTenant(host(), { sites: 300 });
    const { token } = await tokenOf(tenant, { maxUses: 10 });
    const keys = await Promise.all(Array.from({ length: 200 }, () => newAgentKey()));
    const answers = await Promise.all(keys.map((key) => enrol<Problem>(host(), key, { token })));
    expect(answers.filter(({ status }) => status === 201).length).toBe(10);
    expect(answers.filter(({ status, body }) => status === 401 && body.code === 'join_token_used_up').length).toBe(190);
    expect((await tenant.admin.made<{ items: unknown[] }>('GET', `${tenant.at}/sites`)).items.length).toBe(10);
  });

  test('one key that enrols many times at once makes one site and costs one use', async () => {
    const tenant = await newTenant(host());
    const { id, token } = await tokenOf(tenant, { maxUses: 3 });
    const key = await newAgentKey();
    const vtep = { address: '192.0.2.8', port: 4789 };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => enrol(host(), key, { token, name: 'one', vtep })),
    );
    expect(new Set(answers.map(({ body }) => body.site)).size).toBe(1);
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(await tenant.admin.made('GET', `${tenant.at}/join-tokens/${id}`)).toMatchObject({ uses: 1 });
  });

  test('an unknown, a forged, a revoked, an expired and a used-up token are each told apart, and make nothing', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const key = await newAgentKey();
    const codeOf = async (token: string) => (await enrol<Problem>(host(), key, { token })).body;
    const good = await tokenOf(tenant);
    const forged = `${good.token.slice(0, -5)}AAAAA`;
    for (const token of ['olj_nonsense', `olj_${'0'.repeat(26)}_${'A'.repeat(43)}`, forged]) {
      expect(await codeOf(token), token).toMatchObject({ status: 401, code: 'join_token_invalid' });
    }
    await admin.call('DELETE', `${at}/join-tokens/${good.id}`);
    expect(await codeOf(good.token)).toMatchObject({ status: 401, code: 'join_token_invalid' });
    const usedUp = await tokenOf(tenant);
    await enrol(host(), await newAgentKey(), { token: usedUp.token });
    expect(await codeOf(usedUp.token)).toMatchObject({ status: 401, code: 'join_token_used_up' });
    const brief = await tokenOf(tenant, { expiresInSeconds: 1 });
    const { expiresAt } = await admin.made<{ expiresAt: string }>('GET', `${at}/join-tokens/${brief.id}`);
    while (expiresAt > new Date().toISOString()) await setTimeout(20);
    expect(await codeOf(brief.token)).toMatchObject({ status: 401, code: 'join_token_expired' });
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/sites`)).items.length).toBe(1);
  });

  test('a name or VTEP of another site, and a key of another tenant’s, are 409 and cost no use', async () => {
    const [tenant, other] = [await newTenant(host()), await newTenant(host())];
    const { id, token } = await tokenOf(tenant, { maxUses: 5 });
    const key = await newAgentKey();
    await enrol(host(), key, { token, name: 'one', vtep: { address: '192.0.2.1', port: 4789 } });
    const taken = async (body: object) => (await enrol<Problem>(host(), await newAgentKey(), { token, ...body })).body;
    expect(await taken({ name: 'one' })).toMatchObject({ status: 409, code: 'name_taken' });
    expect(await taken({ vtep: { address: '192.0.2.1', port: 4789 } })).toMatchObject({
      status: 409,
      code: 'vtep_taken',
    });
    const elsewhere = await enrol<Problem>(host(), key, { token: (await tokenOf(other)).token });
    expect(elsewhere.body).toMatchObject({ status: 409, code: 'key_taken' });
    expect(await tenant.admin.made('GET', `${tenant.at}/join-tokens/${id}`)).toMatchObject({ uses: 1 });
  });

  test('the quota of sites holds, and costs no use', async () => {
    const tenant = await newTenant(host(), { sites: 1 });
    const { id, token } = await tokenOf(tenant, { maxUses: 5 });
    await enrol(host(), await newAgentKey(), { token });
    const refused = await enrol<Problem>(host(), await newAgentKey(), { token });
    expect(refused.body).toMatchObject({ status: 403, code: 'quota_exceeded' });
    expect(await tenant.admin.made('GET', `${tenant.at}/join-tokens/${id}`)).toMatchObject({ uses: 1 });
  });

  test('whoever has not the private key, or proves it to another gateway, enrols nothing', async () => {
    const tenant = await newTenant(host());
    const { token } = await tokenOf(tenant);
    const [mine, theirs] = [await newAgentKey(), await newAgentKey()];
    const thief = await enrol<Problem>(host(), mine, { token, publicKey: theirs.publicKey });
    expect(thief.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    const wrongName = await enrol<Problem>(
      host(),
      mine,
      { token, publicKey: theirs.publicKey },
      { kid: theirs.publicKey, iss: theirs.publicKey },
    );
    expect(wrongName.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    const elsewhere = await enrol<Problem>(host(), mine, { token }, { aud: 'https://elsewhere.example' });
    expect(elsewhere.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(elsewhere.body.detail).toContain('aud');
    const bare = new Caller(host().url, null);
    expect(await bare.refused('POST', '/v1/agent/enroll', { token })).toMatchObject({ status: 401 });
    expect((await enrol(host(), mine, { token })).status).toBe(201);
  });

  test('without an address, the VTEP is where the request came from', async () => {
    const tenant = await newTenant(host());
    const { token } = await tokenOf(tenant);
    const answer = await enrol<{ vtep: { address: string } }>(host(), await newAgentKey(), {
      token,
      vtep: { port: 4789 },
    });
    expect(answer.status).toBe(201);
    expect(answer.body.vtep.address).toMatch(/^(127\.0\.0\.1|::1)$/);
  });

  test('a token for an unknown network says which, and a deleted network is left out of what a site is attached to', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const port = { type: 'host', name: 't' };
    const refused = await admin.refused('POST', `${at}/join-tokens`, { networks: [{ network: 'nope', port }] });
    expect(refused).toMatchObject({ status: 400, code: 'invalid_body', errors: [{ path: 'networks.0.network' }] });
    for (const name of ['a', 'b']) await admin.made('POST', `${at}/networks`, { name });
    const { token } = await tokenOf(tenant, { networks: ['a', 'b'].map((network) => ({ network, port })) });
    await admin.call('DELETE', `${at}/networks/a`);
    await enrol(host(), await newAgentKey(), { token, name: 'one' });
    expect(await admin.made('GET', `${at}/sites/one`)).toMatchObject({ networks: [{ name: 'b' }] });
  });

  test('a key that is no key is refused for what it is', async () => {
    const tenant = await newTenant(host());
    const { token } = await tokenOf(tenant);
    const key = await newAgentKey();
    const refused = await enrol<Problem>(host(), new AgentKey('short', await signer()), { token, publicKey: 'short' });
    expect(refused.body).toMatchObject({ status: 400, errors: [{ path: 'publicKey' }] });
    expect((await enrol(host(), key, { token })).status).toBe(201);
  });
}

async function signer(): Promise<CryptoKey> {
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
  return pair.privateKey;
}
