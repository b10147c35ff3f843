/** The kernel data path in a user namespace, as in a container without root: there the kernel keeps few notifications for who does not read them. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { macText } from '../../agent/sys/neighbor-message.ts';
import { PATH } from '../../demo/lab/ip.ts';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { datapathLacks } from './lacks.ts';

const UNSHARE = ['unshare', '--user', '--map-root-user', '--net'];
const STATIONS = 5000;
const STATION = '02:00:00:00:00:00';
const TIMES = 3;

describeTapLab('in a user namespace', () => {
  const lacks = datapathLacks() ?? lacksUserNamespaces();
  if (lacks === null) describe('the kernel data path', keeps);
  else describe.skip(`the kernel data path [skipped, missing: ${lacks}]`, () => undefined);
});

function lacksUserNamespaces(): string | null {
  const [command = '', ...argv] = [...UNSHARE, 'true'];
  return spawnSync(command, argv, { env: { PATH } }).status === 0 ? null : 'user namespaces, which this host forbids';
}

function keeps(): void {
  let lab: Lab;
  let a: Site;
  let agent: Program;

  beforeAll(async () => {
    lab = await createLab();
    [a] = (await lab.sites('a')) as [Site];
    const peer = '127.0.0.2';
    const macs = Array.from({ length: STATIONS }, (_, i) => ({
      mac: macText(Uint8Array.of(2, 0, 0, 0, i >> 8, i & 0xff)),
      address: peer,
    }));
    const port = { type: 'host', name: 'blue' };
    const network = { vni: 9, port, antiSpoof: 'strict', vteps: [{ address: peer }], macs };
    const file = join(lab.folder, 'rootless.json');
    await writeFile(file, JSON.stringify({ vtep: { address: '127.0.0.1' }, networks: [network] }));
    const run = [...AGENT_ARGV, 'run', '--config', file, '--datapath', 'kernel'];
    agent = a.spawn([...UNSHARE, 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', ...run]);
    await agent.line(/"msg":"running"/);
  });
  afterAll(async () => {
    await agent?.stop();
    await lab?.dispose();
  });

  const inside = (...argv: readonly string[]) =>
    a.exec(['nsenter', '--preserve-credentials', '--user', '--net', '-t', String(agent.child.pid), ...argv]);

  it('makes its rules again as often as somebody deletes them, and not for what it missed of its own changes', async () => {
    for (let i = 0; i < TIMES; i++) {
      await inside('nft', 'flush', 'ruleset');
      await until('the rules to be back', async () =>
        (await inside('nft', 'list', 'tables')).includes('netdev overlane-'),
      );
      // What it takes for a change of somebody's has had its turn when this, which came later, is put right.
      await inside('bridge', 'fdb', 'del', STATION, 'dev', 'ovx9', 'self', 'master');
      const entry = () => inside('bridge', 'fdb', 'get', STATION, 'dev', 'ovx9', 'self');
      await until('the entry to be back', async () => (await entry().catch(() => '')) !== '');
    }
    expect(agent.lines.filter((line) => line.includes('somebody changed the tables'))).toHaveLength(TIMES);
  });
}
