import { expect, test } from 'vitest';
import type { Session } from '../../../src/contract/sessions.ts';
import { CLOSE_MALFORMED, CLOSE_UNAUTHENTICATED } from '../../../src/contract/watch.ts';
import { Browser } from '../browser.ts';
import { type Host, newAgent, newTenant } from '../host.ts';
import { look, pull, tryLook, watch } from '../watcher.ts';

export function live(host: () => Host): void {
  const bearer = (credential: string | null) => ({ authorization: `Bearer ${credential}` });

  test('who looks is greeted with the revision, and told of every change and event, also by keepalives alone', async () => {
    const tenant = await newTenant(host());
    const { admin, at } = tenant;
    const [one, two] = [
      await look(host(), tenant, bearer(admin.credential)),
      await look(host(), tenant, bearer(host().operatorKey)),
    ];
    const { id, revision } = await admin.made<{ id: string; revision: number }>('GET', at);
    for (const socket of [one, two]) expect(await socket.live('hello')).toEqual({ type: 'hello', revision });
    await host().forget(id);
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    for (const socket of [one, two]) {
      expect((await socket.live('event')).event).toMatchObject({ kind: 'network_created', actor: { name: 'test' } });
      expect(await socket.live('changed')).toEqual({ type: 'changed', revision: revision + 1 });
      expect(await socket.untilPong()).toEqual([]);
      socket.close();
    }
  });

  test('traffic goes from agents to those who look, for as long as anybody does', async () => {
    const tenant = await newTenant(host());
    const agent = await newAgent(host(), tenant);
    const early = await watch(host(), agent, (await pull(agent))!.cursor);
    const socket = await look(host(), tenant, bearer(tenant.admin.credential));
    await socket.live('hello');
    expect(await early.push()).toMatchObject({ type: 'traffic', everyMs: 2000, forMs: 150_000 });
    const carried = { vni: 5000, revision: 3, rxBytes: 1, txBytes: 2, rxFrames: 3, txFrames: 4, drops: 5 };
    early.send(JSON.stringify({ type: 'traffic', networks: [carried] }));
    const { sites, at } = await socket.live('traffic');
    expect(sites).toEqual([{ site: agent.id, networks: [carried] }]);
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
    // One that connects while somebody looks is asked too.
    const late = await newAgent(host(), tenant);
    const second = await watch(host(), late, (await pull(late))!.cursor);
    expect(await second.push()).toMatchObject({ type: 'traffic', forMs: 150_000 });
    expect(await socket.live('site')).toEqual({ type: 'site', site: late.id, status: 'online' });
    // A newer agent may say more: what isn't known is passed over, and what is no message ends the socket.
    second.send('{"type":"news"}');
    expect(await second.untilPong()).toEqual([]);
    second.send('{"type":"traffic","networks":[{"vni":1}]}');
    expect((await second.closed).code).toBe(CLOSE_MALFORMED);
    expect(await socket.live('site')).toEqual({ type: 'site', site: late.id, status: 'offline' });
    expect((await socket.live('event')).event).toMatchObject({ kind: 'site_offline', subject: late.id });
    socket.close();
    // Asked anew before it ends while somebody looks, it is told when nobody does.
    for (let asked = await early.push(); asked.type !== 'traffic' || asked.forMs > 0; asked = await early.push());
    early.close();
  });

  test('a page of another site, another tenant and one without a credential don’t get to look', async () => {
    const tenant = await newTenant(host());
    const browser = new Browser(host());
    await browser.signIn(tenant.admin.credential!);
    const other = await newTenant(host());
    expect(await tryLook(host(), tenant, {})).toBe(401);
    expect(await tryLook(host(), tenant, bearer(other.admin.credential))).toBe(404);
    expect(await tryLook(host(), tenant, { ...browser.headers, origin: 'https://evil.example' })).toBe(403);
    const { cookie } = browser.headers;
    expect(await tryLook(host(), tenant, { cookie: cookie! })).toBe(403);
    const socket = await look(host(), tenant, browser.headers);
    await socket.live('hello');
    socket.send('hello');
    expect((await socket.closed).code).toBe(CLOSE_MALFORMED);
    expect((await tenant.admin.call('GET', `${tenant.at}/live`)).status).toBe(426);
  });

  test('who looks by a session or a key that is ended looks no more', async () => {
    const tenant = await newTenant(host());
    const { operator, at } = tenant;
    const { id, key } = await operator.made<{ id: string; key: string }>('POST', `${at}/api-keys`, {
      name: 'k',
      role: 'viewer',
    });
    const [one, two] = [new Browser(host()), new Browser(host())];
    const session = await one.signIn(key);
    await two.signIn(tenant.admin.credential!);
    const sockets = [
      await look(host(), tenant, one.headers),
      await look(host(), tenant, two.headers),
      await look(host(), tenant, bearer(key)),
    ] as const;
    for (const socket of sockets) await socket.live('hello');
    await operator.call('DELETE', `${at}/sessions/${(await two.made<Session>('GET', '/v1/session')).id}`);
    expect((await sockets[1].closed).code).toBe(CLOSE_UNAUTHENTICATED);
    expect((await sockets[0].live('event')).event).toMatchObject({ kind: 'session_ended' });
    await operator.call('DELETE', `${at}/api-keys/${id}`);
    for (const socket of [sockets[0], sockets[2]]) expect((await socket.closed).code).toBe(CLOSE_UNAUTHENTICATED);
    expect(session.role).toBe('viewer');
  });
}
