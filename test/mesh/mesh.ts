/** The real gateway and any number of real agents' sessions in one process; pulls happen when a test says so. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createGatewayClient, enrollSite } from '../../agent/control/client.ts';
import { createGatewayClock } from '../../agent/control/clock.ts';
import { readOrCreateIdentity } from '../../agent/control/identity.ts';
import { openTableStore } from '../../agent/control/last-good.ts';
import { Session } from '../../agent/control/session.ts';
import { after } from '../../agent/control/timer.ts';
import { watchOpener } from '../../agent/control/watch-socket.ts';
import { InMemoryDatapath } from '../../agent/datapath/in-memory.ts';
import { createTransport } from '../../shared/transport.ts';
import { readConfig } from '../../src/config.ts';
import type { Convergence } from '../../src/contract/convergence.ts';
import type { Event, EventKind } from '../../src/contract/events.ts';
import type { MacView } from '../../src/contract/macs.ts';
import type { PortSpec } from '../../src/contract/port.ts';
import type { Site } from '../../src/contract/sites.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { look, type TestWatcher } from '../gateway/watcher.ts';

const OPERATOR_KEY = 'mesh-operator-key-of-more-than-32-characters';

export interface MeshAgent {
  readonly name: string;
  /** The site's id. */
  readonly site: string;
  readonly address: string;
  readonly session: Session;
  readonly datapath: InMemoryDatapath;
  readonly lines: readonly string[];
  /** How often it has asked for its table. */
  readonly pulls: () => number;
  /** Ends this agent as a power cut would, and starts it again on the same state folder. */
  restart(): Promise<MeshAgent>;
}

export class Mesh {
  readonly #folder = mkdtempSync(join(tmpdir(), 'overlane-mesh-'));
  readonly #agents: { readonly session: Session; readonly close: () => void }[] = [];
  #gateway: RunningGateway | null = null;
  #url = '';
  #joined = 0;

  static async start(): Promise<Mesh> {
    const mesh = new Mesh();
    await mesh.startGateway();
    return mesh;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts it on the data that is there, and where agents look for it, unless `elsewhere`. */
  async startGateway(elsewhere = false): Promise<void> {
    const port = this.#url === '' || elsewhere ? 0 : Number(new URL(this.#url).port);
    this.#gateway = await startGateway({
      config: readConfig({ OVERLANE_OPERATOR_KEY: OPERATOR_KEY }),
      data: join(this.#folder, 'gateway'),
      host: '127.0.0.1',
      port,
      log: { error: (fields, message) => console.error(message, fields) },
    });
    this.#url ||= this.#gateway.url;
  }

  async stopGateway(): Promise<void> {
    await this.#gateway?.close();
    this.#gateway = null;
  }

