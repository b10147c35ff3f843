/** A gateway with a past and agents that go on: what pictures of the dashboard are taken of. Agents are the real sessions; frames are made up. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayClient, enrollSite, type GatewayClient } from '../../agent/control/client.ts';
import { createGatewayClock } from '../../agent/control/clock.ts';
import { readOrCreateIdentity } from '../../agent/control/identity.ts';
import { openTableStore } from '../../agent/control/last-good.ts';
import { Session } from '../../agent/control/session.ts';
import { after } from '../../agent/control/timer.ts';
import { watchOpener } from '../../agent/control/watch-socket.ts';
import { InMemoryDatapath } from '../../agent/datapath/in-memory.ts';
import { until } from '../../demo/lab/until.ts';
import { createTransport } from '../../shared/transport.ts';
import { readConfig } from '../../src/config.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { busyness, type SeedNetwork, type SeedSite } from './world.ts';

export const OPERATOR_KEY = 'seeded-operator-key-of-more-than-32-characters';
export const TENANT = 'nordvik';
const STEP_MS = 600_000;
const FRAME_BYTES = 900;

export interface SeedOptions {
  readonly networks: readonly SeedNetwork[];
  readonly sites: readonly SeedSite[];
  /** How far back its history goes. */
  readonly hours: number;
  /** Sites that are not heard any more, by name. */
  readonly offline?: readonly string[];
  /** With what happens in a day: changes, keys, pools, stations, something that does not work. */
  readonly isLived?: boolean;
}

