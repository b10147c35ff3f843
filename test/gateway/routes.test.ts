import type { D1Database } from '@cloudflare/workers-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { NO_TENANT } from '../../src/db/events.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { Browser } from './browser.ts';
import { Caller, enrol, type Host, newAgent, newAgentKey, newTenant } from './host.ts';
import { DASHBOARD, testSettings } from './settings.ts';
import { type Said, spiedStore } from './spied-store.ts';
import { look, watch } from './watcher.ts';

/** The only routes that anyone may call, each with its reason. */
const PUBLIC: Readonly<Record<string, string>> = {
  'GET /': 'the dashboard’s page, which says nothing of anyone',
  'GET /sign-in': 'the same',
  'GET /t/*': 'the same: what it shows, it asks for with a credential',
  'GET /operator': 'the same',
  'GET /operator/*': 'the same',
  'GET /assets/:name': 'what that page is made of',
  'GET /healthz': 'a load balancer has no key, and it says nothing but "ok"',
  'GET /openapi.json': 'it describes the API and no tenant',
  'GET /docs': 'the same, for people',
  'GET /v1/sign-in-methods': 'who is not signed in yet asks how to, and of one who is it tells them alone',
};

const ASSET = '/assets/index-0123abcd.js';

/** Calls that change something and record no event, each with its reason. Everything else must. */
const WITHOUT_EVENT: Readonly<Record<string, string>> = {
  'POST /v1/agent/heartbeat': 'it says how things are, and changes nothing that anyone decided',
};

