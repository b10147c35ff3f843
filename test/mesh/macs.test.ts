/** Stations that come, move and go, announced by many agents to a real gateway: everyone ends knowing where each is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MOVES_TO_FREEZE } from '../../src/domain/mobility.ts';
import { assertInStepWithRegistry } from './asserts.ts';
import { Mesh, type MeshAgent, pullAll, type Tenant } from './mesh.ts';

let mesh: Mesh;
beforeAll(async () => {
  mesh = await Mesh.start();
});
afterAll(() => mesh.stop());

const mac = (n: number) =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;

interface Lan {
  readonly tenant: Tenant;
  readonly vni: number;
  readonly agents: MeshAgent[];
  /** A station speaks at a site that knows where it was, and the site has told the gateway. */
  readonly speaks: (n: number, at: MeshAgent, ip?: string) => Promise<void>;
}

async function lan(slug: string, count: number): Promise<Lan> {
  const tenant = await mesh.tenant(slug);
  const vni = await tenant.network('lan');
  const agents = await tenant.join(count, ['lan']);
  await pullAll(agents);
  const speaks = async (n: number, at: MeshAgent, ip?: string): Promise<void> => {
    // What is heard while the table says that the station is here is no news.
    await at.session.pullNow();
    at.datapath.hear({ vni, mac: mac(n), ...(ip === undefined ? {} : { ip }) });
    await at.session.pullNow();
  };
  return { tenant, vni, agents, speaks };
}

/** @returns at which site an agent has a station, by its own table. */
function siteOf({ datapath }: MeshAgent, vni: number, n: number): string | undefined {
  return datapath.networks.get(vni)?.macs.get(mac(n))?.site;
}

/** Every agent has each station where `places` says, and no other. */
function assertPlaces(agents: readonly MeshAgent[], vni: number, places: ReadonlyMap<number, string>): void {
  const expected = Object.fromEntries([...places].map(([n, site]) => [mac(n), site]));
  for (const agent of agents) {
    const rows = [...agent.datapath.networks.get(vni)!.macs.values()];
    expect(Object.fromEntries(rows.map((row) => [row.mac, row.site])), agent.name).toEqual(expected);
  }
}

test('a station is known everywhere with its address, and nowhere once it is gone', async () => {
  const { tenant, vni, agents, speaks } = await lan('known', 4);
  await speaks(1, agents[0]!, '10.0.0.1');
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, agents[0]!.site]]));
  for (const agent of agents) expect(agent.datapath.networks.get(vni)!.macs.get(mac(1))!.ip).toBe('10.0.0.1');
  await assertInStepWithRegistry(tenant, agents);
  agents[0]!.datapath.forget({ vni, mac: mac(1) });
  await agents[0]!.session.pullNow();
  await pullAll(agents);
  assertPlaces(agents, vni, new Map());
  await assertInStepWithRegistry(tenant, agents);
});

test('a station that moves is where it spoke last, for everyone, also for a site that was away all the while', async () => {
  const { tenant, vni, agents, speaks } = await lan('moves', 5);
  const [one, two, three, away] = agents as [MeshAgent, MeshAgent, MeshAgent, MeshAgent];
  await speaks(1, away);
  await pullAll(agents);
  const present = agents.filter((agent) => agent !== away);
  for (const at of [one, two, three]) {
    await speaks(1, at);
    await pullAll(present);
    assertPlaces(present, vni, new Map([[1, at.site]]));
  }
  // It still has the station, and has nothing new to say of it.
  await away.session.pullNow();
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, three.site]]));
  await assertInStepWithRegistry(tenant, agents);
});

test('of two sites that announce a station at the same time one has it, and all agree which', async () => {
  const { tenant, vni, agents } = await lan('tie', 4);
  for (const agent of agents) agent.datapath.hear({ vni, mac: mac(1) });
  await pullAll(agents);
  await pullAll(agents);
  expect(new Set(agents.map((agent) => siteOf(agent, vni, 1))).size).toBe(1);
  await assertInStepWithRegistry(tenant, agents);
});

