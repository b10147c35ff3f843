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
}

export interface Seeded {
  readonly url: string;
  readonly call: <T>(method: string, path: string, body?: unknown) => Promise<T>;
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

export async function seedGateway({ networks, sites, hours, offline = [] }: SeedOptions): Promise<Seeded> {
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
  for (; behindMs >= STEP_MS; behindMs -= STEP_MS) {
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
  for (const name of offline) {
    const { session, close } = joined.get(name)!;
    await session.stop();
    close();
    joined.delete(name);
  }
  return {
    url: gateway.url,
    call: asAdmin,
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