/** Statements on tenants' tables that name no tenant, each with its reason. Everything else must. */
const WITHOUT_TENANT: readonly [form: RegExp, because: string][] = [
  [
    /from "api_keys" inner join "tenants" .* where "api_keys"."id" = \?$/,
    'a key says by its id which tenant it is of; its secret is compared after',
  ],
  [
    /from "sessions" left join .* where "sessions"."id" = \?$/,
    'a session says by its id whose it is; its secret is compared after',
  ],
  [/^update "sessions" set "used_at"/, 'the same, once it was'],
  [/from "join_tokens" inner join "tenants" .* where "join_tokens"."id" = \?$/, 'the same, of a join token'],
  [
    /from "sites" inner join "tenants" .* where "sites"."id" = \?$/,
    'an agent’s token says by its kid which site it is of; its signature is verified after',
  ],
  [
    /from "sites" where "sites"."public_key" = \?$/,
    'a public key is one site’s among all tenants; another tenant’s is told as key_taken',
  ],
  [
    /^SELECT\s+EXISTS \(SELECT 1 FROM vni_pools .* AS until$/s,
    'a VNI is one network’s among all tenants; no more is told than that it is in use',
  ],
];

const TENANT_TABLES =
  /\b(?:from|join|into|update)\s+"?(?:api_keys|networks|sites|site_status|site_history|attachments|macs|join_tokens|events|members|sessions)\b/i;

let running: RunningGateway;
let host: Host;
let said: Said[] = [];
let store: D1Database;

beforeAll(async () => {
  const config = readConfig(testSettings);
  running = await startGateway({
    config,
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    dashboard: DASHBOARD,
    log: { error: (fields, message) => console.error(message, fields) },
    watchStore: (d1) => {
      store = d1;
      const spied = spiedStore(d1);
      said = spied.said;
      return spied.d1;
    },
  });
  host = {
    url: running.url,
    operatorKey: config.operatorKey,
    holdSeconds: config.vniHoldSeconds,
    keepHouse: async () => {},
    write: async () => {},
    forget: async () => {},
    close: running.close,
  };
});
afterAll(() => running.close());

function routes(): string[] {
  return [
    ...new Set(
      running.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
    ),
  ];
}

test('every route but the public ones answers 401 to whoever has no credential, and to one that is none', async () => {
  expect(routes().length).toBeGreaterThan(25);
  for (const route of routes()) {
    const [method, path] = route.split(' ') as [string, string];
    const address = path.replace('/assets/:name', ASSET).replace(/:\w+/g, 'x');
    for (const credential of [null, 'nonsense']) {
      const body = ['POST', 'PUT', 'PATCH'].includes(method) && path !== '/v1/agent/enroll' ? {} : undefined;
      // Its body is the credential: the sessions of the suite see to it.
      if (route === 'POST /v1/session') continue;
      if (path === '/v1/agent/enroll' && credential !== null) continue;
      const { status } = await new Caller(host.url, credential).call(method, address, body);
      expect(status, `${route} with ${credential}`).toBe(route in PUBLIC ? 200 : 401);
    }
  }
  for (const route of Object.keys(PUBLIC)) expect(routes()).toContain(route);
});

test('every statement of every tenant’s route names the tenant, and none looks through a whole table', async () => {
  const tenant = await newTenant(host);
  const { admin, operator, at, slug } = tenant;
  const { id: tenantId } = await operator.made('GET', at);
  const key = await newAgentKey();
  const port = { type: 'host', name: 't' };
  const called = new Set<string>();
  const heard: Said[] = [];

  async function call<T>(caller: Caller, method: string, path: string, form: string, body?: unknown): Promise<T> {
    said.length = 0;
    const answer = await caller.made<T>(method, path, body);
    called.add(`${method} ${form}`);
    if (method !== 'GET' && !(`${method} ${form}` in WITHOUT_EVENT)) {
      expect(said.filter(({ sql }) => /^INSERT INTO events/.test(sql)).length, `${method} ${form}`).toBeGreaterThan(0);
    }
    heard.push(...said);
    return answer;
  }
  const T = '/v1/tenants/:tenant';

  await call(operator, 'GET', at, T);
  await call(operator, 'PATCH', at, T, { limits: { networks: 50 } });
  const apiKey = await call<{ id: string }>(operator, 'POST', `${at}/api-keys`, `${T}/api-keys`, {
    name: 'k',
    role: 'viewer',
  });
  await call(operator, 'GET', `${at}/api-keys`, `${T}/api-keys`);
  await call(operator, 'POST', `${at}/api-keys/${apiKey.id}/rotate`, `${T}/api-keys/:id/rotate`, { overlapSeconds: 0 });
  await call(operator, 'DELETE', `${at}/api-keys/${apiKey.id}`, `${T}/api-keys/:id`);

  await call(admin, 'POST', `${at}/networks`, `${T}/networks`, { name: 'a' });
  await call(admin, 'POST', `${at}/networks`, `${T}/networks`, { name: 'b', vni: 70_000 });
  await admin.refused('POST', `${at}/networks`, { name: 'c', vni: 70_000 });
  heard.push(...said);
  await call(admin, 'GET', `${at}/networks`, `${T}/networks`);
  await call(admin, 'GET', `${at}/networks/a`, `${T}/networks/:network`);
  await call(admin, 'PATCH', `${at}/networks/a`, `${T}/networks/:network`, { mtu: 1300 });

  const wanted = { maxUses: 5, networks: [{ network: 'a', port }] };
  const token = await call<{ id: string; token: string }>(
    admin,
    'POST',
    `${at}/join-tokens`,
    `${T}/join-tokens`,
    wanted,
  );
  await call(admin, 'GET', `${at}/join-tokens`, `${T}/join-tokens`);
  await call(admin, 'GET', `${at}/join-tokens/${token.id}`, `${T}/join-tokens/:id`);
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    said.length = 0;
    const { status } = await enrol(host, key, { token: token.token, name: 'agent', vtep: { address, port: 4789 } });
    expect(status).toBe(address === '192.0.2.1' ? 201 : 200);
    heard.push(...said);
  }
  called.add('POST /v1/agent/enroll');

  await call(admin, 'POST', `${at}/sites`, `${T}/sites`, {
    name: 'st',
    kind: 'static',
    vtep: { address: '192.0.2.9' },
  });
  await call(admin, 'GET', `${at}/sites`, `${T}/sites`);
  const { id: siteId } = await call<{ id: string }>(admin, 'GET', `${at}/sites/agent`, `${T}/sites/:site`);
  const agent = new Caller(host.url, await key.sign(host.url, siteId));
  const { cursor } = await call<{ cursor: string }>(agent, 'GET', '/v1/agent/tables', '/v1/agent/tables');
  said.length = 0;
  const watcher = await watch(host, { caller: async () => agent }, cursor);
  called.add('GET /v1/agent/watch');
  const viewer = await look(host, tenant, { authorization: `Bearer ${admin.credential}` });
  await viewer.live('hello');
  called.add(`GET ${T}/live`);
  heard.push(...said);
  const attachment = `${T}/sites/:site/networks/:network`;
  await call(admin, 'PUT', `${at}/sites/agent/networks/b`, attachment, { port });
  // What is told to those who watch and look is read after the answer.
  for (let push = await watcher.push(); push.type === 'traffic'; push = await watcher.push());
  await viewer.live('changed');
  viewer.close();
  heard.push(...said);
  await call(agent, 'GET', `/v1/agent/tables?cursor=${cursor}`, '/v1/agent/tables');
  const paths = [{ site: siteId, state: 'silent', asked: 10, lost: 10, neededMtu: 1500, hears: false }];
  const heartbeat = { cursor, networks: [], version: '1.0.0', paths };
  await call(agent, 'POST', '/v1/agent/heartbeat', '/v1/agent/heartbeat', heartbeat);
  await call(agent, 'GET', '/v1/agent/paths', '/v1/agent/paths');
  await call(admin, 'GET', `${at}/sites/agent/paths`, `${T}/sites/:site/paths`);
  await call(agent, 'PUT', '/v1/agent/wireguard', '/v1/agent/wireguard', {
    keys: [{ publicKey: Buffer.alloc(32, 7).toString('base64'), port: 51_820 }],
  });
  const mac = '02:00:00:00:00:01';
  const vni = 70_000;
  const report = (announce: object[], withdraw: object[]) =>
    call(agent, 'POST', '/v1/agent/macs', '/v1/agent/macs', { announce, withdraw });
  await report([{ vni, mac, ip: '10.0.0.1' }], [{ vni, mac: '02:00:00:00:00:02' }]);
  const macs = `${T}/networks/:network/macs`;
  await call(admin, 'GET', `${at}/networks/b/macs?mac=${mac}&ip=10.0.0.1&site=agent`, macs);
  await call(admin, 'PUT', `${at}/networks/b/macs/${mac}`, `${macs}/:mac`, { site: 'agent' });
  await admin.refused('DELETE', `${at}/networks/b/macs/${mac}/freeze`);
  called.add(`DELETE ${macs}/:mac/freeze`);
  heard.push(...said);
  await call(admin, 'GET', `${at}/networks/b/convergence`, `${T}/networks/:network/convergence`);
  await call(agent, 'GET', `/v1/agent/tables?cursor=${cursor}`, '/v1/agent/tables');
  await call(admin, 'DELETE', `${at}/networks/b/macs/${mac}`, `${macs}/:mac`);
  const next = await newAgentKey();
  const proof = await next.sign(host.url, next.publicKey, { sub: siteId });
  await call(agent, 'POST', '/v1/agent/key', '/v1/agent/key', { publicKey: next.publicKey, proof });
  await call(admin, 'DELETE', `${at}/sites/agent/networks/b`, attachment);
  for (const disabled of [true, false]) {
    await call(admin, 'PATCH', `${at}/sites/agent`, `${T}/sites/:site`, { disabled, vtep: { address: '192.0.2.7' } });
  }
  await call(admin, 'GET', `${at}/topology`, `${T}/topology`);
  await call(admin, 'GET', `${at}/alerts`, `${T}/alerts`);
  await call(admin, 'GET', `${at}/history?site=st&network=b`, `${T}/history`);
  await call(admin, 'DELETE', `${at}/sites/agent`, `${T}/sites/:site`);
  await call(admin, 'DELETE', `${at}/sites/st`, `${T}/sites/:site`);
  await call(admin, 'DELETE', `${at}/join-tokens/${token.id}`, `${T}/join-tokens/:id`);
  const member = await call<{ id: string }>(admin, 'POST', `${at}/members`, `${T}/members`, {
    email: 'ada@example.com',
    role: 'viewer',
  });
  await call(admin, 'GET', `${at}/members`, `${T}/members`);
  await call(admin, 'PATCH', `${at}/members/${member.id}`, `${T}/members/:id`, { role: 'admin' });
  await call(admin, 'DELETE', `${at}/members/${member.id}`, `${T}/members/:id`);
  const browser = new Browser(host);
  const signedIn = await call<{ id: string }>(browser, 'POST', '/v1/session', 'session', { key: admin.credential });
  await store.prepare('UPDATE sessions SET used_at = 0').run();
  await call(browser, 'GET', `${at}/sessions`, `${T}/sessions`);
  await call(browser, 'DELETE', `${at}/sessions/${signedIn.id}`, `${T}/sessions/:id`);
  const events = await call<{ items: { id: string }[] }>(admin, 'GET', `${at}/events?limit=1`, `${T}/events`);
  await call(admin, 'GET', `${at}/events?order=newest&since=${events.items[0]!.id}`, `${T}/events`);
  await call(admin, 'GET', `${at}/usage`, `${T}/usage`);
  for (const name of ['a', 'b']) await call(admin, 'DELETE', `${at}/networks/${name}`, `${T}/networks/:network`);
  await call(operator, 'DELETE', `/v1/tenants/${slug}`, T);

  const tenantRoutes = routes().filter((route) => route.includes(':tenant') || route.includes('/v1/agent/'));
  expect(tenantRoutes.filter((route) => !called.has(route))).toEqual([]);

  const excused = new Set<RegExp>();
  for (const { sql, values } of heard) {
    if (!TENANT_TABLES.test(sql)) continue;
    // That the tenant was deleted is an event of no tenant.
    if (/^DELETE FROM events/.test(sql) && values[0] === NO_TENANT) continue;
    const excuse = WITHOUT_TENANT.find(([form]) => form.test(sql));
    if (excuse !== undefined) {
      excused.add(excuse[0]);
      continue;
    }
    expect(sql).toMatch(/tenant_id/);
    expect(values, sql).toContain(tenantId);
  }
  expect(excused.size).toBe(WITHOUT_TENANT.length);

  for (const { sql, values } of heard) {
    const { results } = await store
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...values)
      .all<{ detail: string }>();
    const scans = results
      .map(({ detail }) => detail)
      .filter((detail) => detail.startsWith('SCAN') && !SMALL.test(detail));
    expect(scans, sql).toEqual([]);
  }
});

