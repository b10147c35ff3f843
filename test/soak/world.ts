/** Who takes part: agents `a`, `b` and `c`, of which `c` comes and goes, and a kernel VTEP `k`, in one network. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PATH } from '../../demo/lab/ip.ts';
import type { Program } from '../../demo/lab/program.ts';
import { run } from '../../demo/lab/program.ts';
import { type Site, UNDERLAY_DEV } from '../../demo/lab/site.ts';
import type { Lab } from '../../demo/lab.ts';
import { config } from '../system/agents.ts';

const VNI = 77;
const DEV = 'tap';

export const NAMES = ['a', 'b', 'c', 'k'] as const;
export type Name = (typeof NAMES)[number];
export type AgentName = Exclude<Name, 'k'>;
export const AGENTS: readonly AgentName[] = ['a', 'b', 'c'];

export class World {
  readonly lab: Lab;
  readonly sites: Readonly<Record<Name, Site>>;
  readonly programs = new Map<AgentName, Program>();
  /** Of each agent; by the cores where it is null. */
  readonly #threads: number | null;
  /** Where each VTEP is; c's moves. */
  readonly #vteps: Record<Name, string>;
  /** Whether a and b have c in their tables. */
  #knowsC = true;

  constructor(lab: Lab, sites: Readonly<Record<Name, Site>>, threads: number | null) {
    this.#threads = threads;
    this.lab = lab;
    this.sites = sites;
    this.#vteps = { a: sites.a.v4, b: sites.b.v4, c: sites.c.v4, k: sites.k.v4 };
  }

  /** The address of a site's host in the network. */
  hostOf(name: Name): string {
    return `192.168.77.${NAMES.indexOf(name) + 1}`;
  }

  async start(): Promise<void> {
    for (const name of AGENTS) await this.startAgent(name, true);
    await this.startKernel();
  }

  /** @param isNew whether its device has to be given an address: one that a killed agent left still has its own. */
  async startAgent(name: AgentName, isNew: boolean): Promise<void> {
    const site = this.sites[name];
    this.programs.set(name, await site.agent({ config: this.#configOf(name) }));
    if (isNew) await site.address(DEV, `${this.hostOf(name)}/24`);
  }

  async startKernel(): Promise<void> {
    const remotes = AGENTS.map((name) => this.#vteps[name]);
    await this.sites.k.kernelVxlan({ dev: DEV, vni: VNI, remotes, addresses: [`${this.hostOf('k')}/24`], mtu: 1450 });
  }

  async restartKernel(): Promise<void> {
    await this.sites.k.ip(`link del ${DEV}`);
    await this.startKernel();
  }

  async stopAgent(name: AgentName, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const program = this.programs.get(name)!;
    program.child.kill(signal);
    await program.ended;
  }

  /** Takes c out of the tables of the others, or puts it back. */
  async tell(knowsC: boolean): Promise<void> {
    this.#knowsC = knowsC;
    await this.#reload();
  }

  /** Starts c at another address than it had, and tells the others. */
  async moveC(): Promise<void> {
    const { c, k } = this.sites;
    const old = this.#vteps.c;
    await this.stopAgent('c', 'SIGTERM');
    this.#vteps.c = old === c.v4 ? c.v4.replace(/\d+$/, (n) => String(Number(n) + 100)) : c.v4;
    await c.ip(`address replace ${this.#vteps.c}/24 dev ${UNDERLAY_DEV}`);
    await this.startAgent('c', true);
    await this.#reload();
    const fdb = (what: string, dst: string): string => `fdb ${what} 00:00:00:00:00:00 dev ${DEV} dst ${dst}\n`;
    const input = fdb('del', old) + fdb('append', this.#vteps.c);
    await run(['bridge', '-n', k.namespace, '-batch', '-'], { input, env: { PATH } });
    // By a file an agent is known by its VTEP's address, so its host has another MAC now, of which the others hear by its ARP.
    for (const name of NAMES) if (name !== 'c') await c.ping(this.hostOf(name), { count: 3, timeoutMs: 200 });
  }

  async #reload(): Promise<void> {
    for (const name of ['a', 'b'] as const) {
      await writeFile(join(this.lab.folder, `${name}.json`), JSON.stringify(this.#configOf(name)));
      const program = this.programs.get(name)!;
      program.child.kill('SIGHUP');
    }
  }

  #configOf(name: AgentName): object {
    const peers = NAMES.filter((it) => it !== name && (it !== 'c' || this.#knowsC)).map((it) => this.#vteps[it]);
    return { ...config(this.#vteps[name], VNI, peers), ...(this.#threads === null ? {} : { threads: this.#threads }) };
  }
}