  /** Keeps a copy of the gateway's data as it is now; the gateway must be stopped, as for `restore`. */
  backUp(): void {
    cpSync(join(this.#folder, 'gateway'), join(this.#folder, 'backup'), { recursive: true });
  }

  /** Puts that copy in the place of what is there now. */
  restore(): void {
    rmSync(join(this.#folder, 'gateway'), { recursive: true });
    cpSync(join(this.#folder, 'backup'), join(this.#folder, 'gateway'), { recursive: true });
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) {
      agent.close();
      await agent.session.stop();
    }
    await this.stopGateway();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @returns the answer's body. @throws where the status is no success. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.#gateway!.url), {
      method,
      // A connection of its own: one that was kept might end with the gateway that a test stops.
      headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json', connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async tenant(slug: string): Promise<Tenant> {
    await this.call('POST', '/v1/tenants', { slug, name: slug, limits: { networks: 1000, sites: 1000 } });
    return new Tenant(this, slug);
  }

  /**
   * Joins a new site. `clockOffMs` is how far its machine's clock is from the gateway's; one that is `watching` holds a socket and lives by
   * real time.
   */
  async join(
    name: string,
    token: string,
    { clockOffMs = 0, watching = false }: { readonly clockOffMs?: number; readonly watching?: boolean } = {},
  ): Promise<MeshAgent> {
    const n = ++this.#joined;
    const folder = mkdtempSync(join(this.#folder, 'agent-'));
    const { publicKey, privateKey } = await readOrCreateIdentity(folder);
    const transport = createTransport({ origin: this.#url });
    const machineNow = (): number => Date.now() + clockOffMs;
    const options = { transport, clock: createGatewayClock(machineNow), machineNow, origin: this.#url, privateKey };
    const vtep = { address: `10.0.${n >> 8}.${n & 255}`, port: 4789 };
    const answer = await enrollSite(options, { token, name, publicKey, vtep, version: '1.0.0' });
    if (answer.kind !== 'enrolled') throw new Error(`${name} did not join: ${JSON.stringify(answer)}`);
    const { site } = answer.enrolled;

    const start = async (): Promise<MeshAgent> => {
      const datapath = new InMemoryDatapath();
      const lines: string[] = [];
      const log = (level: string, message: string): void => void lines.push(`${level} ${message}`);
      const client = createGatewayClient(options, site);
      let pulls = 0;
      const session = new Session({
        client: {
          ...client,
          pull: (cursor) => {
            pulls++;
            return client.pull(cursor);
          },
        },
        ...(watching ? { watch: watchOpener(options, site) } : {}),
        datapath,
        site,
        store: openTableStore(folder, site, log),
        version: '1.0.0',
        now: machineNow,
        random: Math.random,
        after: watching ? after : () => () => {},
        log,
      });
      const running = { session, close: () => transport.close() };
      this.#agents.push(running);
      await session.start();
      const restart = async (): Promise<MeshAgent> => {
        this.#agents.splice(this.#agents.indexOf(running), 1);
        await session.stop();
        return start();
      };
      return { name, site, address: vtep.address, session, datapath, lines, pulls: () => pulls, restart };
    };
    return start();
  }
}

export class Tenant {
  readonly slug: string;
  readonly #mesh: Mesh;

  constructor(mesh: Mesh, slug: string) {
    this.#mesh = mesh;
    this.slug = slug;
  }

  /** @returns the network's VNI. */
  async network(name: string): Promise<number> {
    return (await this.#call<{ vni: number }>('POST', 'networks', { name })).vni;
  }

  /** @returns a join token that attaches to `networks` with a host port each. */
  async joinToken(networks: readonly string[] = []): Promise<string> {
    const attached = networks.map((network) => ({ network, port: hostPort(network) }));
    return (await this.#call<{ token: string }>('POST', 'join-tokens', { maxUses: 1000, networks: attached })).token;
  }

  async join(count: number, networks: readonly string[] = [], watching = false): Promise<MeshAgent[]> {
    const token = await this.joinToken(networks);
    const agents: MeshAgent[] = [];
    for (let i = 0; i < count; i++) agents.push(await this.#mesh.join(`${this.slug}-${i}`, token, { watching }));
    return agents;
  }

  attach(agent: MeshAgent, network: string, port: PortSpec = hostPort(network)): Promise<void> {
    return this.#call('PUT', `sites/${agent.site}/networks/${network}`, { port });
  }

  detach(agent: MeshAgent, network: string): Promise<void> {
    return this.#call('DELETE', `sites/${agent.site}/networks/${network}`);
  }

  disable(agent: MeshAgent, disabled: boolean): Promise<void> {
    return this.#call('PATCH', `sites/${agent.site}`, { disabled });
  }

  move(agent: MeshAgent, address: string): Promise<void> {
    return this.#call('PATCH', `sites/${agent.site}`, { vtep: { address } });
  }

  deleteSite(agent: MeshAgent): Promise<void> {
    return this.#call('DELETE', `sites/${agent.site}`);
  }

  patchNetwork(network: string, change: object): Promise<void> {
    return this.#call('PATCH', `networks/${network}`, change);
  }

  deleteNetwork(network: string): Promise<void> {
    return this.#call('DELETE', `networks/${network}`);
  }

  putMac(network: string, mac: string, agent: MeshAgent): Promise<void> {
    return this.#call('PUT', `networks/${network}/macs/${mac}`, { site: agent.site });
  }

  deleteMac(network: string, mac: string): Promise<void> {
    return this.#call('DELETE', `networks/${network}/macs/${mac}`);
  }

  unfreeze(network: string, mac: string): Promise<void> {
    return this.#call('DELETE', `networks/${network}/macs/${mac}/freeze`);
  }

  async macs(network: string): Promise<MacView[]> {
    return (await this.#call<{ items: MacView[] }>('GET', `networks/${network}/macs?limit=500`)).items;
  }

  convergence(network: string, revision?: number): Promise<Convergence> {
    return this.#call('GET', `networks/${network}/convergence${revision === undefined ? '' : `?revision=${revision}`}`);
  }

  /** Looks at the tenant, as its dashboard does. */
  look(): Promise<TestWatcher> {
    const headers = { authorization: `Bearer ${OPERATOR_KEY}` };
    return look({ url: this.#mesh.url }, { at: `/v1/tenants/${this.slug}` }, headers);
  }

  async events(kind: EventKind): Promise<Event[]> {
    return (await this.#call<{ items: Event[] }>('GET', `events?kind=${kind}`)).items;
  }

  async sites(): Promise<Site[]> {
    return (await this.#call<{ items: Site[] }>('GET', 'sites?limit=500')).items;
  }

  #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.#mesh.call<T>(method, `/v1/tenants/${this.slug}/${path}`, body);
  }
}

export function hostPort(network: string): PortSpec {
  return { type: 'host', name: `t-${network}` };
}

/** One pull of each, all at the same time. */
export async function pullAll(agents: readonly MeshAgent[]): Promise<void> {
  await Promise.all(agents.map(({ session }) => session.pullNow()));
}

/** Resolves when `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