/** What may be gone through from end to end: lists given with the question, what a query made itself, and the few pools. */
const SMALL =
  /^SCAN (\w+ VIRTUAL TABLE|wanted|told|kept|gone|v|purged|CONSTANT ROW|\d+ CONSTANT ROWS|vni_pools|p|\(.*|SUBQUERY.*)\b/;

test('a pull with nothing new is one query that reads two rows', async () => {
  const tenant = await newTenant(host);
  const agent = await (await newAgent(host, tenant)).caller();
  const { cursor } = await agent.made<{ cursor: string }>('GET', '/v1/agent/tables');
  said.length = 0;
  expect((await agent.get(`/v1/agent/tables?cursor=${cursor}`)).status).toBe(304);
  expect(said.map(({ sql }) => sql)).toEqual([expect.stringMatching(/from "sites" inner join "tenants"/)]);
});

test('when the store fails in a way nobody knows, the answer is 500 with the request’s id, and tells no more', async () => {
  const logged: object[] = [];
  let failure = 'secret words of the store';
  const broken = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields) => logged.push(fields) },
    watchStore: (d1) =>
      ({
        ...d1,
        prepare: () => {
          throw new Error(failure);
        },
      }) as unknown as D1Database,
  });
  logged.length = 0;
  const caller = new Caller(broken.url, host.operatorKey);
  const unknown = await caller.refused('GET', '/v1/tenants');
  expect(unknown).toMatchObject({ status: 500, code: 'internal' });
  expect(unknown.detail).toContain(unknown.requestId);
  expect(JSON.stringify(unknown)).not.toContain('secret');
  expect(logged).toMatchObject([{ requestId: unknown.requestId, path: '/v1/tenants' }]);
  failure = 'D1_ERROR: database is locked: SQLITE_BUSY';
  expect(await caller.refused('GET', '/v1/tenants')).toMatchObject({ status: 503, code: 'unavailable' });
  expect(await caller.refused('GET', '/healthz')).toMatchObject({ status: 503, code: 'unavailable' });
  await broken.close();
});