export interface Seeded {
  readonly url: string;
  readonly call: <T>(method: string, path: string, body?: unknown) => Promise<T>;
  /** Has a site tell of stations on its port of a network, and waits until the registry has them. */
  readonly hear: (site: string, network: string, macs: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

type Counters = Record<string, number>;

/** Counts as if it carried frames: as much as the time of day asks for. */
class BusyDatapath extends InMemoryDatapath {
  readonly #site: number;
  readonly #now: () => number;
  readonly #bits: ReadonlyMap<string, number>;
  readonly #totals = new Map<number, Counters>();
  #countedTo: number;

  constructor(site: number, now: () => number, bits: ReadonlyMap<string, number>) {
    super();
    this.#site = site;
    this.#now = now;
    this.#bits = bits;
    this.#countedTo = now();
  }

  vniOf(name: string): number {
    return [...this.networks.values()].find((network) => network.name === name)?.vni ?? 0;
  }

  override counters() {
    const now = this.#now();
    const seconds = Math.max(0, now - this.#countedTo) / 1000;
    this.#countedTo = now;
    for (const { vni, name } of this.networks.values()) {
      const bytes = ((this.#bits.get(name) ?? 0) / 8) * busyness(now, this.#site + vni) * seconds;
      const totals = this.#totals.get(vni) ?? { dropUnderlayBusy: 0, dropTooBig: 0, dropUnlistedVtep: 0 };
      this.#totals.set(vni, totals);
      for (const [counter, share] of [
        ['portRx', 1],
        ['vtepTx', 1],
        ['portTx', 0.8],
        ['vtepRx', 0.8],
      ] as const) {
        totals[`${counter}Bytes`] = (totals[`${counter}Bytes`] ?? 0) + Math.round(bytes * share);
        totals[`${counter}Frames`] = (totals[`${counter}Frames`] ?? 0) + Math.round((bytes * share) / FRAME_BYTES);
      }
      if (this.#site % 3 === 0) totals.dropTooBig! += Math.round(seconds / 40);
      if (this.#site % 4 === 0) totals.dropUnderlayBusy! += Math.round(seconds * 0.4);
      if (this.#site % 5 === 0) totals.dropUnlistedVtep! += Math.round(seconds / 600);
    }
    const networks = new Map([...this.#totals].map(([vni, totals]) => [vni, { totals, peers: [] }]));
    return { agent: {}, networks };
  }
}

interface Joined {
  readonly session: Session;
  readonly datapath: BusyDatapath;
  readonly client: GatewayClient;
  readonly close: () => void;
}

export async function seedGateway({
  networks,
  sites,
  hours,
  offline = [],
  isLived = false,
}: SeedOptions): Promise<Seeded> {
  const folder = mkdtempSync(join(tmpdir(), 'overlane-seeded-'));
  let behindMs = hours * 3_600_000;
  const now = (): number => Date.now() - behindMs;
  const gateway = await startGateway({
    config: readConfig({
      OVERLANE_OPERATOR_KEY: OPERATOR_KEY,
      OVERLANE_OFFLINE_GRACE_SECONDS: '0',
      OVERLANE_SITE_RATE: '0',
      OVERLANE_KEY_RATE: '0',
    }),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    now,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  const caller =
    (key: string): Seeded['call'] =>
    async <T>(method: string, path: string, body?: unknown) => {
      const response = await fetch(new URL(path, gateway.url), {
        method,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    };
  const call = caller(OPERATOR_KEY);

  await call('POST', '/v1/tenants', {
    slug: TENANT,
    name: 'Nordvik Retail',
    limits: { networks: 100, sites: 1000, macsPerNetwork: 200_000 },
  });
  const { key } = await call<{ key: string }>('POST', `/v1/tenants/${TENANT}/api-keys`, {
    name: 'Ingrid Dahl',
    role: 'admin',
  });
  const asAdmin = caller(key);
  for (const { name, subnet, description, vni } of networks) {
    const optional = { ...(description === '' ? {} : { description }), ...(vni === undefined ? {} : { vni }) };
    await asAdmin('POST', `/v1/tenants/${TENANT}/networks`, { name, subnet, ...optional });
  }

  const bits = new Map(networks.map((network) => [network.name, network.bits]));
  const joined = new Map<string, Joined>();
  for (const [i, site] of sites.entries()) joined.set(site.name, await joinSite(site, i));

  async function joinSite(site: SeedSite, number: number): Promise<Joined> {
    const state = join(folder, site.name);
    mkdirSync(state);
    const { token } = await asAdmin<{ token: string }>('POST', `/v1/tenants/${TENANT}/join-tokens`, {
      name: `For ${site.name}`,
      networks: site.networks.map((network) => ({ network, port: { type: 'host', name: `${network.slice(0, 13)}0` } })),
      labels: { region: site.name.length % 2 === 0 ? 'north' : 'south' },
    });
    const { publicKey, privateKey } = await readOrCreateIdentity(state);
    const transport = createTransport({ origin: gateway.url });
    const options = { transport, clock: createGatewayClock(now), machineNow: now, origin: gateway.url, privateKey };
    const vtep = { address: `198.51.${100 + Math.floor(number / 250)}.${(number % 250) + 1}`, port: 4789 };
    const answer = await enrollSite(options, { token, name: site.name, publicKey, vtep, version: '0.1.0' });
    if (answer.kind !== 'enrolled') throw new Error(`${site.name} did not join: ${JSON.stringify(answer)}`);
    if (site.where !== '') await asAdmin('PATCH', `/v1/tenants/${TENANT}/sites/${site.name}`, { where: site.where });
    const datapath = new BusyDatapath(number, now, bits);
    const client = createGatewayClient(options, answer.enrolled.site);
    const session = new Session({
      client,
      watch: watchOpener(options, answer.enrolled.site),
      datapath,
      site: answer.enrolled.site,
      store: openTableStore(state, answer.enrolled.site, () => undefined),
      version: '0.1.0',
      now,
      random: Math.random,
      after,
      log: () => undefined,
    });
    return { session, datapath, client, close: () => transport.close() };
  }

  // The past, in steps: the clock goes forward, and each site reports what it carried since.
  const cursors = new Map<string, string>();
  for (const [name, { client, datapath }] of hours === 0 ? [] : joined) {
    const pulled = await client.pull(null);
    if (pulled.kind !== 'updated') throw new Error(`${name} has no table`);
    await datapath.apply(pulled.update);
    cursors.set(name, pulled.update.cursor);
  }
  const happenings = isLived ? await happeningsOf(call, asAdmin) : [];
  const everyMs = behindMs / (happenings.length + 1);
  const startedBehindMs = behindMs;
  for (; behindMs >= STEP_MS; behindMs -= STEP_MS) {
    while (happenings.length > 0 && startedBehindMs - behindMs > everyMs * happenings[0]!.at)
      await happenings.shift()!.act();
    await Promise.all(
      [...joined].map(async ([name, { client, datapath }]) => {
        const reports = [...datapath.counters().networks].map(([vni, { totals }]) => ({
          vni,
          revision: 1,
          digest: '000000000000',
          counters: totals,
        }));
        await client.heartbeat({ cursor: cursors.get(name)!, networks: reports, version: '0.1.0', watching: true });
      }),
    );
  }
  behindMs = 0;
  await Promise.all([...joined.values()].map(({ session }) => session.start()));
  const isWatching = () => [...joined.values()].every(({ session }) => session.status().watching);
  await until('every agent to be told of changes', isWatching, { timeoutMs: 60_000 });
  if (isLived) {
    for (const [i, { datapath }] of [...joined.values()].entries()) datapath.hear(...stationsOf(datapath, i));
    const [, ill] = [...joined.values()];
    ill!.datapath.fail(
      ill!.datapath.vniOf('lab'),
      'there is no bridge named br-lab; make it, or give the network another port',
    );
    await asAdmin('PATCH', `/v1/tenants/${TENANT}/networks/lab`, { mtu: 1400 });
    await asAdmin('PATCH', `/v1/tenants/${TENANT}/sites/harstad`, { disabled: true });
  }
  for (const name of offline) {
    const { session, close } = joined.get(name)!;
    await session.stop();
    close();
    joined.delete(name);
  }
  return {
    url: gateway.url,
    call: asAdmin,
    hear: async (site, network, macs) => {
      const { datapath } = joined.get(site)!;
      const vni = datapath.vniOf(network);
      datapath.hear(...macs.map((mac) => ({ vni, mac })));
      const isThere = async () =>
        (await asAdmin<{ macs: number }>('GET', `/v1/tenants/${TENANT}/networks/${network}`)).macs >= macs.length;
      await until('the registry to have heard of all', isThere, { timeoutMs: 120_000, everyMs: 200 });
    },
    stop: async () => {
      for (const { session, close } of joined.values()) {
        await session.stop();
        close();
      }
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Call = Seeded['call'];

/** What people did meanwhile, in order; `at` is its place among them. */
async function happeningsOf(
  asOperator: Call,
  asAdmin: Call,
): Promise<{ readonly at: number; readonly act: () => Promise<unknown> }[]> {
  const tenant = `/v1/tenants/${TENANT}`;
  await asOperator('POST', '/v1/tenants', { slug: 'fjordtech', name: 'Fjordtech' });
  await asOperator('POST', '/v1/tenants', { slug: 'polar-clinics', name: 'Polar Clinics' });
  await asOperator('POST', '/v1/vni-pools', {
    name: 'fjordtech-dc',
    first: 500_000,
    last: 500_999,
    tenant: 'fjordtech',
  });
  await asOperator('POST', '/v1/vni-pools', {
    name: 'clinics',
    first: 1_200_000,
    last: 1_299_999,
    tenant: 'polar-clinics',
  });
  const acts: readonly (() => Promise<unknown>)[] = [
    () => asOperator('POST', '/v1/tenants/fjordtech/networks', { name: 'core' }),
    () => asOperator('POST', `${tenant}/api-keys`, { name: 'Status screen', role: 'viewer' }),
    () => asAdmin('PATCH', `${tenant}/networks/voice`, { arpSuppression: true }),
    () =>
      asAdmin('POST', `${tenant}/sites`, {
        name: 'lillehammer-leaf',
        kind: 'static',
        vtep: { address: '198.51.102.9' },
        where: 'Lillehammer, rack 4',
      }),
    () => asAdmin('PUT', `${tenant}/sites/lillehammer-leaf/networks/cameras`, { port: { type: 'none' } }),
    () => asAdmin('POST', `${tenant}/networks`, { name: 'popup-store', subnet: '10.60.0.0/24' }),
    () => asAdmin('PATCH', `${tenant}/sites/drammen`, { labels: { region: 'south', rack: '2' } }),
    () => asAdmin('DELETE', `${tenant}/networks/popup-store`),
    () => asAdmin('POST', `${tenant}/join-tokens`, { name: 'Branch offices', maxUses: 20, expiresInSeconds: 604_800 }),
    () => asAdmin('PATCH', `${tenant}/networks/tills`, { antiSpoof: 'strict' }),
    () => asOperator('POST', `${tenant}/api-keys`, { name: 'Deploy robot', role: 'admin' }),
  ];
  return acts.map((act, i) => ({ at: i + 1, act }));
}

/** A dozen or so stations on each network of a site. */
function stationsOf(datapath: BusyDatapath, site: number): { vni: number; mac: string; ip: string }[] {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return [...datapath.networks.values()].flatMap(({ vni }, n) =>
    Array.from({ length: 6 + ((site * 5 + n * 3) % 11) }, (_, i) => ({
      vni,
      mac: `02:4e:${hex(n)}:${hex(site)}:00:${hex(i + 1)}`,
      ip: `10.${20 + 10 * n}.${site + 1}.${i + 10}`,
    })),
  );
}
