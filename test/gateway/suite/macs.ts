/** The MAC addresses of a network as people see, set and delete them. */
import { expect, test } from 'vitest';
import type { MacView } from '../../../src/contract/macs.ts';
import type { Delta } from '../../../src/contract/table.ts';
import { applied, digestOfApplied } from '../applied-table.ts';
import { type Host, newAgent } from '../host.ts';
import { list, mac, newLan, port, pull, report } from './lan.ts';

export function macs(host: () => Host): void {
  test('what a person sets stays where it is until a person takes it away', async () => {
    const l = await newLan(host());
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
    const l = await newLan(host());
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

  test('the list comes in pages, by MAC, and can be asked for a MAC, an address or a site', async () => {
    const l = await newLan(host());
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
}
