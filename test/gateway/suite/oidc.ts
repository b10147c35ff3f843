import { afterEach, expect, test } from 'vitest';
import type { Session, SIGN_IN_ERRORS, SignInMethods } from '../../../src/contract/sessions.ts';
import { Browser } from '../browser.ts';
import { type Host, newTenant } from '../host.ts';
import type { Issuer, Scenario } from '../issuer.ts';

export function oidc(host: () => Host, issuer: () => Issuer): void {
  afterEach(() => {
    issuer().scenario = {};
  });

  /** Goes to the issuer and back, as a browser is sent. @returns where it ends. */
  async function signIn(
    browser: Browser,
    scenario: Scenario,
    tenant = '',
    meanwhile = async () => {},
  ): Promise<string> {
    issuer().scenario = scenario;
    const { oidc } = (await browser.get<SignInMethods>('/v1/sign-in-methods')).body;
    const start = await browser.get(`${oidc!.url}?tenant=${tenant}`);
    expect(start.status).toBe(302);
    const there = await fetch(start.headers.get('location')!, { redirect: 'manual' });
    const back = new URL(there.headers.get('location')!);
    await meanwhile();
    const end = await browser.get(`${back.pathname}${back.search}`);
    expect(end.status).toBe(302);
    return end.headers.get('location')!;
  }

  test('a person whom a tenant lists is let in, as what it lists them as, until it does no more', async () => {
    const { admin, at, slug } = await newTenant(host());
    const email = `ada-${slug}@example.com`;
    const scenario = { claims: { email: email.toUpperCase(), email_verified: true, name: 'Ada' } };
    const { id } = await admin.made('POST', `${at}/members`, { email, role: 'viewer' });
    const browser = new Browser(host());
    expect(await signIn(browser, scenario)).toBe('/');
    const session = await browser.made<Session>('GET', '/v1/session');
    expect(session).toMatchObject({ role: 'viewer', who: email, tenant: { slug }, tenants: [{ slug }] });
    expect(await browser.refused('POST', `${at}/networks`, { name: 'a' })).toMatchObject({ code: 'forbidden' });
    await admin.made('PATCH', `${at}/members/${id}`, { role: 'admin' });
    await browser.made('POST', `${at}/networks`, { name: 'a' });
    const { items } = await admin.made<{ items: object[] }>('GET', `${at}/events?kind=network_created`);
    expect(items).toMatchObject([{ actor: { kind: 'member', id, name: email } }]);
    await admin.call('DELETE', `${at}/members/${id}`);
    expect((await browser.get(at)).status).toBe(401);
  });

  test('one who is of several tenants comes to the one that they ask for, and of each sees that alone', async () => {
    const [one, two] = [await newTenant(host()), await newTenant(host())];
    const sub = `sub-${one.slug}`;
    for (const { admin, at } of [one, two]) await admin.made('POST', `${at}/members`, { subject: sub, role: 'viewer' });
    const browser = new Browser(host());
    expect(await signIn(browser, { sub }, two.slug)).toBe('/');
    const session = await browser.made<Session>('GET', '/v1/session');
    expect(session.tenant?.slug).toBe(two.slug);
    expect(session.tenants?.map(({ slug }) => slug).sort()).toEqual([one.slug, two.slug].sort());
    expect((await browser.get(one.at)).status).toBe(404);
    await signIn(browser, { sub }, one.slug);
    expect((await browser.get(one.at)).status).toBe(200);
  });

  test('who the settings say is the operator is, by a verified address or by subject, and nobody else', async () => {
    const boss = new Browser(host());
    await signIn(boss, { claims: { email: 'Boss@Example.com', email_verified: true } });
    expect(await boss.made('GET', '/v1/session')).toMatchObject({ role: 'operator', who: 'boss@example.com' });
    expect((await boss.get('/v1/tenants')).status).toBe(200);
    await signIn(boss, { sub: 'the-boss' });
    expect(await boss.made('GET', '/v1/session')).toMatchObject({ role: 'operator', who: 'the-boss' });
    // An address that stands where a subject does is none.
    for (const scenario of [{ sub: 'boss@example.com' }, { claims: { email: 'boss@example.com' } }]) {
      expect(await signIn(new Browser(host()), scenario)).toBe('/sign-in?error=not_a_member');
    }
  });

  test('keys of the issuer may be rotated', async () => {
    await issuer().rotate();
    const browser = new Browser(host());
    expect(await signIn(browser, { sub: 'the-boss' })).toBe('/');
  });

  test('what the issuer didn’t say to this gateway at this moment lets nobody in', async () => {
    const wrong: Record<keyof typeof SIGN_IN_ERRORS, Scenario[]> = {
      failed: [
        { claims: { aud: 'another' } },
        { claims: { iss: 'https://issuer.example' } },
        { claims: { nonce: 'another' } },
        { claims: { nonce: undefined } },
        { claims: { sub: undefined } },
        { expiresIn: -3600 },
        { signature: 'none' },
        { signature: 'stranger' },
      ],
      email_not_verified: [{ claims: { email: 'boss@example.com', email_verified: false } }],
      not_a_member: [{ sub: 'nobody' }, { sub: 'ada', claims: { email: 'ada@example.com', email_verified: true } }],
      refused: [{ refuses: true }],
      outdated: [],
    };
    for (const [error, scenarios] of Object.entries(wrong)) {
      for (const scenario of scenarios) {
        const browser = new Browser(host());
        const ends = await signIn(browser, { sub: 'the-boss', ...scenario });
        expect(ends, JSON.stringify(scenario)).toBe(`/sign-in?error=${error}`);
        expect(browser.cookie).toBeUndefined();
      }
    }
  });

  test('an answer counts once, where it was asked for, in the browser that asked', async () => {
    const browser = new Browser(host());
    const thief = new Browser(host());
    let back = '';
    issuer().scenario = { sub: 'the-boss' };
    const start = await browser.get('/v1/oidc/start');
    const there = await fetch(start.headers.get('location')!, { redirect: 'manual' });
    const url = new URL(there.headers.get('location')!);
    back = `${url.pathname}${url.search}`;
    expect((await thief.get(back)).headers.get('location')).toBe('/sign-in?error=outdated');
    await thief.get('/v1/oidc/start');
    expect((await thief.get(back)).headers.get('location')).toBe('/sign-in?error=failed');
    expect((await browser.get(back)).headers.get('location')).toBe('/');
    expect((await browser.get(back)).headers.get('location')).toBe('/sign-in?error=outdated');
    expect(thief.cookie).toBeUndefined();
  });
}
