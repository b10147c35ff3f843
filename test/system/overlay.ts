/** A real gateway in the middle of a lab, and sites that joined it: what the demo has, for tests that break it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Call, createApi } from '../../demo/api.ts';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type AgentOptions, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import type { Lab } from '../../demo/lab.ts';
import type { Site as SiteRecord } from '../../src/contract/sites.ts';

const GATEWAY = fileURLToPath(new URL('../../src/hosts/node.ts', import.meta.url));
const PORT = 8787;
/** Where the gateway listens when its agents shall not find it. */
const HIDDEN = '127.0.0.1';

export class Overlay {
  readonly lab: Lab;
  /** Where the gateway runs. */
  readonly #host: Site;
  readonly operatorKey = randomBytes(32).toString('hex');
  #program: Program | undefined;
  #relays = 0;
  #call: Call | undefined;
  /** Where the gateway is reached from outside its namespace. */
  socketPath = '';

  constructor(lab: Lab, host: Site = lab.hub) {
    this.lab = lab;
    this.#host = host;
  }

  get url(): string {
    return `http://${this.#host.v4}:${PORT}`;
  }

  get call(): Call {
    if (this.#call === undefined) throw new Error('the gateway is not running');
    return this.#call;
  }

  /** Starts the gateway, on the data that it left; `hidden`: only the test reaches it. */
  async start(options: { readonly hidden?: boolean } = {}): Promise<void> {
    const { folder } = this.lab;
    const site = this.#host;
    const host = options.hidden === true ? HIDDEN : site.v4;
    const program = site.spawn([process.execPath, GATEWAY], {
      env: {
        HOST: host,
        PORT: String(PORT),
        OVERLANE_DATA: join(folder, 'gateway'),
        OVERLANE_OPERATOR_KEY: this.operatorKey,
      },
    });
    this.#program = program;
    const path = join(folder, `gateway-${this.#relays++}.sock`);
    this.socketPath = path;
    await new Promise<void>((resolve, reject) => {
      site.probe.start({ do: 'relay', path, to: host, port: PORT }, () => resolve()).result.catch(reject);
    });
    const call = createApi(path, this.operatorKey);
    await Promise.race([
      until('the gateway to be ready', async () => (await call('GET', '/healthz')) !== undefined),
      program.ended.then(() => Promise.reject(program.failure('ended'))),
    ]);
    this.#call = call;
  }

  async stop(): Promise<void> {
    await this.#program?.stop();
    this.#call = undefined;
  }

  /** Ends the gateway as a power cut would. */
  async kill(): Promise<void> {
    this.#program?.child.kill('SIGKILL');
    await this.#program?.ended;
    this.#call = undefined;
  }

  /** Makes a tenant with these networks. */
  async tenant(slug: string, ...networks: readonly string[]): Promise<void> {
    await this.call('POST', '/v1/tenants', { slug, name: slug });
    for (const name of networks) await this.call('POST', `/v1/tenants/${slug}/networks`, { name });
  }

  /** Joins a site, attached to the networks on host ports of their names, and starts its agent with these addresses there. */
  async join(
    tenant: string,
    site: Site,
    networks: Readonly<Record<string, string>>,
    port: { readonly type: 'host' | 'bridge'; readonly name?: string } = { type: 'host' },
    agent: Pick<AgentOptions, 'datapath' | 'flags'> = {},
  ): Promise<Program> {
    await this.enrol(tenant, site, Object.keys(networks), port, ['--vtep-address', site.v4]);
    const program = await site.agent({ state: this.stateOf(site), ...agent });
    if (port.type === 'host') {
      for (const [network, address] of Object.entries(networks)) await site.address(network, address);
    }
    return program;
  }

  /** Joins a site without starting its agent. */
  async enrol(
    tenant: string,
    site: Site,
    networks: readonly string[],
    port: { readonly type: 'host' | 'bridge'; readonly name?: string } = { type: 'host' },
    flags: readonly string[] = [],
  ): Promise<void> {
    const { token } = await this.call<{ token: string }>('POST', `/v1/tenants/${tenant}/join-tokens`, {
      networks: networks.map((network) => ({ network, port: { name: network, ...port } })),
    });
    await site.exec(
      [...AGENT_ARGV, 'join', '--gateway', this.url, '--name', site.name, '--state', this.stateOf(site)].concat([
        '--allow-plain-http',
        ...flags,
      ]),
      { env: { OVERLANE_JOIN_TOKEN: token } },
    );
  }

  /** Waits until every one of the tenant's sites has applied the newest revision of every network. */
  async converged(tenant: string): Promise<readonly SiteRecord[]> {
    return until(
      `tenant ${tenant} to converge`,
      async () => {
        const { items } = await this.call<{ items: readonly SiteRecord[] }>('GET', `/v1/tenants/${tenant}/sites`);
        const networks = items.flatMap((site) => site.networks);
        return networks.every(({ lag, digestMatch }) => lag === 0 && digestMatch === true) ? items : undefined;
      },
      { timeoutMs: 40_000, everyMs: 50 },
    );
  }

  stateOf(site: Site): string {
    return join(this.lab.folder, `state-${site.name}`);
  }
}
