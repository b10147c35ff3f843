import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { Problem } from '../../src/contract/errors.ts';
import { CLOSE_RATE_LIMITED } from '../../src/contract/watch.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { Browser } from './browser.ts';
import { type AgentKey, Caller, enrol, newAgent, newAgentKey, newTenant } from './host.ts';
import { testSettings } from './settings.ts';
import { type Said, spiedStore } from './spied-store.ts';
import { watch } from './watcher.ts';

let running: RunningGateway;
/** The gateway's clock: it moves only when a test says so. */
let now = Date.now();
let said: Said[] = [];
let operator: Caller;
beforeAll(async () => {
  running = await startGateway({
    config: readConfig({
      ...testSettings,
      OVERLANE_TRUST_PROXY: '1',
      OVERLANE_KEY_RATE: '5',
      OVERLANE_SITE_RATE: '5',
      OVERLANE_FAILURE_RATE: '3',
    }),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
    now: () => now,
    watchStore: (d1) => {
      const spied = spiedStore(d1);
      said = spied.said;
      return spied.d1;
    },
  });
  operator = new Caller(running.url, testSettings.OVERLANE_OPERATOR_KEY);
  await operator.made('POST', '/v1/tenants', { slug: 't', name: 't' });
});
afterAll(() => running.close());

test('a site that asks too much is told to wait; another site is not held up', async () => {
  const host = { url: running.url, operatorKey: testSettings.OVERLANE_OPERATOR_KEY };
  const tenant = await newTenant(host);
  const [greedy, other] = [await newAgent(host, tenant), await newAgent(host, tenant)];
  const caller = await greedy.caller();
  for (let i = 0; i < 5; i++) expect((await caller.get('/v1/agent/tables')).status).toBe(200);
  expect(await caller.refused('GET', '/v1/agent/tables')).toMatchObject({ status: 429, code: 'rate_limited' });
  expect((await (await other.caller()).get('/v1/agent/tables')).status).toBe(200);
});

test('both hosts have the same limits unless set', () => {
  const { rates } = readConfig(testSettings);
  const toml = readFileSync(new URL('../../wrangler.toml', import.meta.url), 'utf8');
  const said = [...toml.matchAll(/name = "(\w+)_RATE"\n.*\nsimple = \{ limit = (\d+), period = (\d+) \}/g)].map(
    ([, name, limit, period]) => [name!.toLowerCase(), { limit: Number(limit), periodSeconds: Number(period) }],
  );
  expect(Object.fromEntries(said)).toEqual(rates);
});

async function newKey(): Promise<string> {
  return (await operator.made<{ key: string }>('POST', '/v1/tenants/t/api-keys', { name: 'k', role: 'viewer' })).key;
}

test('a key gets as many requests at once as it may, then as many as time gives; the operator is not counted', async () => {
  const [key, other] = [new Caller(running.url, await newKey()), new Caller(running.url, await newKey())];
  for (let i = 0; i < 5; i++) expect((await key.get('/v1/tenants/t')).status).toBe(200);
  const refused = await key.get<Problem>('/v1/tenants/t');
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(refused.headers.get('retry-after')).toBe('2');
  expect((await other.get('/v1/tenants/t')).status).toBe(200);
  now += 2000;
  expect((await key.get('/v1/tenants/t')).status).toBe(200);
  expect((await key.get('/v1/tenants/t')).status).toBe(429);
  for (let i = 0; i < 20; i++) expect((await operator.get('/v1/tenants/t')).status).toBe(200);
});

const ask = (credential: string, from: string) =>
  new Caller(running.url, credential).send('GET', '/v1/tenants/t', { headers: { 'x-forwarded-for': from } });
/** With the secret changed. */
const spoilt = (key: string) => `${key.slice(0, -4)}AAAA`;

test('an address with too many wrong credentials is not looked at, not even with a right one; others are', async () => {
  const key = await newKey();
  const wrong = [await newKey(), await newKey(), await newKey()].map(spoilt);
  for (const one of wrong) expect((await ask(one, '2001:db8::1')).status).toBe(401);
  said.length = 0;
  const refused = await ask(wrong[0]!, '2001:db8::2');
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(refused.headers.get('retry-after')).toBe('20');
  expect((await ask(key, '2001:db8::1')).status).toBe(429);
  expect(said).toEqual([]);
  expect((await ask(key, '2001:db8:0:1::1')).status).toBe(200);
  expect((await ask(key, '192.0.2.1')).status).toBe(200);
  now += 20_000;
  expect((await ask(key, '2001:db8::1')).status).toBe(200);
});

test('a wrong credential that comes again and again is held against itself, not against its neighbours', async () => {
  const [key, gone] = [await newKey(), spoilt(await newKey())];
  const from = '192.0.2.60';
  for (let i = 0; i < 3; i++) expect((await ask(gone, from)).status).toBe(401);
  for (let i = 0; i < 5; i++) {
    said.length = 0;
    expect((await ask(gone, from)).status).toBe(429);
    expect(said).toEqual([]);
  }
  expect((await ask(key, from)).status).toBe(200);
  // A site that was deleted, by its token, which is another each time; from elsewhere it is another claimant.
  const site = await newAgentKey();
  for (let i = 0; i < 3; i++)
    expect((await ask(await site.sign(running.url, `${i}`, { kid: 'gone' }), from)).status).toBe(401);
  expect((await ask(await site.sign(running.url, '4', { kid: 'gone' }), from)).status).toBe(429);
  expect((await ask(key, from)).status).toBe(200);
  expect((await ask(gone, '192.0.2.61')).status).toBe(401);
});

