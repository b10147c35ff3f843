/** Each thing that can be wrong is done to a site that is well, and doctor must find it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Finding } from '../../agent/doctor/finding.ts';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const KEY = 'the-operator-key-of-a-test-of-the-doctor';
/** A gateway whose clock is an hour ahead: the date is all that doctor takes of it. */
const HOUR_AHEAD = `require('node:http').createServer((request, response) => {
  response.writeHead(304, { date: new Date(Date.now() + 3600_000).toUTCString() }).end();
}).listen(8787, process.argv[1], () => console.log('ready'));`;

describeTapLab('doctor', () => {
  let lab: Lab;
  let site: Site;
  let gateway: Program;
  let agent: Program;
  let state: string;

  beforeAll(async () => {
    lab = await createLab();
    site = await lab.site('oslo');
    state = join(lab.folder, 'state');
    const { hub } = lab;
    const url = `http://${hub.v4}:8787`;
    const settings = { HOST: hub.v4, OVERLANE_DATA: join(lab.folder, 'data'), OVERLANE_OPERATOR_KEY: KEY };
    gateway = hub.spawn([process.execPath, join(REPOSITORY, 'src/hosts/node.ts')], { env: settings });
    await gateway.line(/Overlane gateway ready/);
    const env = { OVERLANE_GATEWAY: url, OVERLANE_KEY: KEY, OVERLANE_TENANT: 'acme' };
    const overlane = (...argv: readonly string[]): Promise<string> =>
      hub.exec([process.execPath, join(REPOSITORY, 'cli/main.ts'), '--allow-plain-http', ...argv], { env });
    await overlane('tenant', 'create', 'acme', '--name', 'Acme Ltd');
    await overlane('network', 'create', 'blue');
    const made = await overlane('token', 'create', '--json', '--network', 'blue=host:blue0');
    const { token } = JSON.parse(made) as { token: string };
    const flags = ['--gateway', url, '--allow-plain-http', '--vtep-address', site.v4, '--state', state];
    await site.exec([...AGENT_ARGV, 'join', ...flags], { env: { OVERLANE_JOIN_TOKEN: token } });
    agent = await site.agent({ state });
    await site.link('blue0');
  });
  afterAll(() => lab.dispose());

  /** @param by what doctor is run by. */
  async function doctor(...by: readonly string[]): Promise<{ code: number | null; findings: readonly Finding[] }> {
    const program = site.spawn([...by, ...AGENT_ARGV, 'doctor', '--json', '--state', state]);
    const { code } = await program.ended;
    const { findings } = JSON.parse(program.lines.join('\n')) as { findings: readonly Finding[] };
    return { code, findings };
  }

  async function found(check: string, ...by: readonly string[]): Promise<Finding> {
    const { code, findings } = await doctor(...by);
    const finding = findings.find((one) => one.check === check && one.verdict !== 'pass');
    if (finding === undefined) throw new Error(`${check} is not among ${JSON.stringify(findings, null, 2)}`);
    if (finding.verdict === 'fail') expect(code).toBe(1);
    expect(finding.todo).toBeTruthy();
    return finding;
  }

  it('finds nothing that failed where all is well, says so to people, and its exit code is 0', async () => {
    const well = await until('a site that is well', async () => {
      const { code, findings } = await doctor();
      return code === 0 && findings.every(({ check, verdict }) => verdict === 'pass' || check === 'kernel datapath')
        ? findings
        : undefined;
    });
    expect(well.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'capabilities',
        'membership',
        'table age',
        'WebSocket',
        'MTU',
        'DNS',
        'gateway',
        'clock',
      ]),
    );
    const text = await site.exec([...AGENT_ARGV, 'doctor', '--state', state]);
    expect(text).toMatch(/^pass {2}agent .*version 0\.1\.0 runs/m);
    expect(text).toMatch(/^0 failed, \d to look at, of \d+ checks$/m);
  });

  it('finds an underlay whose MTU is too small for a network', async () => {
    await site.ip('link set underlay mtu 1400');
    expect((await found('MTU')).says).toBe(
      'underlay (1400) leaves 1350, and blue asks for 1450: its port has 1350 here',
    );
    await site.ip('link set underlay mtu 1500');
  });

  it('finds the device of another agent, and leaves it alone', async () => {
    await site.ip('link add stray type bridge', 'link set stray alias "overlane another vni 7"');
    expect((await found('leftovers')).says).toContain('stray was made by another agent');
    await site.ip('link del stray');
  });

  it('finds that CAP_NET_ADMIN or /dev/net/tun is missing', async () => {
    await found('capabilities', 'setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin');
    const hidden = `mount -t tmpfs none /dev/net && exec "$0" "$@"`;
    expect((await found('/dev/net/tun', 'unshare', '--mount', 'sh', '-c', hidden)).todo).toContain('modprobe tun');
  });

  it('finds that no agent runs, and that another has its port', async () => {
    await agent.stop();
    await found('agent');
    await site.ip('link add taken type vxlan id 1 dstport 4789', 'link set taken up');
    expect((await found('UDP port 4789')).says).toBe('it is in use, perhaps by taken (EADDRINUSE)');
    await site.ip('link del taken');
  });

  it('finds a gateway that is down, a clock that is off, and a name that is none', async () => {
    await gateway.stop();
    expect((await found('gateway')).says).toContain('ECONNREFUSED');
    const ahead = lab.hub.spawn([process.execPath, '-e', HOUR_AHEAD, lab.hub.v4]);
    await ahead.line(/ready/);
    expect((await found('clock')).says).toMatch(/^this host’s clock is (3599|360\d) s behind the gateway’s$/);
    const file = join(state, 'agent.json');
    const membership = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...membership, gateway: 'http://gateway.invalid:8787' }));
    expect((await found('DNS')).says).toContain('gateway.invalid is not found');
    await writeFile(file, '{}');
    expect((await found('membership')).says).toContain('damaged');
  });
});
