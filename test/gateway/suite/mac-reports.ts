/** Stations that agents announce and withdraw: what is taken, what is rejected, and what every site then has. */
import { expect, test } from 'vitest';
import { MAX_MACS_PER_CALL, type MacReport, type MacReported } from '../../../src/contract/macs.ts';
import type { Delta, NetworkChange, Snapshot } from '../../../src/contract/table.ts';
import { applied, digestOfApplied } from '../applied-table.ts';
import { type Host, newAgent } from '../host.ts';
import { list, mac, newLan, port, pull, report } from './lan.ts';

export function macReports(host: () => Host): void {
  test('what a site announces is in every site’s table, its own too, with a digest that each can compute', async () => {
    const { vni, one, two } = await newLan(host());
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
    const l = await newLan(host());
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
    const l = await newLan(host());
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
    const l = await newLan(host());
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
    const l = await newLan(host());
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

  test('a network’s limit lets in what there is room for, rejects the rest, and room that is made is used', async () => {
    const l = await newLan(host(), { macsPerNetwork: 3 });
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
    const l = await newLan(host());
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
    const l = await newLan(host());
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
    const { vni, one } = await newLan(host());
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
}
