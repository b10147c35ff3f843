import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Network } from '../../../src/contract/networks.ts';
import type { Site } from '../../../src/contract/sites.ts';
import type { TableUpdate, Vtep } from '../../../src/contract/table.ts';
import type { Topology } from '../../../src/contract/topology.ts';
import { TUNNEL_VXLAN_PORT, tunnelAddressOf, type WireguardPublished } from '../../../src/contract/wireguard.ts';
import { type AppliedTable, applied, digestOfApplied, plain } from '../applied-table.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';

const port = { type: 'host', name: 'tap0' };

export function encryption(host: () => Host): void {
  /** A table that an agent holds, pulled by deltas, whose every digest must be what the agent itself computes. */
  class Held {
    table: AppliedTable = new Map();
    readonly #agent: TestAgent;
    #cursor = '';

    constructor(agent: TestAgent) {
      this.#agent = agent;
    }

    async pull(): Promise<Vtep[]> {
      const update = await pullFrom(this.#agent, this.#cursor);
      if (update !== null) {
        this.table = applied(this.table, update);
        this.#cursor = update.cursor;
      }
      for (const network of this.table.values()) {
        const isBlind = network.transport === 'wireguard' && network.digest === '000000000000';
        if (!isBlind) expect(network.digest).toBe(digestOfApplied(network));
      }
      const whole = await pullFrom(this.#agent, '');
      expect(plain(this.table)).toEqual(plain(applied(new Map(), whole!)));
      return [...(this.table.values().next().value?.vteps.values() ?? [])];
    }

    /** Says that it has applied all this. */
    async report(): Promise<void> {
      const networks = [...this.table.values()].map(({ vni, revision, digest }) => ({
        vni,
        revision,
        digest,
        counters: {},
      }));
      const caller = await this.#agent.caller();
      await caller.made('POST', '/v1/agent/heartbeat', { cursor: this.#cursor, networks, version: '1.0.0' });
    }
  }

  async function pullFrom(agent: TestAgent, cursor: string): Promise<TableUpdate | null> {
    const answer = await (await agent.caller()).get<TableUpdate>(`/v1/agent/tables?cursor=${cursor}`);
    if (answer.status === 304) return null;
    expect(answer.status).toBe(200);
    return answer.body;
  }

  async function publish(
    agent: TestAgent,
    keys: readonly WireguardKey[],
    address?: string,
  ): Promise<WireguardPublished> {
    const caller = await agent.caller();
    return caller.made<WireguardPublished>('PUT', '/v1/agent/wireguard', { keys, ...(address && { address }) });
  }

  async function pair(transport = 'wireguard'): Promise<{ tenant: TestTenant; one: TestAgent; two: TestAgent }> {
    const tenant = await newTenant(host());
    await tenant.admin.made('POST', `${tenant.at}/networks`, { name: 'a', transport });
    const one = await newAgent(host(), tenant, { vtep: { address: '192.0.2.1', port: 4789 } });
    const two = await newAgent(host(), tenant, { vtep: { address: '192.0.2.2', port: 4789 } });
    for (const { name } of [one, two])
      await tenant.admin.made('PUT', `${tenant.at}/sites/${name}/networks/a`, { port });
    return { tenant, one, two };
  }

  test('peers of an encrypted network are given each other’s key, tunnel address and endpoint; whoever has no key is given nobody and given to nobody', async () => {
    const { tenant, one, two } = await pair();
    const [heldOne, heldTwo] = [new Held(one), new Held(two)];
    expect(await heldOne.pull()).toEqual([]);
    const key = newKey();
    expect(await publish(one, [key], '198.51.100.1')).toEqual({ address: '198.51.100.1', waitingFor: 0 });
    expect(await heldOne.pull()).toEqual([]);
    expect(await heldTwo.pull()).toEqual([]);
    expect([...heldTwo.table.values()]).toMatchObject([{ transport: 'wireguard', digest: '000000000000' }]);
    const site = await tenant.admin.made<Site>('GET', `${tenant.at}/sites/${two.name}`);
    expect(site.networks).toMatchObject([{ transport: 'wireguard', error: expect.stringMatching(/WireGuard/) }]);

    const { sites } = await tenant.admin.made<Topology>('GET', `${tenant.at}/topology`);
    expect(new Map(sites.map(({ id, encrypts }) => [id, encrypts]))).toEqual(
      new Map([
        [one.id, true],
        [two.id, false],
      ]),
    );

    const other = newKey();
    await publish(two, [other], '198.51.100.2');
    const address = await tunnelAddressOf(key.publicKey);
    expect(await heldTwo.pull()).toEqual([
      {
        site: one.id,
        address,
        port: TUNNEL_VXLAN_PORT,
        wireguard: [{ publicKey: key.publicKey, address, endpoint: { address: '198.51.100.1', port: key.port } }],
      },
    ]);
    expect(await heldOne.pull()).toMatchObject([{ site: two.id, wireguard: [{ publicKey: other.publicKey }] }]);
    expect((await tenant.admin.made<Site>('GET', `${tenant.at}/sites/${two.name}`)).networks[0]).not.toHaveProperty(
      'error',
    );
  });

  test('a site without an address of its own is where the gateway sees it, and is followed', async () => {
    const { one, two, tenant } = await pair();
    const held = new Held(one);
    await publish(one, [newKey()], '198.51.100.1');
    const { address } = await publish(two, [newKey()]);
    const endpoints = async () => (await held.pull()).map(({ wireguard }) => wireguard?.[0]?.endpoint?.address);
    expect(await endpoints()).toEqual([address]);
    const revision = async () => (await tenant.admin.made<Network>('GET', `${tenant.at}/networks/a`)).revision;
    const before = await revision();
    await new Held(two).pull();
    const heldTwo = new Held(two);
    await heldTwo.pull();
    await heldTwo.report();
    expect(await revision()).toBe(before);
    // It was elsewhere, as far as the registry knows; its next report says where it is.
    await host().write(
      "UPDATE sites SET wireguard = json_set(wireguard, '$.address', '203.0.113.9') WHERE id = ?",
      two.id,
    );
    await heldTwo.report();
    expect(await endpoints()).toEqual([address]);
    expect(await revision()).toBeGreaterThan(before);
  });

  test('keys are changed one by one, and the site hears who still has to follow; said again it changes nothing', async () => {
    const { tenant, one, two } = await pair();
    const [heldOne, heldTwo] = [new Held(one), new Held(two)];
    const [old, next] = [newKey(), newKey()];
    await publish(one, [old], '198.51.100.1');
    await publish(two, [newKey()], '198.51.100.2');
    await heldOne.pull();
    await heldOne.report();
    await heldTwo.pull();
    await heldTwo.report();
    expect(await publish(one, [old, next], '198.51.100.1')).toMatchObject({ waitingFor: 1 });
    const keys = async () => (await heldTwo.pull()).flatMap(({ wireguard }) => wireguard?.map((end) => end.publicKey));
    expect(await keys()).toEqual([old.publicKey, next.publicKey]);
    expect(await publish(one, [old, next], '198.51.100.1')).toMatchObject({ waitingFor: 1 });
    await heldTwo.report();
    expect(await publish(one, [old, next], '198.51.100.1')).toMatchObject({ waitingFor: 0 });
    await publish(one, [next, old], '198.51.100.1');
    expect(await keys()).toEqual([next.publicKey, old.publicKey]);
    expect((await heldTwo.pull())[0]!.address).toBe(await tunnelAddressOf(next.publicKey));
    const { items } = await tenant.admin.made<{ items: { kind: string }[] }>('GET', `${tenant.at}/events?limit=100`);
    expect(items.filter(({ kind }) => kind === 'site_wireguard_changed')).toHaveLength(4);
  });

  test('a static site and an encrypted network are kept apart, from either side, with the reason', async () => {
    const { admin, at } = await newTenant(host());
    await admin.made('POST', `${at}/networks`, { name: 'a', transport: 'wireguard' });
    await admin.made('POST', `${at}/networks`, { name: 'b' });
    await admin.made('POST', `${at}/sites`, { name: 'switch', kind: 'static', vtep: { address: '192.0.2.9' } });
    const attach = (network: string) => [`${at}/sites/switch/networks/${network}`, { port: { type: 'none' } }] as const;
    expect(await admin.refused('PUT', ...attach('a'))).toMatchObject({
      status: 422,
      code: 'transport_not_for_site',
      detail: expect.stringMatching(/no agent/),
    });
    await admin.made('PUT', ...attach('b'));
    const refused = await admin.refused('PATCH', `${at}/networks/b`, { transport: 'wireguard' });
    expect(refused).toMatchObject({ status: 422, code: 'transport_not_for_site' });
    expect(await admin.made<Network>('GET', `${at}/networks/b`)).toMatchObject({ transport: 'plain' });
  });

  test('a network that changes its transport is told in full to all of its sites, and back', async () => {
    const { tenant, one, two } = await pair('plain');
    const held = new Held(one);
    await publish(one, [newKey()], '198.51.100.1');
    await publish(two, [newKey()], '198.51.100.2');
    const caller = await two.caller();
    const { vni } = await tenant.admin.made<Network>('GET', `${tenant.at}/networks/a`);
    await caller.made('POST', '/v1/agent/macs', { announce: [{ vni, mac: '02:00:00:00:00:01' }], withdraw: [] });
    expect(await held.pull()).toEqual([{ site: two.id, address: '192.0.2.2', port: 4789 }]);
    const cursor = (await pullFrom(one, ''))!.cursor;
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { transport: 'wireguard' });
    expect(await held.pull()).toMatchObject([{ site: two.id, port: TUNNEL_VXLAN_PORT }]);
    expect(await pullFrom(one, cursor)).toMatchObject({ networks: [{ macs: [{ mac: '02:00:00:00:00:01' }] }] });
    // A VTEP that moves is none of an encrypted network's business.
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${two.name}`, { vtep: { address: '192.0.2.3' } });
    await held.pull();
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${two.name}`, { disabled: true });
    expect(await held.pull()).toEqual([]);
    await tenant.admin.made('PATCH', `${tenant.at}/sites/${two.name}`, { disabled: false });
    await tenant.admin.made('PATCH', `${tenant.at}/networks/a`, { transport: 'plain' });
    expect(await held.pull()).toEqual([{ site: two.id, address: '192.0.2.3', port: 4789 }]);
  });

  test('a tenant that must be encrypted has no plain network, and is not made so while it has one', async () => {
    const { admin, operator, at } = await newTenant(host());
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    expect(await admin.refused('PATCH', at, { transport: 'wireguard' })).toMatchObject({ status: 403 });
    expect(await operator.refused('PATCH', at, { transport: 'wireguard' })).toMatchObject({
      status: 409,
      code: 'plain_networks',
    });
    await admin.made('PATCH', `${at}/networks/a`, { transport: 'wireguard' });
    expect(await operator.made('PATCH', at, { transport: 'wireguard' })).toMatchObject({ transport: 'wireguard' });
    expect(await admin.made('POST', `${at}/networks`, { name: 'b' })).toMatchObject({ transport: 'wireguard' });
    for (const [method, path, body] of [
      ['POST', `${at}/networks`, { name: 'c', transport: 'plain' }],
      ['PATCH', `${at}/networks/a`, { transport: 'plain' }],
    ] as const) {
      expect(await admin.refused(method, path, body)).toMatchObject({ status: 422, code: 'transport_required' });
    }
    expect(await admin.made('PATCH', `${at}/networks/a`, { mtu: 1400 })).toMatchObject({ transport: 'wireguard' });
  });

  test('a WireGuard key belongs to one site of a tenant, and must be one', async () => {
    const { one, two } = await pair();
    const key = newKey();
    await publish(one, [key]);
    const caller = await two.caller();
    const put = (keys: unknown) => caller.refused('PUT', '/v1/agent/wireguard', { keys });
    expect(await put([key])).toMatchObject({ status: 409, code: 'key_taken' });
    for (const bad of [[], [{ publicKey: 'abc', port: 1 }], [newKey(), newKey(), newKey()], [key, key]]) {
      expect(await put(bad)).toMatchObject({
        status: 400,
        code: 'invalid_body',
        errors: [{ path: expect.any(String) }],
      });
    }
  });
}

interface WireguardKey {
  readonly publicKey: string;
  readonly port: number;
}

function newKey(): WireguardKey {
  const { publicKey } = generateKeyPairSync('x25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
  return { publicKey: raw.toString('base64'), port: 51_820 };
}
