import { expect, test } from 'vitest';
import { openServiceManager, type ServiceManager } from '../../../agent/cli/service-manager.ts';
import { statusLine } from '../../../agent/cli/status-line.ts';
import type { AgentStatus, NetworkStatus } from '../../../agent/control/status.ts';

interface Trial {
  readonly manager: ServiceManager;
  /** What was said, one entry a datagram. */
  readonly said: string[];
  /** The waits that were asked for, in ms. */
  readonly waits: number[];
  /** Lets the wait end, and what it starts. */
  tick(): Promise<void>;
}

function start(env: Record<string, string>, alive: () => Promise<unknown> = async () => undefined): Trial {
  const said: string[] = [];
  const waits: number[] = [];
  let act = (): void => {};
  const manager = openServiceManager({
    env: { NOTIFY_SOCKET: '/run/notify', ...env },
    pid: 42,
    send: (path, text) => void said.push(`${path} ${text}`),
    after: (ms, then) => {
      waits.push(ms);
      act = then;
      return () => {
        act = () => {};
      };
    },
    alive,
    status: () => 'in step',
  });
  const tick = async (): Promise<void> => {
    act();
    await new Promise(setImmediate);
  };
  return { manager, said, waits, tick };
}

test('the manager is told that the agent is ready, how it stands, and that it stops', async () => {
  const { manager, said, tick } = start({});
  expect(said).toEqual([]);
  manager.ready();
  await tick();
  manager.stopping();
  await tick();
  expect(said).toEqual([
    '/run/notify READY=1\nSTATUS=in step',
    '/run/notify STATUS=in step',
    '/run/notify STOPPING=1\nSTATUS=stopping',
  ]);
});

test('the watchdog is answered twice within its time, each time after the data path answered', async () => {
  const asked: (() => void)[] = [];
  const trial = start({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '42' }, () => new Promise<void>((r) => asked.push(r)));
  trial.manager.ready();
  await trial.tick();
  expect(trial.waits).toEqual([1500]);
  expect(trial.said).toHaveLength(1);
  asked[0]!();
  await trial.tick();
  expect(trial.said.at(-1)).toBe('/run/notify STATUS=in step\nWATCHDOG=1');
  expect(trial.waits).toEqual([1500, 1500]);
});

test('a data path that fails to answer leaves the watchdog without an answer', async () => {
  const trial = start({ WATCHDOG_USEC: '3000000' }, () => Promise.reject(new Error('dead')));
  trial.manager.ready();
  await trial.tick();
  expect(trial.said.at(-1)).toBe('/run/notify STATUS=in step');
});

test('a watchdog for another process is not answered, and a manager that did not ask is told nothing', async () => {
  const other = start({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '41' });
  other.manager.ready();
  await other.tick();
  expect(other.said.join()).not.toContain('WATCHDOG');
  for (const path of ['', 'vsock:2:1234']) {
    const none = start({ NOTIFY_SOCKET: path });
    none.manager.ready();
    await none.tick();
    none.manager.stopping();
    expect(none.said).toEqual([]);
  }
});

const NETWORK: NetworkStatus = {
  vni: 9,
  name: 'blue',
  transport: 'plain',
  port: { type: 'host', name: 'blue0' },
  mtu: 1450,
  peers: 3,
  macs: 0,
  revision: 1,
  digest: '000000000000',
  inStep: true,
};
const STATUS: AgentStatus = {
  version: '0.1.0',
  startedAt: '2026-01-01T00:00:00.000Z',
  datapath: 'userspace',
  vtep: { address: '192.0.2.1', port: 4789 },
  inStep: true,
  table: null,
  networks: [NETWORK],
};

test('the line says how many networks are carried, and what is wrong', () => {
  expect(statusLine(STATUS)).toBe('in step: 1 of 1 networks carried, 3 peers');
  const since = '2026-01-01T00:00:00.000Z';
  const gateway = { url: 'https://g', state: 'unreachable', since, error: 'ECONNREFUSED\nmore' } as const;
  const lost = { ...NETWORK, inStep: false, error: 'no bridge br0' };
  expect(statusLine({ ...STATUS, inStep: false, gateway, networks: [lost] })).toBe(
    'not in step: 0 of 1 networks carried, 3 peers; gateway unreachable: ECONNREFUSED; blue: no bridge br0',
  );
});
