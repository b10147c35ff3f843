/**
 * A lab: sites as network namespaces on an underlay of their own, for the demo, the tests and the benches.
 *
 *      namespace a          namespace b
 *     +-----------+        +-----------+
 *     | underlay  |        | underlay  |      10.77.0.1/24, fd77::1/64; .2, ::2; …
 *     +-----|-----+        +-----|-----+
 *           |    +--------+      |            each a veth pair
 *           +----| bridge |------+            10.77.0.254/24, fd77::fe/64
 *                +--------+
 *              namespace "hub"
 *
 * With `underlay: 'veth'` the first two sites are joined by one veth pair instead, with nothing between them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './lab/cleanup.ts';
import { ip, PATH } from './lab/ip.ts';
import { run } from './lab/program.ts';
import { Site, UNDERLAY_DEV } from './lab/site.ts';
import { until } from './lab/until.ts';

const HUB_NUMBER = 254;
const MAX_SITES = HUB_NUMBER - 1;
/**
 * Before any interface is there: addresses can be used at once, with no duplicate address detection, and nothing asks for routers,
 * so that what is seen on a wire is what was sent on purpose.
 */
const SETTINGS = [
  'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad',
  'echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations',
].join('; ');

export interface LabOptions {
  readonly underlay?: 'bridge' | 'veth';
  /** Of the underlay, in bytes. */
  readonly mtu?: number;
}

let labs = 0;

export class Lab {
  /** In the middle of the underlay: what every site can reach. It has nothing on it but what is started there. */
  readonly hub: Site;
  /** For files; it goes with the lab. */
  readonly folder: string;
  readonly #prefix = `ol${process.pid}-${labs++}-`;
  readonly #sites: Site[] = [];
  readonly #isBridge: boolean;
  readonly #mtu: number;
  readonly #forget: () => void;
  #first: Site | undefined;

  /** Use `createLab`. */
  constructor(options: LabOptions) {
    this.#isBridge = options.underlay !== 'veth';
    this.#mtu = options.mtu ?? 1500;
    this.folder = mkdtempSync(join(tmpdir(), 'overlane-lab-'));
    this.hub = new Site('hub', `${this.#prefix}hub`, HUB_NUMBER, this.folder);
    this.#sites.push(this.hub);
    this.#forget = atExit(() => {
      for (const site of this.#sites) site.kill();
      this.#remove();
    });
  }

  /** A new site, on the underlay. @param name of letters and digits, one of its own. */
  async site(name: string): Promise<Site> {
    const number = this.#sites.length;
    if (number > MAX_SITES) throw new RangeError(`a lab has at most ${MAX_SITES} sites`);
    if (this.#sites.some((site) => site.name === name)) throw new Error(`there is a site "${name}" already`);
    const site = new Site(name, `${this.#prefix}${name}`, number, this.folder);
    this.#sites.push(site);
    await addNamespace(site);
    const far = `to-${number}`;
    if (!this.#isBridge && this.#first !== undefined) {
      await this.hub.ip(`link set to-1 netns ${site.namespace} name ${UNDERLAY_DEV}`);
    } else {
      const pair = `${UNDERLAY_DEV} mtu ${this.#mtu} netns ${site.namespace} type veth peer ${far} mtu ${this.#mtu}`;
      await ip(null, `link add ${pair} netns ${this.hub.namespace}`);
      if (this.#isBridge) await this.hub.ip(`link set ${far} master ${UNDERLAY_DEV} up`);
    }
    await site.address(UNDERLAY_DEV, `${site.v4}/24`, `${site.v6}/64`);
    if (this.#isBridge) await carrier(site);
    else if (this.#first !== undefined) await Promise.all([carrier(this.#first), carrier(site)]);
    this.#first ??= site;
    return site;
  }

  /** New sites of these names. */
  async sites(...names: readonly string[]): Promise<Site[]> {
    const sites: Site[] = [];
    for (const name of names) sites.push(await this.site(name));
    return sites;
  }

  /** What all programs that run in the lab have said last. */
  transcript(): string {
    return this.#sites.flatMap((site) => site.transcript() || []).join('\n');
  }

  /** Ends and removes all that the lab made. */
  async dispose(): Promise<void> {
    await Promise.all(this.#sites.map((site) => site.stop()));
    this.#remove();
    this.#forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** Synchronous, because a process that ends can do nothing else. Devices go with their namespace. */
  #remove(): void {
    const commands = this.#sites.map((site) => `netns delete ${site.namespace}\n`).join('');
    spawnSync('ip', ['-force', '-batch', '-'], { input: commands, env: { PATH } });
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes the underlay. */
  async open(): Promise<this> {
    await addNamespace(this.hub);
    if (!this.#isBridge) return this;
    await this.hub.ip(`link add ${UNDERLAY_DEV} type bridge forward_delay 0 mcast_snooping 0`);
    await this.hub.address(UNDERLAY_DEV, `${this.hub.v4}/24`, `${this.hub.v6}/64`);
    return this;
  }
}

/** @throws Error with what `ip` said where namespaces can't be had here; then nothing is left of it. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const lab = new Lab(options);
  try {
    return await lab.open();
  } catch (error) {
    await lab.dispose().catch(() => undefined);
    throw error;
  }
}

/** The kernel takes note of a carrier a little later, and answers no neighbour solicitation before. */
async function carrier(site: Site): Promise<void> {
  await until(`a carrier on the underlay of site ${site.name}`, async () => {
    return (await site.link(UNDERLAY_DEV)).operstate === 'UP';
  });
}

async function addNamespace(site: Site): Promise<void> {
  await run(['ip', 'netns', 'add', site.namespace], { env: { PATH } });
  await site.exec(['sh', '-c', SETTINGS]);
  await site.ip('link set lo up');
  // It takes a while to start: not only when it is first needed.
  site.startProbe();
}