test('who signs in with wrong keys, or comes with sessions that are none, is held to it like any other', async () => {
  const browser = new Browser(running);
  const headers = { 'x-forwarded-for': '192.0.2.80' };
  const signIn = (key: string) => browser.send('POST', '/v1/session', { body: JSON.stringify({ key }), headers });
  expect((await signIn('wrong')).status).toBe(401);
  browser.cookie = 'nonsense';
  expect((await browser.send('GET', '/v1/tenants/t', { headers })).status).toBe(401);
  expect((await signIn('wrong')).status).toBe(401);
  expect((await signIn(await newKey())).status).toBe(429);
  // A session’s requests are its key’s, of which signing in was one.
  const signedIn = new Browser(running);
  await signedIn.signIn(await newKey());
  for (let i = 0; i < 4; i++) expect((await signedIn.get('/v1/tenants/t')).status).toBe(200);
  expect((await signedIn.get('/v1/tenants/t')).status).toBe(429);
});

test('coming back from an identity provider with nothing uses up nobody’s tries, and asking one that is away does', async () => {
  const log = { error: () => {} };
  const settings = {
    ...testSettings,
    OVERLANE_FAILURE_RATE: '3',
    OVERLANE_OIDC_ISSUER: 'http://127.0.0.1:1',
    OVERLANE_OIDC_CLIENT_ID: 'c',
  };
  const config = readConfig(settings);
  const gateway = await startGateway({ config, data: ':memory:', host: '127.0.0.1', port: 0, log, now: () => now });
  const browser = new Browser(gateway);
  try {
    for (let i = 0; i < 5; i++) {
      const { headers } = await browser.get('/v1/oidc/end?code=c&state=s');
      expect(headers.get('location')).toBe('/sign-in?error=outdated');
    }
    for (let i = 0; i < 3; i++) {
      expect((await browser.get('/v1/oidc/start')).headers.get('location')).toBe('/sign-in?error=failed');
    }
    expect((await browser.get('/v1/oidc/start')).status).toBe(429);
  } finally {
    await gateway.close();
  }
});

test('an address that a proxy names with its port is held to it all the same', async () => {
  for (const of of ['192.0.2.70', '[2001:db8:7::1]']) {
    const ask = (port: number) =>
      new Caller(running.url, 'wrong').send('GET', '/v1/tenants/t', {
        headers: { 'x-forwarded-for': `${of}:${port}` },
      });
    for (let port = 1; port <= 3; port++) expect((await ask(port)).status).toBe(401);
    expect((await ask(4)).status).toBe(429);
  }
});

test('a request without a credential is not held against its address', async () => {
  const from = { headers: { 'x-forwarded-for': '192.0.2.9' } };
  for (let i = 0; i < 9; i++) {
    expect((await new Caller(running.url, null).send('GET', '/v1/tenants/t', from)).status).toBe(401);
  }
  expect((await new Caller(running.url, await newKey()).send('GET', '/v1/tenants/t', from)).status).toBe(200);
});

test('a site may enrol anew only as often as it may ask', async () => {
  const { token } = await operator.made<{ token: string }>('POST', '/v1/tenants/t/join-tokens', { maxUses: 2 });
  const [key, other] = [await newAgentKey(), await newAgentKey()];
  const clockOff = Math.round((now - Date.now()) / 1000);
  const ask = async (of: AgentKey) =>
    (await enrol({ url: running.url, operatorKey: '' }, of, { token }, { clockOff })).status;
  expect(await ask(key)).toBe(201);
  for (let i = 1; i < 5; i++) expect(await ask(key)).toBe(200);
  expect(await ask(key)).toBe(429);
  expect(await ask(other)).toBe(201);
});

test('a site that says too much over its socket is cut off; pings are not counted', async () => {
  const { token } = await operator.made<{ token: string }>('POST', '/v1/tenants/t/join-tokens', {});
  const key = await newAgentKey();
  const clockOff = Math.round((now - Date.now()) / 1000);
  const { site } = (await enrol({ url: running.url, operatorKey: '' }, key, { token }, { clockOff })).body;
  const caller = async () => new Caller(running.url, await key.sign(running.url, site, { clockOff }));
  const socket = await watch(running, { caller }, '');
  for (let i = 0; i < 20; i++) expect(await socket.untilPong()).toEqual([]);
  for (let i = 0; i < 5; i++) socket.at('c');
  expect(await socket.closed).toEqual({ code: CLOSE_RATE_LIMITED, reason: 'rate_limited' });
});

test('whoever asks for all of a large tenant again and again has it read once a second, and must be let in each time', async () => {
  const at = '/v1/tenants/large';
  await operator.made('POST', '/v1/tenants', { slug: 'large', name: 'Large' });
  const askAll = () => Promise.all(['topology', 'alerts'].map((what) => operator.made('GET', `${at}/${what}`)));
  const reads = async (times: number): Promise<number> => {
    said.length = 0;
    for (let i = 0; i < times; i++) await askAll();
    return said.filter(({ sql }) => sql.includes('st.standing')).length;
  };
  expect(await reads(2)).toBe(4);
  const grow = "UPDATE tenants SET network_count = 100, site_count = 100 WHERE slug = 'large'";
  await running.gateway.db.$client.prepare(grow).bind().run();
  expect(await reads(1)).toBe(2);
  now += 999;
  expect(await reads(5)).toBe(0);
  expect(await new Caller(running.url, 'wrong').refused('GET', `${at}/topology`)).toMatchObject({ status: 401 });
  now += 1;
  expect(await reads(2)).toBe(2);
});
