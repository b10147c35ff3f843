/** One host of the lab: a network namespace with an interface on the underlay. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PingResult, ReceiveResult, TransferResult } from '../probes/protocol.ts';
import { ip, PATH } from './ip.ts';
import { type Activity, Probe } from './probe.ts';
import { Program, type ProgramOptions, run } from './program.ts';
import { Sniffer } from './sniffer.ts';
import { until } from './until.ts';

/** What runs the agent. */
export const AGENT_ARGV: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../../agent/main.ts', import.meta.url)),
];

/** The name of every site's interface on the underlay. */
export const UNDERLAY_DEV = 'underlay';

export interface PingOptions {
  readonly from?: string;
  readonly count?: number;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /** Bytes of data after the ICMP header. */
  readonly size?: number;
}

export interface SendOptions {
  readonly from?: string;
  readonly fromPort?: number;
}

export type AgentOptions = ({ readonly config: object } | { readonly state: string }) & {
  /** Userspace unless said. */
  readonly datapath?: 'userspace' | 'kernel' | 'auto';
  /** More flags of `run`. */
  readonly flags?: readonly string[];
};

export interface KernelVxlanOptions {
  readonly dev: string;
  readonly vni: number;
  /** This site's underlay address of the remotes' family, unless said. */
  readonly local?: string;
  /** Where it floods to. */
  readonly remotes: readonly string[];
  readonly port?: number;
  /** With prefix lengths: `192.168.9.1/24`. */
  readonly addresses?: readonly string[];
  readonly mtu?: number;
}

export class Site {
  readonly name: string;
  readonly namespace: string;
  /** Its addresses on the underlay. */
  readonly v4: string;
  readonly v6: string;
  readonly #folder: string;
  readonly #programs = new Set<Program>();
  #probe: Probe | undefined;

  /** Use `Lab.site`. @param folder for its files; the lab removes it. */
  constructor(name: string, namespace: string, number: number, folder: string) {
    this.name = name;
    this.namespace = namespace;
    this.v4 = `10.77.0.${number}`;
    this.v6 = `fd77::${number.toString(16)}`;
    this.#folder = folder;
  }

