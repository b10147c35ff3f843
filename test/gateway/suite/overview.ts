import { expect, test } from 'vitest';
import type { Alerts } from '../../../src/contract/alerts.ts';
import type { History } from '../../../src/contract/history.ts';
import type { Snapshot } from '../../../src/contract/table.ts';
import { STEP_STATES, type StepState, type Topology } from '../../../src/contract/topology.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';
import { pull } from '../watcher.ts';

const port = { type: 'host', name: 'tap0' };
const HOUR_MS = 3600_000;

export function overview(host: () => Host): void {
  /** Says that the site has what the gateway gives it, or what `changes` makes of that. */
  async function report(agent: TestAgent, changes: object = {}, counters: Record<string, number> = {}): Promise<void> {
    const table = (await pull(agent)) as Snapshot;
    const networks = table.networks.map(({ vni, revision, digest }) => ({
      vni,
      revision,
      digest,
      counters,
      ...changes,
    }));
    const body = { cursor: table.cursor, version: '1.2.3', networks };
    await (await agent.caller()).made('POST', '/v1/agent/heartbeat', body);
  }

  async function carried(agents: number, limits = {}): Promise<{ tenant: TestTenant; all: TestAgent[] }> {
    const tenant = await newTenant(host(), limits);
    const { at, admin } = tenant;
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    const all: TestAgent[] = [];
    for (let i = 0; i < agents; i++) {
      all.push(await newAgent(host(), tenant, { name: `s${i}` }));
      await admin.made('PUT', `${at}/sites/s${i}/networks/a`, { port });
    }
    return { tenant, all };
  }

  test('the topology has every site and network, and how far each site is with what it carries', async () => {
    const { tenant, all } = await carried(5);
    const { admin, at } = tenant;
    const network = await admin.made<{ id: string; vni: number }>('POST', `${at}/networks`, { name: 'b' });
    await admin.made('POST', `${at}/sites`, { name: 'z', kind: 'static', vtep: { address: '192.0.2.200' } });
    await admin.made('PUT', `${at}/sites/z/networks/a`, { port: { type: 'none' } });
    const [good, error, differs, behind] = all as [TestAgent, TestAgent, TestAgent, TestAgent];
    await report(good);
    await report(error, { error: 'tap0 is taken' });
    await report(differs, { digest: '000000000000' });
    await report(behind, { revision: 1 });
    const topology = await admin.made<Topology>('GET', `${at}/topology`);
    expect(topology.sites).toMatchObject([
      ...all.map(({ id }, i) => ({ id, name: `s${i}`, kind: 'agent', status: 'online' })),
      { name: 'z', kind: 'static', status: 'online', vtep: { address: '192.0.2.200', port: 4789 } },
    ]);
    expect(topology.sites[0]).toMatchObject({ version: '1.2.3', labels: {} });
    expect(topology.networks).toMatchObject([
      { name: 'a', macs: 0 },
      { name: 'b', id: network.id, vni: network.vni },
    ]);
    const states = (of: Topology): StepState[] =>
      of.attachments.toSorted(([a], [b]) => a - b).map(([, , state]) => STEP_STATES[state]!);
    expect(states(topology)).toEqual(['in_step', 'error', 'differs', 'behind', 'unknown', 'none']);
    await admin.made('PATCH', `${at}/networks/a`, { mtu: 1400 });
    await admin.made('PATCH', `${at}/sites/s1`, { disabled: true });
    expect(states(await admin.made<Topology>('GET', `${at}/topology`)).slice(0, 3)).toEqual([
      'behind',
      'none',
      'behind',
    ]);
  });

  test('of a large tenant a change shows at once too, and to nobody else', async () => {
    const [one, two] = [await carried(1), await carried(1)];
    for (const { tenant } of [one, two]) {
      await host().write('UPDATE tenants SET network_count = 100, site_count = 100 WHERE slug = ?', tenant.slug);
    }
    const names = async ({ tenant }: typeof one) => {
      const { sites } = await tenant.admin.made<Topology>('GET', `${tenant.at}/topology`);
      return sites.map(({ id, name }) => [id, name]);
    };
    expect(await names(one)).toEqual([[one.all[0]!.id, 's0']]);
    expect(await names(two)).toEqual([[two.all[0]!.id, 's0']]);
    await one.tenant.admin.made('PATCH', `${one.tenant.at}/sites/s0`, { name: 'renamed' });
    expect(await names(one)).toEqual([[one.all[0]!.id, 'renamed']]);
    expect(await names(two)).toEqual([[two.all[0]!.id, 's0']]);
  });

  test('alerts say what is not well at this moment, the worst first, and nothing where all is', async () => {
    const { tenant, all } = await carried(5, { networks: 5 });
    const { admin, at } = tenant;
    const alerts = async () => (await admin.made<Alerts>('GET', `${at}/alerts`)).items;
    for (const agent of all) await report(agent);
    expect(await alerts()).toEqual([]);
    const [offline, error, differs, behind, good] = all as [TestAgent, TestAgent, TestAgent, TestAgent, TestAgent];
    const vni = (await admin.made<{ vni: number }>('GET', `${at}/networks/a`)).vni;
    const mac = '02:00:00:00:00:01';
    for (let i = 0; i < 6; i++) {
      const caller = await (i % 2 === 0 ? good : behind).caller();
      await caller.made('POST', '/v1/agent/macs', { announce: [{ vni, mac }], withdraw: [] });
    }
    for (const name of ['b', 'c', 'd', 'e']) await admin.made('POST', `${at}/networks`, { name });
    await report(good);
    await report(error, { error: 'tap0 is taken' });
    await report(differs, { digest: '000000000000', heldRemovals: 3 });
    await report(behind, { revision: 1 });
    await host().write('UPDATE site_status SET online_until = 1 WHERE site_id = ?', offline.id);
    const found = await alerts();
    expect(found.map(({ kind, site }) => [kind, site?.name])).toEqual([
      ['site_offline', 's0'],
      ['mac_frozen', 's3'],
      ['digest_mismatch', 's2'],
      ['network_error', 's1'],
      ['removal_held', 's2'],
      ['quota_near', undefined],
    ]);
    expect(found[1]).toMatchObject({ mac, network: { name: 'a' } });
    expect(found[3]).toMatchObject({ detail: 'tap0 is taken', since: expect.any(String) });
    expect(found[5]!.detail).toContain('5 of 5 networks');
    // Who is behind for a moment is about to catch up.
    await host().write('UPDATE site_status SET behind_since = ? WHERE site_id = ?', Date.now() - 60_000, behind.id);
    expect((await alerts())[3]).toMatchObject({ kind: 'behind', site: { name: 's3' } });
    await report(behind);
    await report(behind, { revision: 1 });
    expect((await alerts()).map(({ kind }) => kind)).not.toContain('behind');
  });

  test('history says what was carried when, per site and network, and who was online', async () => {
    const { tenant, all } = await carried(2);
    const { admin, at } = tenant;
    const [one, two] = all as [TestAgent, TestAgent];
    const history = (query = '') => admin.made<History>('GET', `${at}/history${query}`);
    const sum = ({ points }: History) => ({
      rxBytes: points.reduce((total, { rxBytes }) => total + rxBytes, 0),
      txFrames: points.reduce((total, { txFrames }) => total + txFrames, 0),
      drops: points.reduce((total, { drops }) => total + drops, 0),
    });
    const goBack = (ms: number, agent: TestAgent) =>
      host().write('UPDATE site_status SET sampled_at = sampled_at - ? WHERE site_id = ?', ms, agent.id);
    await host().write('UPDATE sites SET created_at = created_at - ? WHERE id = ?', HOUR_MS, one.id);
    await report(one, {}, { portTxBytes: 1000, portRxFrames: 10, dropTooBig: 1 });
    await goBack(3 * HOUR_MS, one);
    await report(one, {}, { portTxBytes: 601_000, portRxFrames: 610, dropTooBig: 1, dropNoPort: 6 });
    await report(two, {}, { portTxBytes: 50 });
    const whole = await history();
    expect(whole.stepSeconds).toBe(600);
    expect(whole.points).toHaveLength(145);
    expect(sum(whole)).toEqual({ rxBytes: 601_050, txFrames: 610, drops: 7 });
    // Three hours between two reports: what came in them is spread over all of it.
    expect(whole.points.filter(({ rxBytes }) => rxBytes > 30_000).length).toBeGreaterThanOrEqual(17);
    expect(sum(await history('?site=s1'))).toEqual({ rxBytes: 50, txFrames: 0, drops: 0 });
    expect(sum(await history('?site=s0&network=a')).rxBytes).toBeLessThanOrEqual(601_000);
    const online = whole.points.map((point) => point.online);
    expect(online.at(-1)).toBeGreaterThanOrEqual(0.99);
    expect(online.filter((share) => share > 0.5).length).toBeOneOf([6, 7]);
    const long = await history(`?since=${new Date(Date.now() - 10 * 24 * HOUR_MS).toISOString()}`);
    expect(long).toMatchObject({ stepSeconds: 3600 });
    expect(sum(long)).toEqual(sum(whole));
    // An agent that was started again counts from zero.
    await report(one, {}, { portTxBytes: 7 });
    expect(sum(await history('?site=s0')).rxBytes).toBe(601_007);
    const other = await newTenant(host());
    expect(sum(await other.admin.made<History>('GET', `${other.at}/history`)).rxBytes).toBe(0);
    expect(await other.admin.refused('GET', `${other.at}/history?site=${one.id}`)).toMatchObject({ code: 'not_found' });
    const tomorrow = new Date(Date.now() + 24 * HOUR_MS).toISOString();
    expect(await admin.refused('GET', `${at}/history?since=${tomorrow}`)).toMatchObject({ code: 'invalid_query' });
  });

  test('a MAC table is searched by how addresses begin and by the site’s name, events by what they tell of', async () => {
    const { tenant, all } = await carried(2);
    const { admin, at } = tenant;
    const vni = (await admin.made<{ vni: number }>('GET', `${at}/networks/a`)).vni;
    const announce = [0, 1, 2].map((i) => ({ vni, mac: `02:00:00:00:0${i}:01`, ip: `10.${i}.0.1` }));
    await (await all[0]!.caller()).made('POST', '/v1/agent/macs', { announce: announce.slice(0, 2), withdraw: [] });
    await (await all[1]!.caller()).made('POST', '/v1/agent/macs', { announce: announce.slice(2), withdraw: [] });
    const found = async (search: string) => {
      const { items } = await admin.made<{ items: { ip: string }[] }>('GET', `${at}/networks/a/macs?search=${search}`);
      return items.map(({ ip }) => ip);
    };
    expect(await found('02:00:00:00:01')).toEqual(['10.1.0.1']);
    expect(await found('10.2')).toEqual(['10.2.0.1']);
    expect(await found('S0')).toEqual(['10.0.0.1', '10.1.0.1']);
    expect(await found('%')).toEqual([]);
    expect(await admin.made('GET', `${at}/networks/a`)).toMatchObject({ macs: 3 });

    const kinds = async (query: string) => {
      const { items } = await admin.made<{ items: { kind: string; after?: object }[] }>('GET', `${at}/events?${query}`);
      return items.map(({ kind }) => kind);
    };
    const { id } = await admin.made('GET', `${at}/networks/a`);
    expect(await kinds(`site=${all[1]!.id}`)).toEqual(['site_enrolled', 'site_attached']);
    expect(await kinds(`network=${id}`)).toEqual(['network_created', 'site_attached', 'site_attached']);
    await admin.made('PATCH', `${at}/sites/s1`, { where: 'Harbour "B"' });
    expect(await kinds(`search=${encodeURIComponent('harbour "b')}`)).toEqual(['site_changed']);
    // What fields are called is nothing that anybody said.
    for (const field of ['where', 'multicastGroup', 'joinToken']) expect(await kinds(`search=${field}`)).toEqual([]);
    await admin.made('PATCH', `${at}/networks/a`, { description: 'Büro ÉTAGE' });
    expect(await kinds(`search=${encodeURIComponent('büro ÉTAGE')}`)).toEqual(['network_changed']);
    const enrolled = await admin.made<{ items: { after: { joinToken: string } }[] }>(
      'GET',
      `${at}/events?kind=site_enrolled`,
    );
    const tokens = await admin.made<{ items: { id: string }[] }>('GET', `${at}/join-tokens`);
    expect(enrolled.items.map(({ after }) => after.joinToken).sort()).toEqual(
      tokens.items.map((token) => token.id).sort(),
    );
  });
}
