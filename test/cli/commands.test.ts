/** What each command does to a real gateway, and what it shows to people and to scripts. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../src/contract/table.ts';
import type { RunningGateway } from '../../src/hosts/node/start-gateway.ts';
import { Caller, enrol, newAgentKey } from '../gateway/host.ts';
import { type Ended, OPERATOR_KEY, overlane, startTestGateway } from './overlane.ts';

let gateway: RunningGateway;
let tenant: string;
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());
beforeEach(async () => {
  tenants += 1;
  tenant = `t${tenants}`;
  await done('tenant', 'create', tenant);
});

function run(...args: string[]): Promise<Ended> {
  const env = { OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: OPERATOR_KEY, OVERLANE_TENANT: tenant };
  return overlane(env, args);
}

/** Runs what must succeed, and gives what it printed. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  return JSON.parse(await done(...args, '--json')) as T;
}

/** What the API itself says. */
async function api<T>(path: string): Promise<T> {
  const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${OPERATOR_KEY}` } });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** The value beside a fact's name. */
function fact(text: string, name: string): string | undefined {
  return new RegExp(`^${name} {2,}(.*)$`, 'm').exec(text)?.[1];
}

/** A table's lines as cells. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

describe('tenant', () => {
  test('is made with limits, shown, listed, changed and deleted', async () => {
    const made = await done('tenant', 'create', `${tenant}-b`, '--name', 'B Ltd', '--max-sites', '7');
    expect(fact(made, 'name')).toBe('B Ltd');
    expect(fact(made, 'limits')).toBe('100 networks, 7 sites, 10000 MACs in each network');
    expect(cells(await done('tenant', 'list'))).toContainEqual([`${tenant}-b`, 'B Ltd', '100', '7', '10000', '0']);
    const edited = await json('tenant', 'edit', `${tenant}-b`, '--max-networks', '3', '--transport', 'wireguard');
    expect(edited).toMatchObject({ name: 'B Ltd', limits: { networks: 3, sites: 7 }, transport: 'wireguard' });
    expect(await json('tenant', 'show', `${tenant}-b`)).toEqual(edited);
    expect(await done('tenant', 'delete', `${tenant}-b`)).toBe(`Deleted tenant ${tenant}-b.\n`);
    expect((await run('tenant', 'show', `${tenant}-b`)).code).toBe(5);
  });
});

describe('key', () => {
  test('is shown when it is made, opens its tenant, is listed without its secret, and ends when revoked', async () => {
    const made = await done('key', 'create', 'ci', '--role', 'viewer', '--expires-in', '1d');
    const key = fact(made, 'key')!;
    expect(Date.parse(fact(made, 'expires')!) - Date.now()).toBeGreaterThan(86_000_000);
    const asViewer = (...args: string[]) =>
      overlane({ OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: key, OVERLANE_TENANT: tenant }, args);
    expect((await asViewer('network', 'list')).code).toBe(0);
    expect(await asViewer('network', 'create', 'blue')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^overlane: the gateway refuses \(forbidden\): .*\n$/),
    });
    const list = await done('key', 'list');
    expect(list).toContain('viewer');
    expect(list).not.toContain(key.slice(-20));
    await done('key', 'revoke', fact(made, 'id')!);
    expect((await asViewer('network', 'list')).code).toBe(3);
  });
});

test('a key that is rotated works on for the overlap, and the new one from then on', async () => {
  const old = await json<{ id: string; key: string; role: string }>('key', 'create', 'ci', '--role', 'viewer');
  const made = await json<{ id: string; key: string }>('key', 'rotate', old.id, '--overlap', '1h');
  expect(made).toMatchObject({ role: 'viewer' });
  const codes = [old.key, made.key].map(async (key) => (await run('network', 'list', '--key', key)).code);
  expect(await Promise.all(codes)).toEqual([0, 0]);
  const listed = await json<{ id: string; expiresAt?: string }[]>('key', 'list');
  expect(Date.parse(listed.find(({ id }) => id === old.id)!.expiresAt!) - Date.now()).toBeLessThan(3_600_001);
  await done('key', 'rotate', made.id, '--overlap', '0s');
  expect((await run('network', 'list', '--key', made.key)).code).toBe(3);
});

describe('network', () => {
  test('is made with all its settings, and the same is shown and listed', async () => {
    const flags = ['--mtu', '1400', '--subnet', '10.9.0.0/24', '--description', 'the lab', '--no-arp-suppression'];
    const made = await done(
      'network',
      'create',
      'blue',
      ...flags,
      '--flood',
      'none',
      '--anti-spoof',
      'strict',
      '--transport',
      'wireguard',
    );
    expect(made).toBe(await done('network', 'show', 'blue'));
    expect(fact(made, 'arp suppression')).toBe('off');
    const { vni } = await json('network', 'show', 'blue');
    expect(cells(await done('network', 'list'))).toEqual([
      ['NAME', 'VNI', 'MTU', 'SUBNET', 'FLOOD', 'TRANSPORT', 'ANTI-SPOOF', 'REVISION', 'DESCRIPTION'],
      ['blue', String(vni), '1400', '10.9.0.0/24', 'none', 'wireguard', 'strict', '1', 'the lab'],
    ]);
  });

  test('gets the VNI that is asked for, and a taken one is a conflict that names it', async () => {
    const asked = String(9_000_000 + tenants);
    expect(fact(await done('network', 'create', 'a', '--vni', asked), 'vni')).toBe(asked);
    const { code, stderr } = await run('network', 'create', 'b', '--vni', asked);
    expect(code).toBe(6);
    expect(stderr).toMatch(new RegExp(`^overlane: the gateway refuses \\(vni_taken\\): .*${asked}.*\\n$`));
  });

  test('is changed field by field; an empty text takes a field away', async () => {
    await done('network', 'create', 'blue', '--subnet', '10.9.0.0/24', '--description', 'old');
    const edited = await json('network', 'edit', 'blue', '--name', 'navy', '--subnet', '', '--arp-suppression');
    expect(edited).toMatchObject({ name: 'navy', description: 'old', arpSuppression: true });
    expect(edited).not.toHaveProperty('subnet');
  });

  test('is deleted by name or id', async () => {
    const { id } = await json<{ id: string }>('network', 'create', 'blue');
    await done('network', 'delete', id);
    expect(await run('network', 'delete', 'blue')).toMatchObject({ code: 5, stdout: '' });
    expect(await done('network', 'list')).toBe('none\n');
    expect(await json('network', 'list')).toEqual([]);
  });
});

describe('site', () => {
  const add = (name: string, ...more: string[]) =>
    done('site', 'add', name, '--static', '--vtep-address', `10.0.${tenants}.${name.length}`, ...more);

  test('without an agent is added, shown with its networks, and listed', async () => {
    await add('switch', '--vtep-port', '4790', '--label', 'rack=4', '--label', 'row=b', '--where', 'Oslo');
    const { vni } = await json('network', 'create', 'blue');
    const attached = await done('site', 'attach', 'switch', 'blue');
    expect(fact(attached, 'port')).toBe('none');
    const shown = await done('site', 'show', 'switch');
    expect(fact(shown, 'vtep')).toBe(`10.0.${tenants}.6:4790`);
    expect(fact(shown, 'labels')).toBe('rack=4, row=b');
    expect(fact(shown, 'where')).toBe('Oslo');
    expect(cells(shown).at(-1)).toEqual(['blue', String(vni), 'none', 'plain', '3', '-', '-', '-', '-']);
    expect(cells(await done('site', 'list'))[1]).toEqual([
      'switch',
      'online',
      'static',
      `10.0.${tenants}.6:4790`,
      '1',
      '-',
      '-',
      '-',
      'rack=4, row=b',
    ]);
  });

  test('needs to be said to be static, since one with an agent comes by a token', async () => {
    expect(await run('site', 'add', 'x', '--vtep-address', '10.0.0.1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--static'),
    });
  });

  test('is renamed, moved, relabelled, disabled, enabled, detached and deleted', async () => {
    await add('old', '--where', 'Oslo');
    await done('network', 'create', 'blue');
    await done('site', 'attach', 'old', 'blue', '--port', 'none');
    const address = `10.1.${tenants}.1`;
    const flags = ['--name', 'new', '--vtep-address', address, '--label', 'a=b', '--where', ''];
    const edited = await json('site', 'edit', 'old', ...flags);
    expect(edited).toMatchObject({ name: 'new', vtep: { address, port: 4789 }, labels: { a: 'b' } });
    expect(edited).not.toHaveProperty('where');
    await done('site', 'disable', 'new');
    expect(await json('site', 'show', 'new')).toMatchObject({ status: 'disabled' });
    await done('site', 'enable', 'new');
    expect(await json('site', 'show', 'new')).toMatchObject({ status: 'online', networks: [{ name: 'blue' }] });
    await done('site', 'detach', 'new', 'blue');
    expect(await json('site', 'show', 'new')).toMatchObject({ networks: [] });
    expect((await run('site', 'detach', 'new', 'blue')).code).toBe(5);
    await done('site', 'delete', 'new');
    expect((await run('site', 'show', 'new')).code).toBe(5);
  });

  test('an agent’s port on a static site is refused in the gateway’s words', async () => {
    await add('switch');
    await done('network', 'create', 'blue');
    expect(await run('site', 'attach', 'switch', 'blue', '--port', 'host:blue0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('port_not_for_site'),
    });
  });

  test('what a site says of itself can’t steer the terminal', async () => {
    await add('switch', '--where', 'Oslo\u001b[2J\u0007');
    const shown = await done('site', 'show', 'switch');
    expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
    expect(fact(shown, 'where')).toBe('Oslo [2J');
  });
});

test('the paths between a site and its peers are shown as each end sees them', async () => {
  const host = { url: gateway.url, operatorKey: OPERATOR_KEY };
  const token = await json<{ token: string }>('token', 'create', '--uses', '3');
  const join = async (name: string) => {
    const key = await newAgentKey();
    const { body } = await enrol(host, key, {
      token: token.token,
      name,
      vtep: { address: `10.8.${tenants}.${name.length}`, port: 4789 },
    });
    return { id: body.site, caller: new Caller(gateway.url, await key.sign(gateway.url, body.site)) };
  };
  const [a, b, c] = [await join('a'), await join('bb'), await join('ccc')];
  const report = (from: typeof a, ...paths: readonly object[]) =>
    from.caller.made('POST', '/v1/agent/heartbeat', { cursor: 'c', version: '1.0.0', networks: [], paths });
  const well = { state: 'reachable', rttMs: 0.254, asked: 32, lost: 0, mtu: 1500, neededMtu: 1500, hears: true };
  expect(await done('site', 'paths', 'a')).toBe('no paths are known\n');
  await report(
    a,
    { site: b.id, ...well },
    { site: c.id, state: 'unreachable', asked: 9, lost: 9, neededMtu: 1500, hears: true },
  );
  await report(b, { site: a.id, ...well, lost: 8, mtu: 1400, carriesNeeded: false });
  expect(cells(await done('site', 'paths', 'a')).slice(1)).toEqual([
    ['bb', 'plain', 'reachable', '0.25 ms', '0%', '1500', 'reachable', '25%', '1400, 1500 needed'],
    ['ccc', 'plain', 'lost, though heard', '-', '-', '-', '-', '-', '-'],
  ]);
  expect(await json('site', 'paths', 'bb')).toMatchObject({ items: [{ site: { name: 'a' }, there: { mtu: 1400 } }] });
});

describe('mac', () => {
  const mac = '02:00:00:00:00:0a';

  test('is set to a site, listed with filters, and deleted', async () => {
    await done('site', 'add', 'switch', '--static', '--vtep-address', `10.2.${tenants}.1`);
    await done('network', 'create', 'blue');
    await done('site', 'attach', 'switch', 'blue');
    const made = await done('mac', 'set', 'blue', '02:00:00:00:00:0A', '--site', 'switch', '--ip', '10.9.0.7');
    expect(fact(made, 'mac')).toBe(mac);
    const [, row] = cells(await done('mac', 'list', 'blue'));
    expect(row).toEqual([mac, '10.9.0.7', 'switch', expect.stringMatching(/^\d+$/), 'sticky']);
    expect(await json('mac', 'list', 'blue', '--ip', '10.9.0.7', '--site', 'switch')).toMatchObject([{ mac }]);
    expect(await done('mac', 'list', 'blue', '--mac', '02:00:00:00:00:0b')).toBe('none\n');
    await done('mac', 'delete', 'blue', mac);
    expect(await done('mac', 'list', 'blue')).toBe('none\n');
    expect((await run('mac', 'delete', 'blue', mac)).code).toBe(5);
  });

  test('that is not frozen can’t be unfrozen, and a group address is no station', async () => {
    await done('network', 'create', 'blue');
    expect((await run('mac', 'unfreeze', 'blue', mac)).code).toBe(5);
    expect(await run('mac', 'set', 'blue', 'ff:ff:ff:ff:ff:ff', '--site', 's')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('must be a unicast MAC address'),
    });
  });
});

describe('network wait', () => {
  test('ends at once where everyone is in step, and else names who is not when its time is over', async () => {
    await done('network', 'create', 'blue');
    expect(await done('network', 'wait', 'blue')).toMatch(/^In step with revision \d+: 0 sites\.\n$/);
    const token = await json<{ token: string }>('token', 'create', '--network', 'blue=host:blue0');
    const key = await newAgentKey();
    const enrolled = await enrol({ url: gateway.url, operatorKey: OPERATOR_KEY }, key, {
      token: token.token,
      name: 'oslo',
    });
    expect(await run('network', 'wait', 'blue', '--timeout', '0s')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^overlane: not in step with revision \d+ after 0 s: oslo.*\n$/),
    });

    const waiting = run('network', 'wait', 'blue', '--timeout', '20s', '--json');
    const agent = new Caller(gateway.url, await key.sign(gateway.url, enrolled.body.site));
    const table = await agent.made<Snapshot>('GET', '/v1/agent/tables');
    const networks = table.networks.map(({ vni, revision, digest }) => ({ vni, revision, digest, counters: {} }));
    await agent.made('POST', '/v1/agent/heartbeat', { cursor: table.cursor, version: '1.0.0', networks });
    const { code, stdout } = await waiting;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ converged: true, sites: [{ name: 'oslo', inStep: true }] });
  });

  test('waits for a revision that is named', async () => {
    await done('network', 'create', 'blue');
    expect(await json('network', 'wait', 'blue', '--revision', '1')).toMatchObject({ revision: 1, converged: true });
  });
});

describe('token', () => {
  test('is shown once, in the very command that joins a site with it', async () => {
    const { id: network } = await json<{ id: string }>('network', 'create', 'blue');
    const flags = ['--uses', '3', '--expires-in', '90m', '--network', 'blue=vlan:eth0.7', '--label', 'region=be'];
    const made = await done('token', 'create', 'branches', ...flags);
    const [, command] = /^ {2}(overlane-agent join .*)$/m.exec(made)!;
    expect(command).toMatch(new RegExp(`^overlane-agent join --gateway ${gateway.url} --token olj_[\\w-]+$`));
    const id = fact(made, 'token')!;
    expect(await json('token', 'show', id)).toMatchObject({
      id,
      name: 'branches',
      maxUses: 3,
      networks: [{ network, port: { type: 'vlan', interface: 'eth0', vid: 7 } }],
      labels: { region: 'be' },
    });
    expect(cells(await done('token', 'list'))[1]?.slice(0, 3)).toEqual([id, 'branches', '0 of 3']);
    expect((await done('token', 'list')) + (await done('token', 'show', id))).not.toContain('olj_');
    await done('token', 'revoke', id);
    expect(await done('token', 'list')).toBe('none\n');
  });
});

describe('pool', () => {
  test('is carved out for a tenant, which gets its numbers first; they rest, are released early, and go back', async () => {
    const first = 12_000_000 + tenants * 10;
    const range = [String(first), String(first + 9)];
    const made = await done('pool', 'create', `${tenant}-pool`, ...range, '--for', tenant);
    expect(fact(made, 'for')).toBe(tenant);
    expect(await json('network', 'create', 'blue')).toMatchObject({ vni: first });
    await done('network', 'delete', 'blue');
    const resting = await json<{ vni: number }[]>('pool', 'resting');
    expect(resting).toContainEqual(expect.objectContaining({ vni: first, tenant }));
    expect(fact(await done('pool', 'show', `${tenant}-pool`), 'resting')).toBe('1');
    await done('pool', 'release', String(first));
    expect((await run('pool', 'release', String(first))).code).toBe(5);
    expect(cells(await done('pool', 'list'))).toContainEqual([`${tenant}-pool`, ...range, tenant, '10', '0', '0']);
    expect((await run('pool', 'create', 'overlapping', ...range)).code).toBe(6);
    await done('pool', 'delete', `${tenant}-pool`);
    expect((await run('pool', 'show', `${tenant}-pool`)).code).toBe(5);
  });
});

describe('event and usage', () => {
  test('events are listed newest first, or oldest first since one of them, and by kind', async () => {
    await done('network', 'create', 'blue');
    await done('network', 'create', 'red');
    await done('network', 'delete', 'blue');
    const [head, first] = cells(await done('event', 'list'));
    expect(head?.slice(1, 5)).toEqual(['EVENT', 'WHO', 'FROM', 'WHAT']);
    expect(first?.slice(1, 5)).toEqual(['network_deleted', 'operator', '127.0.0.1', 'blue']);
    const newest = await json<{ id: string; kind: string }[]>('event', 'list', '--kind', 'network_created');
    expect(newest.map(({ kind }) => kind)).toEqual(['network_created', 'network_created']);
    const since = await json<{ kind: string }[]>('event', 'list', '--since', newest.at(-1)!.id);
    expect(since.map(({ kind }) => kind)).toEqual(['network_created', 'network_deleted']);
    expect(await json<unknown[]>('event', 'list', '--limit', '1')).toHaveLength(1);
    const ofGateway = await json<{ after: unknown }[]>('event', 'gateway', '--limit', '1');
    expect(ofGateway).toMatchObject([{ kind: 'tenant_created', after: { slug: tenant } }]);
  });

  test('usage is shown against limits', async () => {
    await done('network', 'create', 'blue');
    expect(cells(await done('usage'))).toEqual([
      ['WHAT', 'USED', 'LIMIT'],
      ['networks', '1', '100'],
      ['sites', '0', '100'],
      ['MACs in the fullest network', '0', '10000'],
      ['VNIs in use and at rest', '1', '200'],
    ]);
    expect(await json('usage')).toMatchObject({ networks: { used: 1, limit: 100 } });
  });
});

test('JSON is what the API gives, item for item, through every page', async () => {
  await done('tenant', 'edit', tenant, '--max-networks', '600');
  const { operator } = { operator: `${gateway.url}/v1/tenants/${tenant}/networks` };
  for (let i = 0; i < 505; i++) {
    const made = await fetch(operator, {
      method: 'POST',
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `n${i}` }),
    });
    expect(made.status).toBe(201);
  }
  const listed = await json<unknown[]>('network', 'list');
  expect(listed).toHaveLength(505);
  const { items } = await api<{ items: unknown[] }>(`/v1/tenants/${tenant}/networks?limit=500`);
  expect(listed.slice(0, 500)).toEqual(items);
});
