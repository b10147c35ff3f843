/** How the command line finds the gateway, and what it says where that fails. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningGateway } from '../../src/hosts/node/start-gateway.ts';
import { OPERATOR_KEY, overlane, startTestGateway } from './overlane.ts';

const MAIN = new URL('../../cli/main.ts', import.meta.url).pathname;
const fixture = (name: string): string => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname;

let gateway: RunningGateway;
let folder: string;
let file: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const env = { OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: OPERATOR_KEY };
  for (const slug of ['acme', 'other']) {
    await overlane(env, ['tenant', 'create', slug]);
    await overlane(env, ['--tenant', slug, 'network', 'create', `of-${slug}`]);
  }
});
afterAll(() => gateway.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  file = join(folder, 'config.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configure(content: unknown, mode = 0o600): Record<string, string> {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(file, mode);
  return { OVERLANE_CONFIG: file };
}

const profile = (changes: object = {}): object => ({
  gateway: gateway.url,
  key: OPERATOR_KEY,
  tenant: 'acme',
  ...changes,
});

describe('settings', () => {
  test('a profile alone is enough, in the file’s usual place', async () => {
    const env = configure({ profiles: { home: profile() } });
    expect((await overlane(env, ['network', 'list'])).stdout).toContain('of-acme');
  });

  test('flags come before the environment, and that before the file', async () => {
    const env = configure({ profiles: { home: profile({ gateway: 'http://127.0.0.1:1', tenant: 'file' }) } });
    expect((await overlane(env, ['network', 'list'])).code).toBe(4);
    const withEnv = { ...env, OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: OPERATOR_KEY, OVERLANE_TENANT: 'other' };
    expect((await overlane(withEnv, ['network', 'list'])).stdout).toContain('of-other');
    expect((await overlane(withEnv, ['network', 'list', '--tenant', 'acme'])).stdout).toContain('of-acme');
    expect((await overlane(withEnv, ['--key', 'no-such-key', 'network', 'list'])).code).toBe(3);
    expect((await overlane(withEnv, ['--gateway', 'http://127.0.0.1:1', 'network', 'list'])).code).toBe(4);
  });

  test('of several profiles the current one is meant, unless another is named', async () => {
    const profiles = { a: profile(), b: profile({ tenant: 'other' }) };
    const env = configure({ current: 'b', profiles });
    expect((await overlane(env, ['network', 'list'])).stdout).toContain('of-other');
    expect((await overlane(env, ['network', 'list', '--profile', 'a'])).stdout).toContain('of-acme');
    expect((await overlane({ ...env, OVERLANE_PROFILE: 'a' }, ['network', 'list'])).stdout).toContain('of-acme');
    expect(await overlane(env, ['network', 'list', '--profile', 'c'])).toMatchObject({
      code: 2,
      stderr: `overlane: there is no profile "c" in ${file}, only: a, b\n`,
    });
  });

  test('a profile’s key goes to that profile’s gateway alone', async () => {
    const seen: (string | undefined)[] = [];
    const stranger = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    });
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    const ended = await overlane(configure({ profiles: { home: profile() } }), ['--gateway', url, 'tenant', 'list']);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('no key is given') });
    expect(seen).toEqual([]);
    stranger.close();
  });

  test.each([
    ['others may read', 0o644, { profiles: {} }, /holds keys, and others than you may read or change it: chmod 600$/],
    ['is not JSON', 0o600, '{"profiles": {"a": {"key": "hush', /config\.json is not JSON$/],
    ['has a field that is unknown', 0o600, { profile: {} }, /profile: is not a field that is known here/],
    ['lacks the gateway', 0o600, { profiles: { a: { key: 'k' } } }, /profiles\.a\.gateway: is missing$/],
  ])('a file that %s is refused in one line that says so', async (_what, mode, content, message) => {
    const { code, stderr } = await overlane(configure(content, mode), ['network', 'list']);
    expect(code).toBe(2);
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd()).not.toMatch(/\n|hush/);
  });

  test.each([
    ['no gateway', {}, /^overlane: no gateway is named: give --gateway URL, OVERLANE_GATEWAY, or /],
    ['no key', { OVERLANE_GATEWAY: 'https://gateway.example.net' }, /^overlane: no key is given: set OVERLANE_KEY/],
    ['an address that is none', { OVERLANE_GATEWAY: 'gateway' }, /^overlane: OVERLANE_GATEWAY must be an address such/],
    ['plain http to elsewhere', { OVERLANE_GATEWAY: 'http://192.0.2.1' }, /^overlane: OVERLANE_GATEWAY .* plain http/],
    ['a key with a line end', { OVERLANE_GATEWAY: 'http://[::1]', OVERLANE_KEY: 'a\nb' }, /OVERLANE_KEY must be a key/],
    [
      'a CA that is not there',
      { OVERLANE_GATEWAY: 'http://[::1]', OVERLANE_CA: '/none' },
      /OVERLANE_CA \/none can't be/,
    ],
    [
      'a tenant that can be none',
      { OVERLANE_GATEWAY: 'http://[::1]', OVERLANE_TENANT: '..' },
      /OVERLANE_TENANT must be/,
    ],
  ])('%s is said before anything is sent', async (what, env, message) => {
    const { code, stderr } = await overlane({ ...(what === 'no key' ? {} : { OVERLANE_KEY: 'k' }), ...env }, ['usage']);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('a command of a tenant says where the tenant can be named', async () => {
    const env = { OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: OPERATOR_KEY };
    expect(await overlane(env, ['network', 'list'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'overlane: no tenant is named: give --tenant SLUG, or set OVERLANE_TENANT\n',
    });
    expect((await overlane(env, ['tenant', 'list'])).code).toBe(0);
  });

  test('a CA of one’s own makes a gateway’s certificate good, and goes into the command that joins', async () => {
    const cert = readFileSync(fixture('server.pem'), 'utf8');
    const secure = await startTestGateway({ cert, key: readFileSync(fixture('server.key'), 'utf8') });
    const env = { OVERLANE_GATEWAY: secure.url, OVERLANE_KEY: OPERATOR_KEY, OVERLANE_TENANT: 'acme' };
    expect(await overlane(env, ['tenant', 'list'])).toMatchObject({ code: 4, stderr: expect.stringContaining('--ca') });
    const ca = fixture('ca.pem');
    expect((await overlane(env, ['--ca', ca, 'tenant', 'create', 'acme'])).code).toBe(0);
    expect((await overlane(env, ['--ca', ca, 'token', 'create'])).stdout).toContain(`--ca ${ca}`);
    await secure.close();
  });
});

describe('answers that are none', () => {
  test('nobody there is exit code 4, in one line', async () => {
    const env = { OVERLANE_GATEWAY: 'http://127.0.0.1:1', OVERLANE_KEY: 'k' };
    const { code, stderr } = await overlane(env, ['tenant', 'list']);
    expect(code).toBe(4);
    expect(stderr).toMatch(/^overlane: no answer from http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/);
  });

  test.each([
    [200, 'text/html', '<h1>Welcome</h1>', /answered 200 with a body that is not JSON/],
    [200, 'application/json', '{"items": [{"slug": 1}], "nextCursor": null}', /malformed body: items\.0\./],
    [503, 'text/html', 'Bad gateway', /answered 503 with text\/html, which is not a gateway's answer/],
  ])('%i with %s that is no gateway’s is exit code 4', async (status, type, body, message) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const env = {
      OVERLANE_GATEWAY: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OVERLANE_KEY: 'k',
    };
    const { code, stderr } = await overlane(env, ['tenant', 'list']);
    expect(code).toBe(4);
    expect(stderr).toMatch(message);
    server.close();
  });
});

describe('what can’t be taken back', () => {
  const env = (): Record<string, string> => ({
    OVERLANE_GATEWAY: gateway.url,
    OVERLANE_KEY: OPERATOR_KEY,
    OVERLANE_TENANT: 'acme',
  });

  test('is asked for at a terminal; only yes does it', async () => {
    await overlane(env(), ['network', 'create', 'doomed']);
    const questions: string[] = [];
    const answer = (text: string) => (question: string) => {
      questions.push(question);
      return text;
    };
    const no = await overlane(env(), ['network', 'delete', 'doomed'], answer(''));
    expect(no).toEqual({ code: 1, stdout: '', stderr: 'overlane: not done\n' });
    expect(questions).toEqual(['Delete network doomed? Every site stops carrying it. [y/N] ']);
    expect((await overlane(env(), ['network', 'show', 'doomed'])).code).toBe(0);
    expect((await overlane(env(), ['network', 'delete', 'doomed'], answer('y'))).code).toBe(0);
  });

  test('is not asked for with --yes', async () => {
    await overlane(env(), ['network', 'create', 'doomed']);
    const ask = (): string => {
      throw new Error('asked');
    };
    expect((await overlane(env(), ['network', 'delete', 'doomed', '--yes'], ask)).code).toBe(0);
  });
});

describe('the command line itself', () => {
  test.each([
    [['frob'], "unknown command 'frob'"],
    [['network', 'frob'], "unknown command 'frob'"],
    [['network', 'create'], "missing required argument 'name'"],
    [['network', 'create', 'a', '--vni', '0'], '--vni <vni>'],
    [['network', 'create', 'a', '--vni', '1e3'], 'It must be a whole number from 1 to 16777215.'],
    [['network', 'show', '..'], "for argument 'network'"],
    [['token', 'create', '--network', 'blue=tap:x'], 'It must be host:NAME, bridge:NAME, vlan:INTERFACE.VID or none.'],
    [['token', 'create', '--network', 'blue=vlan:eth0.4095'], 'It must be a VLAN id'],
    [['token', 'create', '--expires-in', 'soon'], 'It must be a time such as 90s, 30m, 24h or 7d.'],
    [['site', 'edit', 's', '--label', 'x'], 'It must be NAME=VALUE.'],
    [['event', 'list', '--since', 'yesterday'], 'must be the id of an event, or an RFC 3339 time'],
  ])('%j is a usage error in one line', async (args, message) => {
    const { code, stderr } = await overlane({}, args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('the help names every command and every exit code', async () => {
    const { code, stdout } = await overlane({}, ['--help']);
    expect(code).toBe(0);
    for (const n of [0, 1, 2, 3, 4, 5, 6]) expect(stdout).toMatch(new RegExp(`^ {2}${n} {2}`, 'm'));
    for (const name of ['tenant', 'pool', 'key', 'network', 'mac', 'site', 'token', 'event', 'usage']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      expect((await overlane({}, [name, '--help'])).code).toBe(0);
    }
  });

  test('main.ts is that program', () => {
    const env = { ...process.env, OVERLANE_CONFIG: file };
    const ended = spawnSync(process.execPath, [MAIN, 'usage'], { encoding: 'utf8', env });
    expect(ended).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^overlane: no gateway.*\n$/) });
  });

  test('a reader that stops reading is no error', async () => {
    const env = { ...process.env, OVERLANE_GATEWAY: gateway.url, OVERLANE_KEY: OPERATOR_KEY, OVERLANE_CONFIG: file };
    const child = spawn(process.execPath, [MAIN, 'tenant', 'list'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});
