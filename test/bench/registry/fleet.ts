/** A gateway in a process of its own, and any number of real agents' sessions in this one; their data paths note what comes when. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backoffMs } from '../../../agent/control/backoff.ts';
import { createGatewayClient, enrollSite } from '../../../agent/control/client.ts';
import { createGatewayClock } from '../../../agent/control/clock.ts';
import { readOrCreateIdentity } from '../../../agent/control/identity.ts';
import type { TableStore } from '../../../agent/control/last-good.ts';
import { Session } from '../../../agent/control/session.ts';
import { watchOpener } from '../../../agent/control/watch-socket.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import { createTransport, type Transport } from '../../../shared/transport.ts';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { type GatewayProcess, gatewayProcess } from '../../gateway/gateway-process.ts';
import { Caller } from '../../gateway/host.ts';
import { WarpClock } from './warp-clock.ts';

const OPERATOR_KEY = 'the-operator-key-of-the-registry-bench';
const TENANT = 'bench';
const NETWORK = 'blue';

/** What agents asked and heard. */
export interface Heard {
  pulls: number;
  heartbeats: number;
  /** WebSockets opened. */
  sockets: number;
  /** All calls that were answered; "not modified" is an answer. */
  answers: number;
  /** 429 and 5xx: what a gateway says that is asked too much. */
  overloads: number;
  /** No answer at all, as while it is away. */
  silences: number;
}

export class Fleet {
  readonly heard: Heard = { pulls: 0, heartbeats: 0, sockets: 0, answers: 0, overloads: 0, silences: 0 };
  readonly clock = new WarpClock();
  readonly agents: FleetAgent[] = [];
  readonly at = `/v1/tenants/${TENANT}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'overlane-bench-'));
  #gateway: GatewayProcess | null = null;
  #url = '';
  #token = '';

  static async start(): Promise<Fleet> {
    const fleet = new Fleet();
    await fleet.startGateway();
    const operator = fleet.operator();
    await operator.made('POST', '/v1/tenants', { slug: TENANT, name: TENANT, limits: { sites: 10_000 } });
    await operator.made('POST', `${fleet.at}/networks`, { name: NETWORK });
    const networks = [{ network: NETWORK, port: { type: 'host', name: 'blue0' } }];
    const token = await operator.made<{ token: string }>('POST', `${fleet.at}/join-tokens`, {
      maxUses: 10_000,
      networks,
    });
    fleet.#token = token.token;
    return fleet;
  }

  operator(): Caller {
    return new Caller(this.#url, OPERATOR_KEY);
  }

  /** Starts it on the data that is there, and where agents look for it. */
  async startGateway(): Promise<void> {
    const port = this.#url === '' ? {} : { PORT: new URL(this.#url).port };
    const data = { OVERLANE_DATA: join(this.#folder, 'gateway'), OVERLANE_OPERATOR_KEY: OPERATOR_KEY };
    this.#gateway = await gatewayProcess({ ...data, ...port });
    this.#url = this.#gateway.url;
  }

  /** As a crash would. */
  async killGateway(): Promise<void> {
    await this.#gateway?.end('SIGKILL');
    this.#gateway = null;
  }

  /** Makes agents that have not enrolled yet. */
  async prepare(count: number): Promise<FleetAgent[]> {
    const made: FleetAgent[] = [];
    for (let i = 0; i < count; i++) {
      const n = this.agents.length;
      const { publicKey, privateKey } = await readOrCreateIdentity(mkdtempSync(join(this.#folder, 'agent-')));
      const transport = this.#listening(createTransport({ origin: this.#url }));
      const clock = createGatewayClock(Date.now);
      const options = { transport, clock, machineNow: Date.now, origin: this.#url, privateKey };
      const address = `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
      const agent = new FleetAgent(this, options, { name: `site-${n}`, publicKey, address, token: this.#token });
      this.agents.push(agent);
      made.push(agent);
    }
    return made;
  }

  async stop(): Promise<void> {
    await this.#gateway?.end('SIGKILL');
    await Promise.all(this.agents.map((agent) => agent.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #listening(transport: Transport): Transport {
    const { heard } = this;
    return {
      ...transport,
      async request(request) {
        if (request.path.startsWith('/v1/agent/tables')) heard.pulls += 1;
        if (request.path === '/v1/agent/heartbeat') heard.heartbeats += 1;
        try {
          const response = await transport.request(request);
          heard.answers += 1;
          if (response.status === 429 || response.status >= 500) heard.overloads += 1;
          return response;
        } catch (error) {
          heard.silences += 1;
          throw error;
        }
      },
    };
  }
}

type ClientOptions = Parameters<typeof createGatewayClient>[0];

interface Joining {
  readonly name: string;
  readonly publicKey: string;
  readonly address: string;
  readonly token: string;
}

export class FleetAgent {
  readonly datapath = new WatchedDatapath();
  readonly #fleet: Pick<Fleet, 'clock' | 'heard'>;
  readonly #options: ClientOptions;
  readonly #joining: Joining;
  #session: Session | null = null;

  constructor(fleet: Pick<Fleet, 'clock' | 'heard'>, options: ClientOptions, joining: Joining) {
    this.#fleet = fleet;
    this.#options = options;
    this.#joining = joining;
  }

  /** Enrols, asking again where no answer comes in time, and starts. */
  async join(): Promise<void> {
    const site = await this.#enrol(1);
    const { clock, heard } = this.#fleet;
    const watch = watchOpener(this.#options, site);
    this.#session = new Session({
      site,
      client: createGatewayClient(this.#options, site),
      datapath: this.datapath,
      store: NO_DISK,
      version: '1.0.0',
      now: clock.now,
      random: Math.random,
      after: clock.after,
      watch: (cursor, events) => {
        heard.sockets += 1;
        return watch(cursor, events);
      },
      log: () => {},
    });
    await this.#session.start();
  }

  async #enrol(tries: number): Promise<string> {
    const { token, name, publicKey, address } = this.#joining;
    const vtep = { address, port: 4789 };
    const answer = await enrollSite(this.#options, { token, name, publicKey, vtep, version: '1.0.0' });
    if (answer.kind === 'enrolled') return answer.enrolled.site;
    if (answer.kind === 'refused') throw new Error(`${name} did not join: ${answer.code}: ${answer.detail}`);
    await new Promise<void>((resolve) => this.#fleet.clock.after(backoffMs(tries, Math.random()), resolve));
    return this.#enrol(tries + 1);
  }

  /** True where it has this many peers and is in touch with the gateway. */
  hasPeers(count: number): boolean {
    const [network] = this.datapath.networks.values();
    return network !== undefined && network.vteps.size === count && this.#session?.status().inStep === true;
  }

  async stop(): Promise<void> {
    this.#options.transport.close();
    await this.#session?.stop();
  }
}

/** Tells when an update is in force. */
export class WatchedDatapath extends InMemoryDatapath {
  /** Called after each update, when frames would go by it. */
  onApplied: () => void = () => {};

  override async apply(update: TableUpdate): ReturnType<InMemoryDatapath['apply']> {
    const report = await super.apply(update);
    // A bench applies millions.
    this.applied.length = 0;
    this.onApplied();
    return report;
  }

  /** Where frames for this site go now. */
  addressOf(site: string): string | undefined {
    for (const { vteps } of this.networks.values()) return vteps.get(site)?.address;
    return undefined;
  }
}

/** A thousand agents of one machine would wait for its one disk, which a thousand sites don't share. */
const NO_DISK: TableStore = { load: async () => null, save: () => {}, flush: async () => {} };
