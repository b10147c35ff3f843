import { expect, test } from 'vitest';
import type { Event } from '../../../src/contract/events.ts';
import type { Session, SessionItem, SignInMethods } from '../../../src/contract/sessions.ts';
import { CLOSE_UNAUTHENTICATED } from '../../../src/contract/watch.ts';
import { Browser } from '../browser.ts';
import { Caller, type Host, newTenant } from '../host.ts';
import { look } from '../watcher.ts';

export function sessions(host: () => Host): void {
  test('a key is exchanged for a session that may do what the key may, until it is signed out', async () => {
    const { admin, at, slug } = await newTenant(host());
    const browser = new Browser(host());
    expect((await browser.get<SignInMethods>('/v1/sign-in-methods')).body.session).toBeNull();
    const answer = await browser.call<Session>('POST', '/v1/session', { key: admin.credential });
    expect(answer.status).toBe(201);
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-overlane=ols_\S+; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Strict$/);
    expect(JSON.stringify(answer.body)).not.toContain(browser.cookie);
    expect(answer.body).toMatchObject({ role: 'admin', tenant: { slug }, who: 'test' });
    expect((await browser.get('/v1/session')).body).toEqual(answer.body);
    expect((await browser.get<SignInMethods>('/v1/sign-in-methods')).body.session).toEqual(answer.body);

    await browser.made('POST', `${at}/networks`, { name: 'a' });
    const { items } = await admin.made<{ items: Event[] }>('GET', `${at}/events?order=newest&limit=2`);
    expect(items.map(({ kind, actor }) => [kind, actor.name])).toEqual([
      ['network_created', 'test'],
      ['session_created', 'test'],
    ]);
    const stolen = browser.cookie!;
    expect((await browser.call('DELETE', '/v1/session')).status).toBe(204);
    expect(browser.cookie).toBeUndefined();
    browser.cookie = stolen;
    expect(await browser.refused('GET', at)).toMatchObject({ code: 'unauthenticated' });
    // It is of no use, so the browser is told to forget it.
    expect(browser.cookie).toBeUndefined();
  });

  test('the operator signs in too, sees every tenant, and the sessions of each', async () => {
    const { admin, at, slug } = await newTenant(host());
    const [operator, tenants] = [new Browser(host()), new Browser(host())];
    expect(await operator.signIn(host().operatorKey)).toMatchObject({
      role: 'operator',
      tenant: null,
      who: 'operator',
    });
    const { id } = await tenants.signIn(admin.credential!);
    expect(await operator.made('GET', at)).toMatchObject({ slug });
    const list = async (path: string) => (await operator.made<{ items: SessionItem[] }>('GET', path)).items;
    expect(await list(`${at}/sessions`)).toMatchObject([{ id, who: 'test', role: 'admin', current: false }]);
    const own = (await list('/v1/sessions?limit=500')).filter(({ current }) => current);
    expect(own).toMatchObject([{ role: 'operator' }]);
    expect((await operator.call('DELETE', `${at}/sessions/${id}`)).status).toBe(204);
    expect((await tenants.call('GET', at)).status).toBe(401);
    expect(await operator.refused('DELETE', `${at}/sessions/${id}`)).toMatchObject({ code: 'not_found' });
    expect((await operator.call('DELETE', `/v1/sessions/${own[0]!.id}`)).status).toBe(204);
    expect((await operator.call('GET', at)).status).toBe(401);
  });

  test('the operator’s sockets end with the session that they were opened by', async () => {
    const operator = new Browser(host());
    const sockets = [];
    for (const ends of ['by signing out', 'by another']) {
      const session = await operator.signIn(host().operatorKey);
      const tenant = await newTenant(host());
      const socket = await look(host(), tenant, operator.headers);
      await socket.live('hello');
      if (ends === 'by signing out') await operator.call('DELETE', '/v1/session');
      else await tenant.operator.call('DELETE', `/v1/sessions/${session.id}`);
      sockets.push(socket);
    }
    for (const socket of sockets) expect((await socket.closed).code).toBe(CLOSE_UNAUTHENTICATED);
  });

  test('a viewer’s session only reads, and one of another tenant sees nothing', async () => {
    const one = await newTenant(host());
    const two = await newTenant(host());
    const { key } = await one.operator.made<{ key: string }>('POST', `${one.at}/api-keys`, {
      name: 'v',
      role: 'viewer',
    });
    const [viewer, other] = [new Browser(host()), new Browser(host())];
    expect(await viewer.signIn(key)).toMatchObject({ role: 'viewer' });
    await other.signIn(two.admin.credential!);
    expect((await viewer.call('GET', `${one.at}/networks`)).status).toBe(200);
    expect(await viewer.refused('POST', `${one.at}/networks`, { name: 'a' })).toMatchObject({ code: 'forbidden' });
    expect(await viewer.refused('GET', `${one.at}/sessions`)).toMatchObject({ code: 'forbidden' });
    expect(await other.refused('GET', `${one.at}/networks`)).toMatchObject({ code: 'not_found' });
    expect(await other.refused('GET', '/v1/tenants')).toMatchObject({ code: 'forbidden' });
    const { id } = await viewer.made<Session>('GET', '/v1/session');
    expect(await other.refused('DELETE', `${two.at}/sessions/${id}`)).toMatchObject({ code: 'not_found' });
    expect((await viewer.call('GET', one.at)).status).toBe(200);
  });

  test('with a cookie, only a page of this gateway writes: another’s, and one that says nothing, are refused', async () => {
    const { admin, at } = await newTenant(host());
    const browser = new Browser(host());
    await browser.signIn(admin.credential!);
    for (const origin of ['https://evil.example', 'null', null]) {
      browser.origin = origin;
      expect(await browser.refused('POST', `${at}/networks`, { name: 'a' })).toMatchObject({ code: 'origin_mismatch' });
      expect((await browser.get(at)).status).toBe(200);
    }
    browser.origin = 'https://evil.example';
    expect(await browser.refused('POST', '/v1/session', { key: admin.credential })).toMatchObject({
      code: 'origin_mismatch',
    });
    browser.origin = null;
    const headers = { 'sec-fetch-site': 'same-origin' };
    const body = JSON.stringify({ name: 'a' });
    expect((await browser.send('POST', `${at}/networks`, { body, headers })).status).toBe(201);
    // A key that is sent is no cookie: a program needs no page.
    await admin.made('POST', `${at}/networks`, { name: 'b' });
  });

  test('a session ends with its key, and with its tenant', async () => {
    const { operator, at } = await newTenant(host());
    const make = async (): Promise<{ id: string; browser: Browser }> => {
      const { id, key } = await operator.made<{ id: string; key: string }>('POST', `${at}/api-keys`, {
        name: 'k',
        role: 'admin',
      });
      const browser = new Browser(host());
      await browser.signIn(key);
      expect((await browser.get(at)).status).toBe(200);
      return { id, browser };
    };
    const [revoked, expired, left] = [await make(), await make(), await make()];
    await operator.call('DELETE', `${at}/api-keys/${revoked.id}`);
    await host().write('UPDATE api_keys SET expires_at = 1 WHERE id = ?', expired.id);
    for (const { browser } of [revoked, expired]) expect((await browser.get(at)).status).toBe(401);
    const { items } = await operator.made<{ items: SessionItem[] }>('GET', `${at}/sessions`);
    expect(items).toHaveLength(1);
    await operator.call('DELETE', at);
    expect((await left.browser.get('/v1/session')).status).toBe(401);
  });

  test('a session that was not used for its time is over; one that is used goes on, and not for ever', async () => {
    const { admin, at } = await newTenant(host());
    const browser = new Browser(host());
    const { id, expiresAt } = await browser.signIn(admin.credential!);
    const set = (column: string, value: number) =>
      host().write(`UPDATE sessions SET ${column} = ? WHERE id = ?`, value, id);
    const hours = (n: number) => Date.now() + n * 3600_000;
    await set('used_at', hours(-2));
    await set('expires_at', hours(1));
    expect((await browser.get(at)).status).toBe(200);
    const extended = (await browser.made<Session>('GET', '/v1/session')).expiresAt;
    expect(Date.parse(extended)).toBeGreaterThanOrEqual(Date.parse(expiresAt));
    await set('used_at', hours(-2));
    await set('ends_at', hours(0.5));
    await browser.get(at);
    expect(Date.parse((await browser.made<Session>('GET', '/v1/session')).expiresAt)).toBeLessThanOrEqual(hours(0.5));
    await set('expires_at', hours(-1));
    expect((await browser.get(at)).status).toBe(401);
    await set('ends_at', hours(-1));
    await host().keepHouse();
    const { items } = await admin.made<{ items: SessionItem[] }>('GET', `${at}/sessions`);
    expect(items).toEqual([]);
  });

  test('what is no key signs nobody in, and what is no session is none', async () => {
    const { admin, at } = await newTenant(host());
    const browser = new Browser(host());
    for (const key of ['nonsense', `${admin.credential}x`, `olk_${'0'.repeat(26)}_${'a'.repeat(43)}`]) {
      expect(await browser.refused('POST', '/v1/session', { key })).toMatchObject({ code: 'unauthenticated' });
    }
    expect(await browser.refused('POST', '/v1/session', {})).toMatchObject({ code: 'invalid_body' });
    const { id } = await browser.signIn(admin.credential!);
    for (const token of ['nonsense', `ols_${id}_${'a'.repeat(43)}`, admin.credential!]) {
      browser.cookie = token;
      expect((await browser.get(at)).status).toBe(401);
    }
    // A session is for a cookie alone.
    await browser.signIn(admin.credential!);
    expect((await new Caller(host().url, browser.cookie!).get(at)).status).toBe(401);
  });

  test('a POST with an Idempotency-Key is done once, and answered the same to the same session alone', async () => {
    const { admin, at } = await newTenant(host());
    const [browser, second] = [new Browser(host()), new Browser(host())];
    await browser.signIn(admin.credential!);
    await second.signIn(admin.credential!);
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const post = (who: Browser) =>
      who.send<{ id: string; token: string }>('POST', `${at}/join-tokens`, { body: '{}', headers });
    const first = await post(browser);
    expect(first.status).toBe(201);
    expect((await post(browser)).body).toEqual(first.body);
    expect((await post(second)).body).toMatchObject({ code: 'idempotency_answer_lost' });
  });
}
