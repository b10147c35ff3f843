import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../agent/cli/program.ts';
import { type ClientOptions, createGatewayClient, rotateKey } from '../../agent/control/client.ts';
import { createGatewayClock } from '../../agent/control/clock.ts';
import { KeyRing } from '../../agent/control/key-ring.ts';
import { readMembership, writeMembership } from '../../agent/control/state-folder.ts';
import { createTransport, type Transport } from '../../shared/transport.ts';
import { readConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';

const OPERATOR_KEY = 'mesh-operator-key-of-more-than-32-characters';

let gateway: RunningGateway;
let folder: string;
let site: string;
const transports: Transport[] = [];

beforeAll(async () => {
  gateway = await startGateway({
    config: readConfig({ OVERLANE_OPERATOR_KEY: OPERATOR_KEY }),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  await call('POST', '/v1/tenants', { slug: 'acme', name: 'Acme' });
});
afterAll(() => gateway.close());

let joined = 0;
beforeEach(async () => {
  joined += 1;
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  const { token } = await call<{ token: string }>('POST', '/v1/tenants/acme/join-tokens', {});
  const flags = ['--gateway', gateway.url, '--token', token, '--state', folder, '--name', `s${joined}`];
  expect(await agent('join', ...flags, '--vtep-address', `192.0.2.${joined}`)).toMatchObject({ code: 0 });
  ({ site } = await readMembership(folder));
});
afterEach(() => {
  for (const transport of transports.splice(0)) transport.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

async function agent(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const code = await runProgram(args, {
    out: (text) => {
      said.stdout += text;
    },
    error: (text) => {
      said.stderr += text;
    },
  });
  return { code, ...said };
}

/** How the gateway is reached: as it is, or so that a request gets there and its answer doesn't get back. */
type Way = 'whole' | 'answers lost' | 'cut';

/** An agent that starts on the folder, as after a crash. */
async function started(way: { now: Way } = { now: 'whole' }, clockOffMs = 0) {
  const keys = await KeyRing.open(folder);
  const whole = createTransport({ origin: gateway.url });
  transports.push(whole);
  const transport: Transport = {
    ...whole,
    request: async (request) => {
      if (way.now === 'cut') throw new Error('cut');
      const response = await whole.request(request);
      if (way.now === 'answers lost') throw new Error('lost');
      return response;
    },
  };
  const machineNow = (): number => Date.now() + clockOffMs;
  const options: ClientOptions = {
    transport,
    clock: createGatewayClock(machineNow),
    machineNow,
    origin: gateway.url,
    get privateKey() {
      return keys.current.privateKey;
    },
    get nextKey() {
      return keys.next;
    },
  };
  return { keys, options, client: createGatewayClient(options, site) };
}

async function keyAtGateway(): Promise<string> {
  type Kept = { publicKey: string };
  const [row] = (
    await gateway.gateway.db.$client
      .prepare('SELECT public_key AS publicKey FROM sites WHERE id = ?')
      .bind(site)
      .all<Kept>()
  ).results;
  return row!.publicKey;
}

const next = () => join(folder, 'key.next.pem');

test('rotate-key gives the site another key, in one file that only its user reads, and the old one is refused', async () => {
  const old = await started();
  const { code, stdout, stderr } = await agent('rotate-key', '--state', folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const now = await started();
  expect(now.keys.current.publicKey).not.toBe(old.keys.current.publicKey);
  expect(stdout).toContain(now.keys.current.publicKey);
  expect(await keyAtGateway()).toBe(now.keys.current.publicKey);
  expect(existsSync(next())).toBe(false);
  expect(statSync(join(folder, 'key.pem')).mode & 0o777).toBe(0o600);
  expect((await now.client.pull(null)).kind).toBe('updated');
  expect(await old.client.pull(null)).toMatchObject({ kind: 'refused', code: 'unauthenticated' });
});

test('an agent that crashed before the gateway heard of its new key goes on by the old one, and ends the rotation when asked', async () => {
  const way: { now: Way } = { now: 'cut' };
  const before = await started(way);
  const prepared = await before.keys.prepare();
  expect((await rotateKey(before.options, site, prepared)).kind).toBe('unavailable');

  const after = await started();
  expect((await after.client.pull(null)).kind).toBe('updated');
  expect(await keyAtGateway()).toBe(before.keys.current.publicKey);
  expect(existsSync(next())).toBe(true);
  expect((await agent('rotate-key', '--state', folder)).code).toBe(0);
  expect(await keyAtGateway()).toBe(prepared.publicKey);
  expect(existsSync(next())).toBe(false);
});

test('an agent that crashed after the gateway took its new key, and before it heard so, finds out by itself', async () => {
  const way: { now: Way } = { now: 'answers lost' };
  const before = await started(way);
  const prepared = await before.keys.prepare();
  expect((await rotateKey(before.options, site, prepared)).kind).toBe('unavailable');
  expect(await keyAtGateway()).toBe(prepared.publicKey);

  const after = await started();
  expect(after.keys.current.publicKey).toBe(before.keys.current.publicKey);
  expect((await after.client.pull(null)).kind).toBe('updated');
  expect(after.keys.current.publicKey).toBe(prepared.publicKey);
  expect(existsSync(next())).toBe(false);
  expect((await (await started()).client.pull(null)).kind).toBe('updated');
});

test('the agent that lost the answer but did not crash finds out too, and rotates again to a new key', async () => {
  const way: { now: Way } = { now: 'answers lost' };
  const running = await started(way);
  const first = await running.keys.prepare();
  await rotateKey(running.options, site, first);
  way.now = 'whole';
  expect((await rotateKey(running.options, site, await running.keys.prepare())).kind).toBe('rotated');
  expect(running.keys.current.publicKey).toBe(first.publicKey);
  expect((await rotateKey(running.options, site, await running.keys.prepare())).kind).toBe('rotated');
  expect(running.keys.current.publicKey).not.toBe(first.publicKey);
  expect((await running.client.pull(null)).kind).toBe('updated');
});

test('a site that is refused for another reason keeps both keys', async () => {
  const { keys, client } = await started();
  await keys.prepare();
  await gateway.gateway.db.$client.prepare("UPDATE sites SET public_key = 'another' WHERE id = ?").bind(site).run();
  expect(await client.pull(null)).toMatchObject({ kind: 'refused', code: 'unauthenticated' });
  for (const name of ['key.pem', 'key.next.pem']) expect(existsSync(join(folder, name))).toBe(true);
});

test('a machine whose clock is an hour off rotates its key all the same', async () => {
  const { keys, options } = await started({ now: 'whole' }, -3600_000);
  expect((await rotateKey(options, site, await keys.prepare())).kind).toBe('rotated');
  expect(await keyAtGateway()).toBe(keys.current.publicKey);
});

test('rotate-key with nobody at the gateway says so with exit code 4, and the old key works on', async () => {
  const nowhere = 'http://127.0.0.1:1';
  await writeMembership(folder, { ...(await readMembership(folder)), gateway: nowhere });
  const { code, stderr } = await agent('rotate-key', '--state', folder);
  expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining(`no answer from ${nowhere}`) });
  expect(existsSync(join(folder, 'key.pem'))).toBe(true);
});
