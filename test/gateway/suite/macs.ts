import { expect, test } from 'vitest';
import type { Convergence } from '../../../src/contract/convergence.ts';
import { MAX_MACS_PER_CALL, type MacReport, type MacReported, type MacView } from '../../../src/contract/macs.ts';
import type { Delta, NetworkChange, Snapshot, TableUpdate } from '../../../src/contract/table.ts';
import { applied, digestOfApplied } from '../applied-table.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';

const port = { type: 'host', name: 'tap0' };
const mac = (n: number) =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;

interface Lan {
  readonly tenant: TestTenant;
  readonly vni: number;
  readonly one: TestAgent;
  readonly two: TestAgent;
}

interface Page {
  readonly items: MacView[];
  readonly nextCursor: string | null;
}

export function macs(host: () => Host): void {
  async function lan(limits: Record<string, number> = {}): Promise<Lan> {
    const tenant = await newTenant(host(), limits);
    const { vni } = await tenant.admin.made<{ vni: number }>('POST', `${tenant.at}/networks`, { name: 'a' });
    const [one, two] = [await newAgent(host(), tenant), await newAgent(host(), tenant)];
    for (const { name } of [one, two]) {
      await tenant.admin.made('PUT', `${tenant.at}/sites/${name}/networks/a`, { port });
    }
    return { tenant, vni, one, two };
  }

  async function report(agent: TestAgent, announce: object[], withdraw: object[] = []): Promise<MacReported> {
    return (await agent.caller()).made('POST', '/v1/agent/macs', { announce, withdraw });
  }

  async function pull(agent: TestAgent, cursor?: string): Promise<TableUpdate> {
    return (await agent.caller()).made('GET', `/v1/agent/tables${cursor === undefined ? '' : `?cursor=${cursor}`}`);
  }

  const list = ({ tenant }: Lan, query = ''): Promise<Page> =>
    tenant.admin.made<Page>('GET', `${tenant.at}/networks/a/macs${query}`);

  test('what a site announces is in every site’s table, its own too, with a digest that each can compute', async () => {
    const { vni, one, two } = await lan();
    const before = await pull(two);
    const { cursor, rejected } = await report(one, [
      { vni, mac: '02:00:00:00:00:0A', ip: '10.0.0.1' },
      { vni, mac: mac(2) },
    ]);
    expect(rejected).toEqual([]);
    expect(cursor.split('.').slice(0, 2)).toEqual((await pull(one)).cursor.split('.').slice(0, 2));
    const rows = [
      { mac: '02:00:00:00:00:0a', ip: '10.0.0.1', site: one.id, seq: expect.any(Number), sticky: false },
      { mac: mac(2), site: one.id, seq: expect.any(Number), sticky: false },
    ];
    const delta = await pull(two, before.cursor);
    const byMac = (a: { mac: string }, b: { mac: string }) => (a.mac < b.mac ? -1 : 1);
    expect(delta.kind).toBe('delta');
    expect([...delta.networks[0]!.macs].sort(byMac)).toEqual([...rows].sort(byMac));
    for (const [agent, update] of [
      [two, applied(applied(new Map(), before), delta)],
      [one, applied(new Map(), await pull(one))],
    ] as const) {
      const [network] = update.values();
      expect(network!.macs.size, agent.name).toBe(2);
      expect(network!.digest, agent.name).toBe(digestOfApplied(network!));
    }
  });

  test('the same again, an address left out, and another’s withdrawal change nothing and take no revision', async () => {
    const l = await lan();
    const { vni, one, two } = l;
    const { cursor } = await report(one, [{ vni, mac: mac(1), ip: '10.0.0.1' }]);
    expect((await report(one, [{ vni, mac: mac(1), ip: '10.0.0.1' }])).cursor).toBe(cursor);
    expect((await report(one, [{ vni, mac: mac(1) }])).cursor).toBe(cursor);
    const theirs = await report(
      two,
      [],
      [
        { vni, mac: mac(1) },
        { vni, mac: mac(9) },
      ],
    );
    expect(theirs).toEqual({ cursor: cursor.replace(one.id, two.id), rejected: [] });
    expect((await report(one, [], [])).cursor).toBe(cursor);
    expect((await list(l)).items).toMatchObject([
      { mac: mac(1), ip: '10.0.0.1', site: one.id, siteName: one.name, live: true },
    ]);
    await report(one, [{ vni, mac: mac(1), ip: '10.0.0.2' }]);
    expect((await list(l)).items).toMatchObject([{ ip: '10.0.0.2' }]);
    await report(one, [], [{ vni, mac: mac(1) }]);
    expect((await list(l)).items).toEqual([]);
  });

  test('the newest announcement has the MAC, with a sequence above all before, and it is told that it went', async () => {
    const l = await lan();
    const { vni, one, two } = l;
    let seq = 0;
    for (const agent of [one, two, one]) {
      await report(agent, [{ vni, mac: mac(1) }]);
      const [row] = (await list(l)).items;
      expect(row).toMatchObject({ site: agent.id });
      expect(row!.seq).toBeGreaterThan(seq);
      seq = row!.seq;
    }
    const { cursor } = await pull(two);
    await report(one, [], [{ vni, mac: mac(1) }]);
    const change = (await pull(two, cursor)).networks[0] as NetworkChange;
    expect(change).toMatchObject({ vteps: [], macs: [], gone: { vteps: [], macs: [mac(1)] } });
    expect(change).not.toHaveProperty('intended');
    const { items } = await l.tenant.admin.made<{ items: object[] }>('GET', `${l.tenant.at}/events?kind=mac_moved`);
    expect(items).toMatchObject([
      { subject: mac(1), actor: { kind: 'site', id: two.id }, before: { site: one.id }, after: { site: two.id } },
      { subject: mac(1), actor: { kind: 'site', id: one.id }, before: { site: two.id }, after: { site: one.id } },
    ]);
  });

  test('many sites that announce one MAC at once move it one after the other, or not at all once it is frozen', async () => {
    const l = await lan();
    const agents = [l.one, l.two];
    for (let i = 0; i < 6; i++) {
      const agent = await newAgent(host(), l.tenant);
      await l.tenant.admin.made('PUT', `${l.tenant.at}/sites/${agent.name}/networks/a`, { port });
      agents.push(agent);
    }
    const reports = await Promise.all(agents.map((agent) => report(agent, [{ vni: l.vni, mac: mac(1) }])));
    const [row] = (await list(l)).items;
    const codes = reports.flatMap(({ rejected }) => rejected.map(({ code }) => code));
    expect(codes).toEqual(['mac_frozen', 'mac_frozen']);
    expect(row!.frozenUntil).toBeDefined();
    const revisions = reports
      .filter(({ rejected }) => rejected.length === 0)
      .map(({ cursor }) => Number(cursor.split('.')[2]));
    expect(row!.seq).toBe(Math.max(...revisions));
    expect(new Set(revisions).size).toBe(6);
  });

  test('five moves within three minutes freeze the MAC for half an hour, with an event; a call lets it move again', async () => {
    const l = await lan();
    const { tenant, vni, one, two } = l;
    for (const agent of [one, two, one, two, one, two]) {
      expect((await report(agent, [{ vni, mac: mac(1) }])).rejected).toEqual([]);
    }
    expect(
      (
        await report(one, [
          { vni, mac: mac(1) },
          { vni, mac: mac(2) },
        ])
      ).rejected,
    ).toEqual([{ vni, mac: mac(1), code: 'mac_frozen' }]);
    const [frozen, other] = (await list(l)).items;
    expect(frozen).toMatchObject({ site: two.id });
    const minutes = (Date.parse(frozen!.frozenUntil!) - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(28);
    expect(minutes).toBeLessThanOrEqual(31);
    expect(other).toMatchObject({ mac: mac(2), site: one.id });
    const { items } = await tenant.admin.made<{ items: object[] }>('GET', `${tenant.at}/events?kind=mac_frozen`);
    expect(items).toMatchObject([{ subject: mac(1), before: { site: one.id }, after: { site: two.id } }]);
    const freeze = `${tenant.at}/networks/a/macs/${mac(1)}/freeze`;
    expect((await tenant.admin.call('DELETE', freeze)).status).toBe(204);
    expect(await tenant.admin.refused('DELETE', freeze)).toMatchObject({ code: 'not_found' });
    expect((await report(one, [{ vni, mac: mac(1) }])).rejected).toEqual([]);
    expect((await list(l)).items[0]).toMatchObject({ site: one.id });
    expect((await list(l)).items[0]).not.toHaveProperty('frozenUntil');
  });

  test('what a person sets stays where it is until a person takes it away', async () => {
    const l = await lan();
    const { tenant, vni, one, two } = l;
    const at = `${tenant.at}/networks/a/macs/${mac(1)}`;
    await report(two, [{ vni, mac: mac(1), ip: '10.0.0.1' }]);
    const put = await tenant.admin.call<MacView>('PUT', at, { site: one.name, ip: '10.0.0.9' });
    expect(put).toMatchObject({ status: 200, body: { site: one.id, ip: '10.0.0.9', sticky: true, live: true } });
    expect(await tenant.admin.call('PUT', at, { site: one.id, ip: '10.0.0.9' })).toMatchObject({
      status: 200,
      body: put.body,
    });
    expect((await report(two, [{ vni, mac: mac(1) }])).rejected).toEqual([{ vni, mac: mac(1), code: 'mac_sticky' }]);
    expect((await report(one, [{ vni, mac: mac(1), ip: '10.0.0.3' }])).rejected).toEqual([]);
    await report(one, [], [{ vni, mac: mac(1) }]);
    expect((await list(l)).items).toEqual([put.body]);
    expect((await tenant.admin.call('DELETE', at)).status).toBe(204);
    expect(await tenant.admin.refused('DELETE', at)).toMatchObject({ status: 404 });
    expect((await report(two, [{ vni, mac: mac(1) }])).rejected).toEqual([]);
    expect((await tenant.admin.call('PUT', `${tenant.at}/networks/a/macs/${mac(2)}`, { site: one.name })).status).toBe(
      201,
    );
    const { items } = await tenant.admin.made<{ items: { kind: string }[] }>('GET', `${tenant.at}/events?limit=500`);
    expect(items.map(({ kind }) => kind).filter((kind) => kind.startsWith('mac_'))).toEqual([
      'mac_set',
      'mac_deleted',
      'mac_set',
    ]);
  });

  test('a site’s MACs go with it; a sticky one is hidden while it is not live, and goes when the site is deleted', async () => {
    const l = await lan();
    const { tenant, vni, one, two } = l;
    const attachment = `${tenant.at}/sites/${one.name}/networks/a`;
    const sticky = { mac: mac(2), site: one.id, sticky: true };
    await tenant.admin.made('PUT', `${tenant.at}/networks/a/macs/${mac(2)}`, { site: one.name });
    for (const [go, comeBack] of [
      [() => tenant.admin.made('DELETE', attachment), () => tenant.admin.made('PUT', attachment, { port })],
      [
        () => tenant.admin.made('PATCH', `${tenant.at}/sites/${one.name}`, { disabled: true }),
        () => tenant.admin.made('PATCH', `${tenant.at}/sites/${one.name}`, { disabled: false }),
      ],
    ] as const) {
      await report(one, [{ vni, mac: mac(1) }]);
      let table = applied(new Map(), await pull(two));
      let { cursor } = await pull(two);
      expect([...table.get(vni)!.macs.keys()].sort()).toEqual([mac(1), mac(2)]);
      await go();
      expect((await list(l)).items).toMatchObject([{ ...sticky, live: false }]);
      const delta = (await pull(two, cursor)) as Delta;
      expect(delta.networks[0]).toMatchObject({ intended: true, gone: { vteps: [one.id] } });
      table = applied(table, delta);
      cursor = delta.cursor;
      expect(table.get(vni)!.macs.size).toBe(0);
      expect(table.get(vni)!.digest).toBe(digestOfApplied(table.get(vni)!));
      await comeBack();
      table = applied(table, await pull(two, cursor));
      expect([...table.get(vni)!.macs.values()]).toMatchObject([sticky]);
      expect(table.get(vni)!.digest).toBe(digestOfApplied(table.get(vni)!));
      expect((await list(l)).items).toMatchObject([{ ...sticky, live: true }]);
    }
    await tenant.admin.made('DELETE', `${tenant.at}/sites/${one.name}`);
    expect((await list(l)).items).toEqual([]);
  });

  test('a network’s limit lets in what there is room for, rejects the rest, and room that is made is used', async () => {
    const l = await lan({ macsPerNetwork: 3 });
    const { tenant, vni, one, two } = l;
    const all = [1, 2, 3, 4, 5].map((n) => ({ vni, mac: mac(n) }));
    const codes = (reported: MacReported) => reported.rejected.map(({ mac: which, code }) => `${which} ${code}`);
    expect(codes(await report(one, all))).toEqual([`${mac(4)} quota_exceeded`, `${mac(5)} quota_exceeded`]);
    expect(
      await tenant.admin.refused('PUT', `${tenant.at}/networks/a/macs/${mac(9)}`, { site: one.name }),
    ).toMatchObject({
      status: 403,
      code: 'quota_exceeded',
    });
    expect(codes(await report(two, [{ vni, mac: mac(1) }]))).toEqual([]);
    expect(
      codes(
        await report(
          one,
          [
            { vni, mac: mac(4) },
            { vni, mac: mac(5) },
          ],
          [{ vni, mac: mac(2) }],
        ),
      ),
    ).toEqual([`${mac(5)} quota_exceeded`]);
    expect((await list(l)).items.map((row) => row.mac)).toEqual([mac(1), mac(3), mac(4)]);
    const usage = await tenant.admin.made('GET', `${tenant.at}/usage`);
    expect(usage).toMatchObject({ macsPerNetwork: { used: 3, limit: 3 } });
  });

  test('a network that the site does not carry, or does not any more, is rejected; the others of the call go in', async () => {
    const l = await lan();
    const { tenant, vni, one } = l;
    const { vni: other } = await tenant.admin.made<{ vni: number }>('POST', `${tenant.at}/networks`, { name: 'b' });
    const { rejected } = await report(one, [
      { vni: other, mac: mac(1) },
      { vni: 16_777_000, mac: mac(2) },
      { vni, mac: mac(3) },
    ]);
    expect(rejected).toEqual([
      { vni: other, mac: mac(1), code: 'not_found' },
      { vni: 16_777_000, mac: mac(2), code: 'not_found' },
    ]);
    expect((await list(l)).items.map((row) => row.mac)).toEqual([mac(3)]);
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${one.name}`, { disabled: true });
    expect(await (await one.caller()).refused('POST', '/v1/agent/macs', { announce: [], withdraw: [] })).toMatchObject({
      code: 'site_disabled',
    });
  });

  test('five thousand in one call go in at once, and one more is refused', async () => {
    const l = await lan();
    const { vni, one, two } = l;
    const many: MacReport['announce'] = Array.from({ length: MAX_MACS_PER_CALL }, (_, n) => ({
      vni,
      mac: mac(n),
      ip: '10.0.0.1',
    }));
    const { cursor } = (await pull(two)) as Snapshot;
    const reported = await report(one, many);
    expect(reported.rejected).toEqual([]);
    const delta = (await pull(two, cursor)) as Delta;
    expect(delta.networks[0]!.macs).toHaveLength(MAX_MACS_PER_CALL);
    const [network] = applied(new Map(), await pull(one)).values();
    expect(network!.digest).toBe(digestOfApplied(network!));
    expect((await report(one, many)).cursor).toBe(reported.cursor);
    const tooMany = { announce: [...many, { vni, mac: 'aa:00:00:00:00:00' }], withdraw: [] };
    expect(await (await one.caller()).refused('POST', '/v1/agent/macs', tooMany)).toMatchObject({
      code: 'invalid_body',
    });
    await report(
      one,
      [],
      many.map(({ mac: gone }) => ({ vni, mac: gone })),
    );
    expect((await list(l)).items).toEqual([]);
  });

  test('what is no unicast MAC, no host’s address, or named twice is refused with the field', async () => {
    const { vni, one } = await lan();
    const caller = await one.caller();
    for (const [body, path] of [
      [{ announce: [{ vni, mac: '01:00:5e:00:00:01' }], withdraw: [] }, 'announce.0.mac'],
      [{ announce: [{ vni, mac: 'ff:ff:ff:ff:ff:ff' }], withdraw: [] }, 'announce.0.mac'],
      [{ announce: [], withdraw: [{ vni, mac: '00:00:00:00:00:00' }] }, 'withdraw.0.mac'],
      [{ announce: [{ vni, mac: mac(1), ip: '224.0.0.1' }], withdraw: [] }, 'announce.0.ip'],
      [{ announce: [{ vni: 0, mac: mac(1) }], withdraw: [] }, 'announce.0.vni'],
      [{ announce: [{ vni, mac: mac(1) }], withdraw: [{ vni, mac: mac(1) }] }, ''],
      [{ announce: [] }, 'withdraw'],
    ] as const) {
      expect(await caller.refused('POST', '/v1/agent/macs', body)).toMatchObject({
        code: 'invalid_body',
        errors: [{ path }],
      });
    }
  });

  test('the list comes in pages, by MAC, and can be asked for a MAC, an address or a site', async () => {
    const l = await lan();
    const { vni, one, two, tenant } = l;
    await report(
      one,
      [1, 3, 5].map((n) => ({ vni, mac: mac(n), ip: `10.0.0.${n}` })),
    );
    await report(
      two,
      [2, 4].map((n) => ({ vni, mac: mac(n) })),
    );
    const first = await list(l, '?limit=2');
    const second = await list(l, `?limit=3&cursor=${first.nextCursor}`);
    expect([first, second].map(({ items }) => items.map((row) => row.mac))).toEqual([
      [mac(1), mac(2)],
      [mac(3), mac(4), mac(5)],
    ]);
    expect(second.nextCursor).toBeNull();
    const macsOf = async (query: string) => (await list(l, query)).items.map((row) => row.mac);
    expect(await macsOf(`?mac=${mac(3).toUpperCase()}`)).toEqual([mac(3)]);
    expect(await macsOf('?ip=10.0.0.5')).toEqual([mac(5)]);
    expect(await macsOf(`?site=${two.name}`)).toEqual([mac(2), mac(4)]);
    const at = `${tenant.at}/networks/a/macs`;
    expect(await tenant.admin.refused('GET', `${at}?site=none`)).toMatchObject({ code: 'not_found' });
    expect(await tenant.admin.refused('GET', `${at}?mac=x`)).toMatchObject({
      code: 'invalid_query',
      errors: [{ path: 'mac' }],
    });
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? { site: one.name } : undefined;
      expect(await tenant.admin.refused(method, `${at}/ff:ff:ff:ff:ff:ff`, body)).toMatchObject({ code: 'not_found' });
    }
    const elsewhere = await newAgent(host(), tenant);
    expect(await tenant.admin.refused('PUT', `${at}/${mac(9)}`, { site: elsewhere.name })).toMatchObject({
      code: 'not_found',
    });
  });

  test('whether all are in step with a revision is said site by site', async () => {
    const l = await lan();
    const { tenant, vni, one, two } = l;
    const ask = (query = '') => tenant.admin.made<Convergence>('GET', `${tenant.at}/networks/a/convergence${query}`);
    const heartbeat = async (agent: TestAgent): Promise<void> => {
      const { cursor, networks } = await pull(agent);
      const said = networks.map(({ vni: of, revision, digest }) => ({ vni: of, revision, digest, counters: {} }));
      await (await agent.caller()).made('POST', '/v1/agent/heartbeat', { cursor, networks: said, version: '1.0.0' });
    };
    await tenant.admin.made('POST', `${tenant.at}/sites`, {
      name: 'switch',
      kind: 'static',
      vtep: { address: '192.0.2.77' },
    });
    await tenant.admin.made('PUT', `${tenant.at}/sites/switch/networks/a`, { port: { type: 'none' } });
    await heartbeat(one);
    const early = await ask();
    expect(early).toMatchObject({ converged: false });
    expect(early.sites.map(({ name, inStep }) => [name, inStep]).sort()).toEqual(
      [
        [one.name, true],
        [two.name, false],
      ].sort(),
    );
    expect(early.sites.find(({ site }) => site === two.id)).not.toHaveProperty('appliedRevision');
    await heartbeat(two);
    const before = await ask();
    expect(before.converged).toBe(true);
    await report(one, [{ vni, mac: mac(1) }]);
    expect((await ask()).converged).toBe(false);
    expect((await ask(`?revision=${before.revision}`)).converged).toBe(true);
    await heartbeat(one);
    await heartbeat(two);
    expect(await ask()).toMatchObject({
      converged: true,
      sites: [
        { digestMatch: true, lag: 0 },
        { digestMatch: true, lag: 0 },
      ],
    });
    const ahead = (await ask()).revision + 1000;
    expect(await tenant.admin.refused('GET', `${tenant.at}/networks/a/convergence?revision=${ahead}`)).toMatchObject({
      code: 'invalid_query',
    });
  });
}