  /** Runs a program here to its end. @returns its output. @throws Error with the output where it fails. */
  exec(argv: readonly string[], options?: ProgramOptions): Promise<string> {
    return run([...this.#prefix, ...argv], this.#options(options));
  }

  /** Starts a program here; the lab ends it when it goes. */
  spawn(argv: readonly string[], options?: ProgramOptions): Program {
    const program = new Program([...this.#prefix, ...argv], this.#options(options));
    this.#programs.add(program);
    void program.ended.then(() => this.#programs.delete(program));
    return program;
  }

  /** Commands of `ip`, in one go: `site.ip('link set tap9 up')`. */
  ip(...commands: readonly string[]): Promise<string> {
    return ip(this.namespace, ...commands);
  }

  /** Gives an interface, once it is there, addresses (`192.168.9.1/24`) and sets it up. */
  async address(dev: string, ...addresses: readonly string[]): Promise<void> {
    await this.link(dev);
    await this.ip(
      ...addresses.map((address) => `address add ${address} dev ${dev}${address.includes(':') ? ' nodad' : ''}`),
      `link set ${dev} up`,
    );
  }

  /** Waits for an interface. @returns what `ip -j link` says of it. */
  link(dev: string, timeoutMs = 10_000): Promise<Readonly<Record<string, unknown>>> {
    const look = async (): Promise<Record<string, unknown> | undefined> =>
      JSON.parse(await run(['ip', '-n', this.namespace, '-j', '-d', 'link', 'show', dev], { env: { PATH } }))[0];
    return until(`the interface ${dev} of site ${this.name}`, look, { timeoutMs });
  }

  /** Five pings, 10 ms apart, unless said otherwise. */
  ping(to: string, options: PingOptions = {}): Promise<PingResult> {
    return this.startPing(to, { count: 5, ...options }).result;
  }

  /** Pings until stopped, unless `count` is given. */
  startPing(to: string, options: PingOptions = {}): Activity<PingResult> {
    return this.probe.start({ do: 'ping', to, intervalMs: 10, timeoutMs: 1000, size: 56, ...options });
  }

  /**
   * Sends bytes over TCP to an address of another site.
   * @throws Error where they did not arrive as they were.
   */
  async transfer(
    to: Site,
    address: string,
    bytes: number,
    options: { readonly from?: string; readonly timeoutMs?: number } = {},
  ): Promise<TransferResult> {
    let receiver: Activity<ReceiveResult> | undefined;
    const port = await new Promise<number>((resolve, reject) => {
      receiver = to.probe.start<ReceiveResult>({ do: 'receive', address, port: 0 }, (event) => {
        if (event.event === 'listening') resolve(event.port);
      });
      receiver.result.catch(reject);
    });
    try {
      const request = { do: 'transfer', to: address, port, bytes, timeoutMs: 30_000, ...options } as const;
      return await this.probe.start<TransferResult>(request).result;
    } finally {
      receiver?.stop().catch(() => undefined);
    }
  }

  /** Sends UDP datagrams with exactly these bytes. */
  async send(to: string, port: number, payloads: readonly Uint8Array[], options: SendOptions = {}): Promise<void> {
    const hex = payloads.map((payload) => Buffer.from(payload).toString('hex'));
    await this.probe.start({ do: 'send', to, port, payloads: hex, ...options }).result;
  }

  /** Watches an interface; it listens when this resolves. `contains`: only frames with these bytes somewhere. */
  sniff(dev: string, options: { readonly contains?: Uint8Array; readonly snap?: number } = {}): Promise<Sniffer> {
    const contains = options.contains && { contains: Buffer.from(options.contains).toString('hex') };
    return new Sniffer(this.probe, { do: 'sniff', dev, snap: options.snap ?? 2048, ...contains }).listening();
  }

  /**
   * Starts an agent, by a table of its own or by the state folder that it joined with, and waits until its table is in force.
   * @throws Error with the agent's output where it ends instead.
   */
  async agent(options: AgentOptions): Promise<Program> {
    const file = join(this.#folder, `${this.name}.json`);
    if ('config' in options) await writeFile(file, JSON.stringify(options.config));
    const source = 'config' in options ? ['--config', file] : ['--state', options.state];
    const { datapath = 'userspace', flags = [] } = options;
    const program = this.spawn([...AGENT_ARGV, 'run', ...source, '--datapath', datapath, ...flags]);
    await program.line(/"msg":"running"/);
    return program;
  }

  /** A VTEP of the kernel's own, with its offloads as they come. */
  async kernelVxlan(options: KernelVxlanOptions): Promise<void> {
    const { dev, vni, remotes, port = 4789, mtu } = options;
    const local = options.local ?? (remotes[0]?.includes(':') ? this.v6 : this.v4);
    await this.ip(
      `link add ${dev} ${mtu === undefined ? '' : `mtu ${mtu}`} type vxlan id ${vni} local ${local} dstport ${port}`,
    );
    const flood = remotes.map((remote) => `fdb append 00:00:00:00:00:00 dev ${dev} dst ${remote}\n`);
    await run(['bridge', '-n', this.namespace, '-batch', '-'], { input: flood.join(''), env: { PATH } });
    await this.address(dev, ...(options.addresses ?? []));
  }

  /** The program that makes and watches traffic here. */
  get probe(): Probe {
    return this.startProbe();
  }

  /** Has the probe ready before it is asked for. */
  startProbe(): Probe {
    this.#probe ??= new Probe(this.#prefix, { PATH });
    return this.#probe;
  }

  /** What the programs that run here have said last, for whoever looks into a failure. */
  transcript(): string {
    return [...this.#programs].map((program) => program.failure(`runs at ${this.name}`, 20).message).join('\n');
  }

  /** Ends what runs here, at once. */
  kill(): void {
    this.#probe?.kill();
    for (const program of this.#programs) program.child.kill('SIGKILL');
  }

  /** Asks what runs here to end, and waits until it has. */
  async stop(): Promise<void> {
    this.#probe?.kill();
    await Promise.all([this.#probe?.ended, ...[...this.#programs].map((program) => program.stop())]);
  }

  get #prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.namespace];
  }

  #options(options: ProgramOptions | undefined): ProgramOptions {
    return { ...options, env: { PATH, TMPDIR: this.#folder, ...options?.env } };
  }
}
