import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAgentProcess } from '../../../agent/cli/agent-process.ts';
import { formatCounters } from '../../../agent/cli/format-counters.ts';
import { formatFdb } from '../../../agent/cli/format-fdb.ts';
import { formatStatus } from '../../../agent/cli/format-status.ts';
import { askLocalApi } from '../../../agent/control/local-api.ts';
import { InMemoryDatapath } from '../../../agent/datapath/in-memory.ts';
import { controlBy } from './agent-control.ts';
import { macRow, network, snapshot, vtep } from './tables.ts';

let folder: string;
let socketPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-test-'));
  socketPath = join(folder, 'agent.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Agent {
  readonly datapath: InMemoryDatapath;
  readonly lines: string[];
  readonly hangups: { count: number };
  readonly exit: Promise<number>;
  readonly running: Promise<void>;
}

function startAgent(): Agent {
  const datapath = new InMemoryDatapath();
  const lines: string[] = [];
  const hangups = { count: 0 };
  let exit: Promise<number> | undefined;
  const running = new Promise<void>((resolve, reject) => {
    const log = (_level: string, message: string): void => {
      lines.push(message);
      if (message === 'running') resolve();
    };
    exit = runAgentProcess({
      folder,
      log,
      openDatapath: async () => datapath,
      control: () => ({
        ...controlBy(snapshot('c1', [network(9, { vteps: [vtep(2)], macs: [macRow(1, 'site-2')] })]), datapath, log),
        hangup: () => void hangups.count++,
        rotateKey: async () => 'the-new-public-key',
      }),
    });
    exit.catch(reject);
  });
  return { datapath, lines, hangups, exit: exit!, running };
}

test('a signal stops the agent in order: exit code 0, data path stopped, socket gone, lock free', async () => {
  const agent = startAgent();
  await agent.running;
  process.emit('SIGHUP');
  expect(agent.hangups.count).toBe(1);
  process.emit('SIGTERM');
  expect(await agent.exit).toBe(0);
  expect(agent.datapath.stopped).toBe(true);
  expect(existsSync(socketPath)).toBe(false);
  const next = startAgent();
  await next.running;
  process.emit('SIGINT');
  expect(await next.exit).toBe(0);
  expect(process.listenerCount('SIGTERM')).toBe(0);
});

test('a running agent rotates its key when asked through its socket', async () => {
  const agent = startAgent();
  await agent.running;
  expect(await askLocalApi(socketPath, '/rotate-key')).toEqual({ publicKey: 'the-new-public-key' });
  process.emit('SIGTERM');
  await agent.exit;
});

test('a second agent on the same state folder is refused, and the first is not disturbed', async () => {
  const first = startAgent();
  await first.running;
  await expect(startAgent().running).rejects.toThrow(`another agent runs on the state folder ${folder}`);
  expect((await askLocalApi(socketPath, '/status')).inStep).toBe(true);
  process.emit('SIGTERM');
  expect(await first.exit).toBe(0);
});

test('a data path that dies ends the agent with exit code 1', async () => {
  const agent = startAgent();
  await agent.running;
  agent.datapath.die(new Error('the thread ended'));
  expect(await agent.exit).toBe(1);
  expect(agent.lines).toContain('the data path died: the thread ended');
  expect(existsSync(socketPath)).toBe(false);
});

test('a socket that a killed agent left is replaced, and only its user can open the new one', async () => {
  // Killed between binding and closing: the name stays.
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', script, socketPath]).signal).toBe('SIGKILL');
  expect(existsSync(socketPath)).toBe(true);
  const agent = startAgent();
  await agent.running;
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  process.emit('SIGTERM');
  await agent.exit;
});

test('the agent answers what it forwards by and what it counted, as data and as text', async () => {
  const agent = startAgent();
  await agent.running;
  const status = await askLocalApi(socketPath, '/status');
  expect(formatStatus(status, Date.parse('2026-01-01T03:00:00Z')).split('\n')).toEqual([
    'in step  yes',
    'vtep     [2001:db8::1]:4789, userspace datapath',
    expect.stringMatching(/^table {4}changed \d+ s ago$/),
    'agent    version 1.0.0, started 3 h ago',
    '',
    'VNI  NAME   PORT       MTU   PEERS  MACS  REVISION  STATE',
    '9    lan-9  host tap9  1450  1      1     1         carried',
  ]);
  expect(formatFdb((await askLocalApi(socketPath, '/fdb')).networks).split('\n')).toEqual([
    'VNI  NAME   MAC                TO             ORIGIN    AGE',
    '9    lan-9  02:00:00:00:00:01  10.0.0.2:4789  registry',
    '9    lan-9  flood              10.0.0.2:4789  registry',
  ]);
  expect(await askLocalApi(socketPath, '/counters')).toEqual({
    agent: {},
    networks: [{ vni: 9, counters: {}, peers: [] }],
  });
  process.emit('SIGTERM');
  await agent.exit;
});

test('where no agent runs, the one who asks is told so', async () => {
  await expect(askLocalApi(socketPath, '/status')).rejects.toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('no agent runs'),
  });
  writeFileSync(socketPath, '');
  await expect(askLocalApi(socketPath, '/status')).rejects.toMatchObject({ kind: 'unreachable' });
});

test('an answer that is none is not taken for one', async () => {
  for (const answer of ['nonsense', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{"ver']) {
    const server = createServer((socket) => void socket.resume().end(answer));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    await expect(askLocalApi(socketPath, '/status')).rejects.toMatchObject({ kind: 'unreachable' });
    await new Promise((resolve) => server.close(resolve));
  }
});

test('counters are shown by network, those that counted nothing are left out, and by peer', () => {
  const peer = {
    address: '192.0.2.2',
    port: 4789,
    counters: { rxFrames: 7, rxBytes: 420, dropTooBig: 2, dropUnreachable: 1 },
  };
  const networks = [{ vni: 9, counters: { vtepRxFrames: 7, dropTooBig: 0 }, peers: [peer] }];
  expect(formatCounters({ agent: { dropUnknownVni: 2 }, networks }).split('\n')).toEqual([
    'VNI  COUNTER         TOTAL',
    '-    dropUnknownVni  2',
    '9    vtepRxFrames    7',
    '',
    'VNI  PEER            RX FRAMES  RX BYTES  TX FRAMES  TX BYTES  TX DROPPED',
    '9    192.0.2.2:4789  7          420       0          0         3',
  ]);
  expect(formatCounters({ agent: {}, networks: [] })).toBe('nothing was counted yet');
});
