import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { Browser } from './browser.ts';
import { Issuer } from './issuer.ts';
import { testSettings } from './settings.ts';

const AUDIENCE = 'the-application';
let team: Issuer;
let running: RunningGateway;

beforeAll(async () => {
  team = await Issuer.start();
  const settings = {
    ...testSettings,
    OVERLANE_ACCESS_TEAM: team.url,
    OVERLANE_ACCESS_AUD: AUDIENCE,
    OVERLANE_OPERATORS: 'boss@example.com',
    OVERLANE_FAILURE_RATE: '0',
    OVERLANE_KEY_RATE: '3',
  };
  const log = { error: () => {} };
  running = await startGateway({ config: readConfig(settings), data: ':memory:', host: '127.0.0.1', port: 0, log });
});
afterAll(async () => {
  await running.close();
  team.close();
});

async function come(
  claims: Record<string, unknown>,
  as: 'header' | 'cookie' = 'header',
): Promise<{ browser: Browser; ends: string }> {
  const browser = new Browser(running);
  const token = await team.assertion({ aud: [AUDIENCE], sub: 'boss', email: 'boss@example.com', ...claims });
  const headers: Record<string, string> =
    as === 'header' ? { 'cf-access-jwt-assertion': token } : { cookie: `CF_Authorization=${token}` };
  const answer = await browser.send('GET', '/v1/access/start', { headers });
  return { browser, ends: answer.headers.get('location') ?? '' };
}

test('who Cloudflare Access says that it is, is let in for as long as it says so', async () => {
  expect((await new Browser(running).get('/v1/sign-in-methods')).body).toMatchObject({
    oidc: { name: 'Cloudflare Access', url: '/v1/access/start' },
  });
  for (const as of ['header', 'cookie'] as const) {
    const { browser, ends } = await come({}, as);
    expect(ends).toBe('/');
    const session = await browser.made<{ expiresAt: string }>('GET', '/v1/session');
    expect(session).toMatchObject({ role: 'operator', who: 'boss@example.com' });
    expect(Date.parse(session.expiresAt)).toBeLessThanOrEqual(Date.now() + 301_000);
  }
  await team.rotate();
  // A key that isn't known is looked for, though not more often than once a second.
  while ((await come({})).ends !== '/') await setTimeout(20);
});

test('an assertion that is another’s, for another, outdated, unsigned or of no person lets nobody in', async () => {
  for (const [claims, error] of [
    [{ aud: ['another'] }, 'failed'],
    [{ iss: 'https://another.cloudflareaccess.com' }, 'failed'],
    [{ exp: Math.floor(Date.now() / 1000) - 3600 }, 'outdated'],
    [{ sub: '', common_name: 'a-service' }, 'not_a_member'],
    [{ sub: 'nobody', email: 'nobody@example.com' }, 'not_a_member'],
  ] as const) {
    const { browser, ends } = await come(claims);
    expect(ends).toBe(`/sign-in?error=${error}`);
    expect(browser.cookie).toBeUndefined();
  }
  for (const signature of ['none', 'stranger'] as const) {
    team.scenario = { signature };
    expect((await come({})).ends).toBe('/sign-in?error=failed');
  }
  const answer = await new Browser(running).get('/v1/access/start');
  expect(answer.headers.get('location')).toBe('/sign-in?error=refused');
});

test('a member may sign in only as often as they may ask', async () => {
  team.scenario = {};
  const { browser: operator } = await come({});
  await operator.made('POST', '/v1/tenants', { slug: 't', name: 't' });
  await operator.made('POST', '/v1/tenants/t/members', { subject: 'busy', role: 'viewer' });
  for (let i = 0; i < 3; i++) expect((await come({ sub: 'busy', email: 'b@example.com' })).ends).toBe('/');
  expect((await come({ sub: 'busy', email: 'b@example.com' })).ends).toBe('');
  const { items } = await operator.made<{ items: object[] }>('GET', '/v1/tenants/t/sessions');
  expect(items).toHaveLength(3);
});
