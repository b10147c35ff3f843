import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { failedStart, gatewayProcess } from './gateway-process.ts';
import { Caller } from './host.ts';
import { testSettings } from './settings.ts';
import { temporaryFolder } from './temporary-folder.ts';

const { OVERLANE_OPERATOR_KEY } = testSettings;
const TLS = fileURLToPath(new URL('../fixtures/tls', import.meta.url));

let folder = temporaryFolder();
afterEach(() => {
  folder.remove();
  folder = temporaryFolder();
});
const settings = () => ({ OVERLANE_OPERATOR_KEY, OVERLANE_DATA: folder.path });

test('without a key one is made, shown once, kept for its owner alone, and used again at the next start', async () => {
  const env = { OVERLANE_DATA: join(folder.path, 'new') };
  const first = await gatewayProcess(env);
  const file = join(env.OVERLANE_DATA, 'operator-key');
  const key = readFileSync(file, 'utf8').trim();
  expect(first.output()).toContain(key);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await new Caller(first.url, key).get('/v1/tenants')).status).toBe(200);
  expect(await first.end('SIGTERM')).toBe(0);

  const second = await gatewayProcess(env);
  expect(second.output()).not.toContain(key);
  expect((await new Caller(second.url, key).get('/v1/tenants')).status).toBe(200);
  expect(await second.end('SIGINT')).toBe(0);
});

test('a key that is made under systemd is in its file alone, and not in the journal', async () => {
  const env = { OVERLANE_DATA: join(folder.path, 'new'), JOURNAL_STREAM: '8:4711' };
  const running = await gatewayProcess(env);
  const file = join(env.OVERLANE_DATA, 'operator-key');
  expect(running.output()).toContain(`kept in ${file}`);
  expect(running.output()).not.toContain(readFileSync(file, 'utf8').trim());
  await running.end('SIGTERM');
});

test('a key that is made in a terminal is shown there, though systemd started the terminal', async () => {
  const env = { OVERLANE_DATA: join(folder.path, 'new'), JOURNAL_STREAM: '8:4711' };
  const running = await gatewayProcess(env, ['script', '--quiet', '--return', '/dev/null', '--command']);
  expect(running.output()).toContain(readFileSync(join(env.OVERLANE_DATA, 'operator-key'), 'utf8').trim());
  await running.end('SIGTERM');
});

test('after kill -9 in the middle of writes, all that was acknowledged is there and the database is sound', async () => {
  const running = await gatewayProcess(settings());
  const operator = new Caller(running.url, OVERLANE_OPERATOR_KEY);
  await operator.made('POST', '/v1/tenants', { slug: 'acme', name: 'Acme', limits: { networks: 100_000 } });
  const acknowledged: string[] = [];
  let writing = true;
  async function writeOn(writer: number): Promise<void> {
    for (let i = 0; writing; i++) {
      const name = `n${writer}-${i}`;
      const answer = await operator.call('POST', '/v1/tenants/acme/networks', { name }).catch(() => null);
      if (answer?.status === 201) acknowledged.push(name);
      if (acknowledged.length === 60 && writing) {
        writing = false;
        await running.end('SIGKILL');
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, writer) => writeOn(writer)));
  expect(acknowledged.length).toBeGreaterThanOrEqual(60);

  const again = await gatewayProcess(settings());
  const after = new Caller(again.url, OVERLANE_OPERATOR_KEY);
  const { items } = await after.made<{ items: { name: string; vni: number }[] }>(
    'GET',
    '/v1/tenants/acme/networks?limit=500',
  );
  expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(acknowledged));
  expect(new Set(items.map(({ vni }) => vni)).size).toBe(items.length);
  expect(await after.made('GET', '/v1/tenants/acme')).toMatchObject({ revision: items.length });
  await after.made('POST', '/v1/tenants/acme/networks', { name: 'more' });
  await again.end('SIGTERM');
  const database = new DatabaseSync(join(folder.path, 'overlane.sqlite'));
  expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  database.close();
});

test('with a certificate and key it serves TLS itself', async () => {
  const tls = { OVERLANE_TLS_CERT: join(TLS, 'server.pem'), OVERLANE_TLS_KEY: join(TLS, 'server.key') };
  const running = await gatewayProcess({ ...settings(), ...tls, HOST: '127.0.0.1' });
  expect(running.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const ca = readFileSync(join(TLS, 'ca.pem'));
  const status = await new Promise((resolve, reject) => {
    get(`${running.url}/healthz`, { ca }, (response) => resolve(response.resume().statusCode)).on('error', reject);
  });
  expect(status).toBe(200);
  await running.end('SIGTERM');
});

test('open to others without TLS it says so once, and with loopback or TLS it does not', async () => {
  const open = await gatewayProcess({ ...settings(), HOST: '0.0.0.0' });
  expect(open.output().match(/Warning/g)).toHaveLength(1);
  await open.end('SIGTERM');
  const closed = await gatewayProcess(settings());
  expect(closed.output()).not.toContain('Warning');
  await closed.end('SIGTERM');
});

test('each thing that keeps it from starting is one line that says what to do, and exit 1', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', () => resolve()));
  const { port } = taken.address() as { port: number };
  const file = join(folder.path, 'a-file');
  writeFileSync(file, 'no certificate');
  const tls = { OVERLANE_TLS_CERT: join(TLS, 'server.pem'), OVERLANE_TLS_KEY: join(TLS, 'server.key') };
  const cases: [Record<string, string>, string][] = [
    [{ PORT: String(port) }, `Port ${port} of 127.0.0.1 is in use`],
    [{ PORT: 'eighty' }, 'PORT must be a number from 0 to 65535, not "eighty"'],
    [{ HOST: '192.0.2.1' }, '192.0.2.1 is no address of this machine'],
    [{ OVERLANE_OPERATOR_KEY: 'short' }, 'OVERLANE_OPERATOR_KEY must be text of 32 characters or more'],
    [{ OVERLANE_DATA: join(file, 'below') }, `The data folder ${join(file, 'below')} can't be used`],
    [{ ...tls, OVERLANE_TLS_CERT: '/nowhere.pem' }, "OVERLANE_TLS_CERT: /nowhere.pem can't be read"],
    [{ OVERLANE_TLS_CERT: tls.OVERLANE_TLS_CERT }, 'TLS takes both'],
    [{ ...tls, OVERLANE_TLS_CERT: file }, "The TLS certificate and key can't be used"],
    [{ OVERLANE_ORIGIN: 'overlane.example' }, 'OVERLANE_ORIGIN must be origins such as'],
    [{ OVERLANE_VNI_HOLD_SECONDS: '1h' }, 'OVERLANE_VNI_HOLD_SECONDS must be a whole number of seconds'],
  ];
  const dataOf = (i: number) => ({ OVERLANE_DATA: join(folder.path, `data-${i}`) });
  const ends = await Promise.all(cases.map(([env], i) => failedStart({ ...settings(), ...dataOf(i), ...env })));
  for (const [i, { code, stderr }] of ends.entries()) {
    expect(stderr).toContain(cases[i]![1]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  }
  taken.close();
});
