/** The program as people run it, against a gateway of a few lines. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../../agent/cli/program.ts';
import { defaultThreads } from '../../../agent/cli/threads.ts';
import { tryLockFile } from '../../../agent/sys/lock.linux.ts';
import { ERRORS, type ErrorCode } from '../../../src/contract/errors.ts';

const TOKEN = 'olj_abc_verysecretverysecret';

let folder: string;
let state: string;
let server: Server;
let origin: string;
let refusal: ErrorCode | null;
let enrolled: Record<string, unknown> | null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  state = join(folder, 'state');
  refusal = null;
  enrolled = null;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    enrolled = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const status = refusal === null ? 201 : ERRORS[refusal].status;
    const body =
      refusal === null
        ? { site: 'site-1', tenant: 'acme', name: enrolled.name, vtep: { address: '192.0.2.7', port: 4789 } }
        : { type: 'about:blank', title: 't', status, detail: 'it ended yesterday', code: refusal, requestId: 'r1' };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await new Promise((resolve) => server.close(resolve));
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function agent(...args: string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(args, {
    out: (text) => {
      stdout += text;
    },
    error: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

const joinArgs = (...more: string[]): string[] => [
  'join',
  '--gateway',
  origin,
  '--token',
  TOKEN,
  '--state',
  state,
  ...more,
];

test('join enrols the site and keeps what it joined; no secret is printed', async () => {
  const { code, stdout, stderr } = await agent(
    ...joinArgs('--name', 'berlin', '--vtep-address', '10.0.0.1', '--vtep-port', '4790'),
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain('Joined tenant acme as site berlin (site-1), VTEP 192.0.2.7:4789.');
  expect(enrolled).toMatchObject({ token: TOKEN, name: 'berlin', vtep: { address: '10.0.0.1', port: 4790 } });
  expect(statSync(state).mode & 0o777).toBe(0o700);
  const membership = readFileSync(join(state, 'agent.json'), 'utf8');
  expect(JSON.parse(membership)).toMatchObject({ gateway: origin, site: 'site-1', tenant: 'acme' });
  expect(stdout + membership).not.toContain('verysecret');
});

test('join again keeps the key, so that the gateway finds the same site', async () => {
  await agent(...joinArgs());
  const first = enrolled?.publicKey;
  await agent(...joinArgs());
  expect(enrolled?.publicKey).toBe(first);
});

test('a refused join says why in one line with exit code 3, and joins nothing', async () => {
  refusal = 'join_token_expired';
  const { code, stderr } = await agent(...joinArgs());
  expect(code).toBe(3);
  expect(stderr).toBe('overlane-agent: the gateway refuses (join_token_expired): it ended yesterday\n');
  expect(existsSync(join(state, 'agent.json'))).toBe(false);
});

test.each<[string, string[], string]>([
  ['no scheme', ['--gateway', 'gateway'], '--gateway must be an address such as https://'],
  ['plain http to elsewhere', ['--gateway', 'http://192.0.2.1'], '--allow-plain-http'],
  ['a token that is none', ['--token', 'abc'], '--token must be a join token'],
  ['a name with spaces', ['--name', 'a b'], "'--name <name>' argument 'a b' is invalid. It must be 1 to 63 letters"],
  [
    'a VTEP that is no address',
    ['--vtep-address', 'x'],
    "'--vtep-address <ip>' argument 'x' is invalid. It must be an IPv4",
  ],
  ['a port of 0', ['--vtep-port', '0'], 'It must be a whole number from 1 to 65535'],
  ['a CA that is not there', ['--ca', '/nonexistent'], '--ca /nonexistent can’t be read'],
  ['an unknown flag', ['--colour'], "unknown option '--colour'"],
])('join with %s is a usage error in one line, and makes nothing', async (_what, flags, message) => {
  const { code, stderr } = await agent(...joinArgs(...flags));
  expect(stderr.replace("can't", 'can’t')).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(2);
  expect(existsSync(state)).toBe(false);
  expect(enrolled).toBeNull();
});

test('nobody at the gateway is exit code 4', async () => {
  const { code, stderr } = await agent(...joinArgs('--gateway', 'http://127.0.0.1:1'));
  expect(code).toBe(4);
  expect(stderr).toContain('ECONNREFUSED');
});

test('join is refused while an agent holds the state folder', async () => {
  await agent(...joinArgs());
  const lock = tryLockFile(join(state, 'lock'))!;
  const { code, stderr } = await agent(...joinArgs());
  expect(code).toBe(1);
  expect(stderr).toContain(`an agent runs on the state folder ${state}`);
  const run = await agent('run', '--state', state);
  expect(run.code).toBe(1);
  expect(run.stderr).toContain(`another agent runs on the state folder ${state}`);
  lock.release();
});

test('run without a join, or with a bad file, says so with exit code 2', async () => {
  const config = join(folder, 'config.json');
  writeFileSync(config, '{"vtep": {"address": "10.0.0.1"}, "networks": [{"vni": 0}]}');
  const [unjoined, bad] = await Promise.all([agent('run', '--state', state), agent('run', '--config', config)]);
  expect(unjoined).toMatchObject({ code: 2, stderr: expect.stringContaining('run overlane-agent join first') });
  expect(bad).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('networks.0.vni: must be a whole number from 1'),
  });
});

test('status, fdb, counters and capture where no agent runs are exit code 4', async () => {
  const commands = [['status'], ['fdb'], ['counters'], ['capture', '--vni', '9']];
  const ended = await Promise.all(commands.map((command) => agent(...command, '--state', state)));
  for (const { code, stderr } of ended) {
    expect(code).toBe(4);
    expect(stderr).toContain('no agent runs here');
  }
});

test.each([
  [['--vni', '0'], 'must be a whole number from 1'],
  [['--vni', '9', '--mac', 'nobody'], 'MAC'],
  [['--vni', '9', '--count', '0'], 'must be a whole number above 0'],
  [['--vni', '9', '--snap', '10'], 'must be a whole number of bytes from 64 to 65549'],
  [[], '--vni'],
])('capture %s is refused before anybody is asked', async (flags, reason) => {
  expect(await agent('capture', ...flags, '--state', state)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(reason),
  });
});

test.each(['0', '17', '1.5', 'two', ''])('run --threads %j is refused, with what would be right', async (threads) => {
  expect(await agent('run', '--threads', threads, '--state', state)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('It must be a whole number from 1 to 16.'),
  });
});

test('one thread forwards on up to three cores, and on more one for every two, up to four', () => {
  expect([1, 2, 3, 4, 6, 8, 64].map(defaultThreads)).toEqual([1, 1, 1, 2, 3, 4, 4]);
});

test('the help names every exit code', async () => {
  const { code, stdout } = await agent('--help');
  expect(code).toBe(0);
  for (const n of [0, 1, 2, 3, 4]) expect(stdout).toMatch(new RegExp(`^ {2}${n} {2}`, 'm'));
});

test('main.ts is that program', () => {
  const main = new URL('../../../agent/main.ts', import.meta.url).pathname;
  const ended = spawnSync(process.execPath, [main, 'status', '--state', state], { encoding: 'utf8' });
  expect(ended).toMatchObject({
    status: 4,
    stdout: '',
    stderr: expect.stringMatching(/^overlane-agent: no agent runs here.*\n$/),
  });
});
