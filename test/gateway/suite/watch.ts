import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Site } from '../../../src/contract/sites.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { type AppliedTable, applied, digestOfApplied, plain } from '../applied-table.ts';
import { Caller, type Host, newAgent, newAgentKey, newTenant, type TestAgent, type TestTenant } from '../host.ts';
import { pull, type TestWatcher, tryWatch, watch } from '../watcher.ts';

const port = { type: 'host', name: 'tap0' };

interface Watching {
  readonly agent: TestAgent;
  readonly socket: TestWatcher;
  table: AppliedTable;
  cursor: string;
}

export function watching(host: () => Host): void {
  async function begin(agents: number): Promise<{ tenant: TestTenant; all: Watching[] }> {
    const tenant = await newTenant(host());
    await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'a' });
    const made: TestAgent[] = [];
    for (let i = 0; i < agents; i++) {
      const agent = await newAgent(host(), tenant);
      await attach(tenant, agent);
      made.push(agent);
    }
    const all: Watching[] = [];
    for (const agent of made) {
      const first = (await pull(agent)) as TableUpdate;
      const socket = await watch(host(), agent, first.cursor);
      all.push({ agent, socket, table: applied(new Map(), first), cursor: first.cursor });
    }
    return { tenant, all };
  }

  function attach({ admin, at }: TestTenant, agent: TestAgent): Promise<unknown> {
    return admin.made('PUT', `${at}/sites/${agent.id}/networks/a`, { port });
  }

  async function take(one: Watching): Promise<void> {
    const delta = await one.socket.delta();
    expect(delta.from).toBe(one.cursor);
    one.table = applied(one.table, delta);
    one.cursor = delta.cursor;
  }

  /** What it holds by deltas alone is what a fresh snapshot says. */
  async function assertInStep(one: Watching): Promise<void> {
    expect(plain(one.table)).toEqual(plain(applied(new Map(), (await pull(one.agent))!)));
    for (const network of one.table.values()) expect(network.digest).toBe(digestOfApplied(network));
  }

  test('a change comes as one delta to each site that it concerns, and as nothing to the others', async () => {
    const { tenant, all } = await begin(3);
    const [one, two, three] = all as [Watching, Watching, Watching];
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1400 });
    for (const each of all) await take(each);
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${two.agent.id}`, { vtep: { address: '192.0.2.77' } });
    for (const each of all) await take(each);
    expect([...one.table.values()][0]!.vteps.get(two.agent.id)?.address).toBe('192.0.2.77');
    // Its own port is nobody else's business, and neither is a network that nobody carries.
    await tenant.admin.made('PUT', `${tenant.at}/sites/${one.agent.id}/networks/a`, {
      port: { type: 'bridge', name: 'b' },
    });
    await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'b' });
    await take(one);
    await tenant.admin.call('DELETE', `${tenant.at}/sites/${three.agent.id}/networks/a`);
    for (const each of all) await take(each);
    expect(three.table.size).toBe(0);
    for (const each of all) {
      await assertInStep(each);
      expect(await each.socket.untilPong()).toEqual([]);
      each.socket.close();
    }
  });

  test('fifty changes at once come in order, each delta from where the one before ended', async () => {
    const { tenant, all } = await begin(2);
    const path = `${tenant.at}/sites`;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const vtep = { address: `198.51.100.${i}` };
        await tenant.admin.made('POST', path, { name: `static-${i}`, kind: 'static', vtep });
        await tenant.admin.made('PUT', `${path}/static-${i}/networks/a`, { port: { type: 'none' } });
      }),
    );
    for (const each of all) {
      while ([...each.table.values()][0]!.vteps.size < 51) await take(each);
      await assertInStep(each);
      each.socket.close();
    }
  });

  test('a site that comes to carry a network is told to pull, and is told deltas again once it says where it is', async () => {
    const { tenant, all } = await begin(1);
    const late = await newAgent(host(), tenant);
    const socket = await watch(host(), late, (await pull(late))!.cursor);
    await attach(tenant, late);
    expect(await socket.push()).toEqual({ type: 'changed' });
    await take(all[0]!);
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1300 });
    const update = (await pull(late))!;
    // A change between the pull and the word of it is not lost.
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1200 });
    socket.at(update.cursor);
    const delta = await socket.delta();
    expect(delta).toMatchObject({ from: update.cursor, networks: [{ mtu: 1200 }] });
    for (const each of [socket, all[0]!.socket]) each.close();
  });

  test('a site that connects with an old cursor is brought up to date at once, by a delta where one will do', async () => {
    const { tenant, all } = await begin(2);
    const [one, two] = all as [Watching, Watching];
    one.socket.close();
    await one.socket.closed;
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1400 });
    await tenant.admin.call('DELETE', `${tenant.at}/sites/${two.agent.id}/networks/a`);
    const again = { ...one, socket: await watch(host(), one.agent, one.cursor) };
    await take(again);
    await assertInStep(again);
    again.socket.close();
    two.socket.close();
  });

  test('a disabled site’s socket is closed at once with the reason, a deleted one’s too, and neither comes in again', async () => {
    const { tenant, all } = await begin(2);
    const [one, two] = all as [Watching, Watching];
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${one.agent.id}`, { disabled: true });
    expect(await one.socket.closed).toEqual({ code: 4403, reason: 'site_disabled' });
    await take(two);
    expect(await tryWatch(host(), one.agent, '')).toMatchObject({ status: 403 });
    await tenant.admin.call('DELETE', `${tenant.at}/sites/${two.agent.id}`);
    expect(await two.socket.closed).toEqual({ code: 4401, reason: 'unauthenticated' });
    expect(await tryWatch(host(), two.agent, '')).toMatchObject({ status: 401 });
  });

  test('a socket that was opened by a key that the site had before is closed when it gets another', async () => {
    const { all } = await begin(1);
    const [{ agent, socket, cursor }] = all as [Watching];
    const next = await newAgentKey();
    const proof = await next.sign(host().url, next.publicKey, { sub: agent.id });
    await (await agent.caller()).made('POST', '/v1/agent/key', { publicKey: next.publicKey, proof });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'unauthenticated' });
    const caller = async () => new Caller(host().url, await next.sign(host().url, agent.id));
    (await watch(host(), { caller }, cursor)).close();
  });

  test('a site has one socket: the newer one ends the older', async () => {
    const { tenant, all } = await begin(1);
    const [one] = all as [Watching];
    const next = await watch(host(), one.agent, one.cursor);
    expect(await one.socket.closed).toMatchObject({ code: 4409 });
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1400 });
    expect(await next.delta()).toMatchObject({ networks: [{ mtu: 1400 }] });
    next.close();
  });

  test('keepalives are answered; what is no message of the protocol ends the socket', async () => {
    const { all } = await begin(1);
    const { socket } = all[0]!;
    expect(await socket.untilPong()).toEqual([]);
    socket.send('{"type": "at"}');
    expect(await socket.closed).toMatchObject({ code: 4400 });
  });

  test('who asks without a WebSocket is told so, and who has no token is 401 before that', async () => {
    const { all } = await begin(1);
    all[0]!.socket.close();
    const caller = await all[0]!.agent.caller();
    expect(await caller.refused('GET', '/v1/agent/watch')).toMatchObject({ status: 426, code: 'upgrade_required' });
    expect(await new Caller(host().url, null).refused('GET', '/v1/agent/watch')).toMatchObject({ status: 401 });
  });

  test('a stranger’s socket hears nothing of a tenant', async () => {
    const { tenant, all } = await begin(1);
    const other = await begin(1);
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu: 1400 });
    await take(all[0]!);
    expect(await other.all[0]!.socket.untilPong()).toEqual([]);
    for (const { socket } of [all[0]!, other.all[0]!]) socket.close();
  });

  test('what keeps the sockets may lose its memory between changes: nothing is missed and nobody is cut off', async () => {
    const { tenant, all } = await begin(2);
    const { id } = await tenant.admin.made('GET', tenant.at);
    for (const mtu of [1400, 1300]) {
      await host().forget(id);
      await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { mtu });
      for (const each of all) await take(each);
    }
    await host().forget(id);
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${all[0]!.agent.id}`, { disabled: true });
    expect(await all[0]!.socket.closed).toMatchObject({ code: 4403 });
    await take(all[1]!);
    await assertInStep(all[1]!);
    all[1]!.socket.close();
  });

  test('a change whose telling was lost is told by the next housekeeping, and told once', async () => {
    const { tenant, all } = await begin(1);
    const { id } = await tenant.admin.made('GET', tenant.at);
    await host().write('UPDATE tenants SET revision = revision + 1 WHERE id = ?', id);
    await host().write(
      `UPDATE networks SET mtu = 1234, header_revision = t.revision, revision = t.revision
        FROM tenants t WHERE t.id = networks.tenant_id AND t.id = ?`,
      id,
    );
    await host().keepHouse();
    await take(all[0]!);
    expect([...all[0]!.table.values()][0]).toMatchObject({ mtu: 1234 });
    await host().keepHouse();
    expect(await all[0]!.socket.untilPong()).toEqual([]);
    await assertInStep(all[0]!);
    all[0]!.socket.close();
  });

  test('a site whose socket closes is offline after the grace, which is an event; one that comes back within it is not', async () => {
    const { tenant, all } = await begin(2);
    const [back, gone] = all as [Watching, Watching];
    const statusOf = async ({ agent }: Watching) =>
      (await tenant.admin.made<Site>('GET', `${tenant.at}/sites/${agent.id}`)).status;
    const eventsOf = async (kind: string) => {
      const { items } = await tenant.admin.made<{ items: { subject: string; actor: object }[] }>(
        'GET',
        `${tenant.at}/events?kind=${kind}`,
      );
      return items.map(({ subject }) => subject);
    };
    back.socket.close();
    gone.socket.close();
    const again = await watch(host(), back.agent, back.cursor);
    while ((await eventsOf('site_offline')).length === 0) await setTimeout(50);
    expect(await eventsOf('site_offline')).toEqual([gone.agent.id]);
    expect(await statusOf(gone)).toBe('offline');
    expect(await statusOf(back)).toBe('online');
    const returned = await watch(host(), gone.agent, gone.cursor);
    while ((await eventsOf('site_online')).length === 0) await setTimeout(50);
    expect(await eventsOf('site_online')).toEqual([gone.agent.id]);
    expect(await statusOf(gone)).toBe('online');
    for (const socket of [again, returned]) socket.close();
  });

  test('a site that reports is online until it was silent for too long, which housekeeping tells as an event', async () => {
    const tenant = await newTenant(host());
    const agent = await newAgent(host(), tenant);
    const report = { cursor: (await pull(agent))!.cursor, networks: [], version: '1.0.0' };
    await (await agent.caller()).made('POST', '/v1/agent/heartbeat', report);
    await host().write('UPDATE site_status SET online_until = 1 WHERE site_id = ?', agent.id);
    const statusOf = async () => (await tenant.admin.made<Site>('GET', `${tenant.at}/sites/${agent.id}`)).status;
    expect(await statusOf()).toBe('offline');
    await host().keepHouse();
    await host().keepHouse();
    await (await agent.caller()).made('POST', '/v1/agent/heartbeat', { ...report, watching: true });
    await (await agent.caller()).made('POST', '/v1/agent/heartbeat', report);
    expect(await statusOf()).toBe('online');
    const { items } = await tenant.admin.made<{ items: { kind: string; subject: string }[] }>(
      'GET',
      `${tenant.at}/events`,
    );
    const comings = items.filter(({ kind }) => kind === 'site_offline' || kind === 'site_online');
    expect(comings.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['site_offline', agent.id],
      ['site_online', agent.id],
    ]);
  });
}
