/** Two sites of a lab, one of which has an agent that carries by the kernel; the other is a kernel VTEP. What a test makes is gone after it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import type { AgentOptions, Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { datapathLacks } from './lacks.ts';

export const VNI = 9;
/** Of the kernel VTEP's station. */
export const MAC = '02:00:00:00:00:99';

/** The tests, or their name as skipped, with what is missing. */
export function describeKernelDatapath(name: string, tests: () => void): void {
  describeTapLab('the kernel data path', () => {
    const lacks = datapathLacks();
    if (lacks === null) describe(name, tests);
    else describe.skip(`${name} [skipped, missing: ${lacks}]`, () => undefined);
  });
}

/** Sets them up for the tests around; `onSites` is called when they are there. */
export function kernelSites(onSites: (lab: Lab, a: Site, b: Site) => void) {
  let lab: Lab;
  let a: Site;
  let b: Site;

  const running: Program[] = [];

  beforeAll(async () => {
    lab = await createLab();
    [a, b] = (await lab.sites('a', 'b')) as [Site, Site];
    onSites(lab, a, b);
    await b.kernelVxlan({ dev: 'vx', vni: VNI, remotes: [a.v4], addresses: ['192.168.9.2/24'] });
    await b.ip(`link set vx address ${MAC}`);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((program) => program.stop()));
    const links = (await a.exec(['ip', '-o', 'link']))
      .split('\n')
      .map((line) => line.split(':')[1]!.trim().split('@')[0]!);
    for (const link of links.filter((each) => each !== 'lo' && each !== 'underlay')) {
      // A veth takes its other end along.
      await a.ip(`link del ${link}`).catch(() => undefined);
    }
    await a.exec(['nft', 'flush', 'ruleset']);
  });
  afterAll(() => lab.dispose());

  const macs = () => [{ mac: MAC, ip: '192.168.9.2', address: b.v4 }];
  const network = (more: object = {}) => ({
    vni: VNI,
    port: { type: 'host', name: 'blue' },
    vteps: [{ address: b.v4 }],
    macs: macs(),
    ...more,
  });
  const config = (...networks: readonly object[]) => ({ vtep: { address: a.v4 }, networks });

  async function start(given: object = config(network()), options: Partial<AgentOptions> = {}): Promise<Program> {
    const program = await a.agent({ config: given, datapath: 'kernel', ...options });
    running.push(program);
    if ((await a.exec(['ip', '-o', 'link'])).includes(' blue:')) await a.ip('address replace 192.168.9.1/24 dev blue');
    return program;
  }

  async function reload(program: Program, given: object): Promise<void> {
    await writeFile(join(lab.folder, 'a.json'), JSON.stringify(given));
    const seen = program.lines.length;
    program.child.kill('SIGHUP');
    await until('the table to be read', () =>
      program.lines.slice(seen).some((line) => line.includes('was read again')),
    );
  }

  const fdb = async () =>
    (await a.exec(['bridge', 'fdb', 'show', 'dev', `ovx${VNI}`])).split('\n').map((line) => line.trim());
  const rules = () => a.exec(['nft', 'list', 'ruleset']);
  const passes = () =>
    until('a ping to pass', async () => (await a.ping('192.168.9.2', { count: 1, timeoutMs: 200 })).received === 1);

  return { running, network, config, start, reload, fdb, rules, passes };
}