test('a station heard at two places again and again is frozen at one, until a person lets it move', async () => {
  const { tenant, vni, agents, speaks } = await lan('frozen', 3);
  const [one, two] = agents as [MeshAgent, MeshAgent];
  await speaks(1, one);
  for (let i = 0; i < MOVES_TO_FREEZE + 3; i++) await speaks(1, i % 2 === 0 ? two : one);
  await pullAll(agents);
  // The fifth move was the last.
  assertPlaces(agents, vni, new Map([[1, two.site]]));
  expect(await tenant.macs('lan')).toMatchObject([
    { mac: mac(1), siteName: two.name, frozenUntil: expect.any(String) },
  ]);
  expect(one.lines).toContainEqual(expect.stringContaining('mac_frozen (1)'));
  await assertInStepWithRegistry(tenant, agents);
  await tenant.unfreeze('lan', mac(1));
  await speaks(1, one);
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, one.site]]));
});

test('what a person has set stays, whoever announces it, and is announced again once it is free', async () => {
  const { tenant, vni, agents, speaks } = await lan('sticky', 3);
  const [one, two] = agents as [MeshAgent, MeshAgent];
  await tenant.putMac('lan', mac(1), one);
  await speaks(1, two);
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, one.site]]));
  await tenant.deleteMac('lan', mac(1));
  await two.session.pullNow();
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, two.site]]));
  await assertInStepWithRegistry(tenant, agents);
});

test('stations go with their site and come back with it', async () => {
  const { tenant, vni, agents, speaks } = await lan('with-site', 3);
  const [one] = agents as [MeshAgent];
  await speaks(1, one);
  await tenant.disable(one, true);
  await pullAll(agents);
  assertPlaces(agents.slice(1), vni, new Map());
  await tenant.disable(one, false);
  await one.session.pullNow();
  await speaks(1, one);
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([[1, one.site]]));
  await assertInStepWithRegistry(tenant, agents);
});

test('what comes and goes while the gateway is away is right when it is back, also after a restart of the agent', async () => {
  const { tenant, vni, agents, speaks } = await lan('away', 3);
  const [one, two, three] = agents as [MeshAgent, MeshAgent, MeshAgent];
  await speaks(1, one);
  await speaks(2, one);
  await speaks(3, three);
  await pullAll(agents);
  await mesh.stopGateway();
  one.datapath.forget({ vni, mac: mac(1) });
  two.datapath.hear({ vni, mac: mac(2) });
  one.datapath.hear({ vni, mac: mac(4) });
  await pullAll(agents);
  const again = await three.restart();
  await mesh.startGateway();
  const now = [one, two, again];
  await pullAll(now);
  await pullAll(now);
  assertPlaces(
    now,
    vni,
    new Map([
      [2, two.site],
      [3, again.site],
      [4, one.site],
    ]),
  );
  await assertInStepWithRegistry(tenant, now);
});

test('twenty agents with hundreds of stations that wander end with every station where it spoke last', async () => {
  const { tenant, vni, agents } = await lan('many', 20);
  const places = new Map<number, MeshAgent>();
  let state = 7;
  const pick = <T>(from: readonly T[]): T => {
    // Park and Miller's: plain, and the same on every machine.
    state = (state * 48_271) % 2_147_483_647;
    return from[state % from.length]!;
  };
  const hearAt = (agent: MeshAgent, n: number): void => {
    places.set(n, agent);
    agent.datapath.hear({ vni, mac: mac(n) });
  };
  for (let n = 0; n < 400; n++) hearAt(pick(agents), n);
  await pullAll(agents);
  // Each round moves other stations, so that none is frozen: that is another test's.
  for (let round = 0; round < 4; round++) {
    for (let n = round; n < 400; n += 4) hearAt(pick(agents), n);
    for (const agent of agents) await agent.session.pullNow();
    await pullAll(agents.filter(() => pick([true, false])));
  }
  await pullAll(agents);
  assertPlaces(agents, vni, new Map([...places].map(([n, agent]) => [n, agent.site])));
  await assertInStepWithRegistry(tenant, agents);
});
