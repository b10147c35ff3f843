import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { Site } from '../../src/contract/sites.ts';
import type { Sockets } from '../../src/hosts/node/sockets.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';
import { newAgent, newTenant } from './host.ts';
import { testSettings } from './settings.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { watch } from './watcher.ts';

const folder = temporaryFolder();
let nowMs = Date.now();
let running: RunningGateway | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await running?.close();
  folder.remove();
});

async function start(): Promise<{ url: string; operatorKey: string; sockets: Sockets }> {
  running = await startGateway({
    config: readConfig(testSettings),
    data: folder.path,
    host: '127.0.0.1',
    port: 0,
    now: () => nowMs,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  const sockets = running.gateway.hub as Sockets;
  return { url: running.url, operatorKey: testSettings.OVERLANE_OPERATOR_KEY, sockets };
}

test('a process cuts off sockets that fell silent, and a restart takes nobody for online who doesn’t come back', async () => {
  const host = await start();
  const tenant = await newTenant(host);
  const [silent, heard, lost] = [
    await newAgent(host, tenant),
    await newAgent(host, tenant),
    await newAgent(host, tenant),
  ];
  const statusOf = async (id: string) => (await tenant.operator.made<Site>('GET', `${tenant.at}/sites/${id}`)).status;
  const [one, two] = [await watch(host, silent, ''), await watch(host, heard, '')];
  await watch(host, lost, '');
  const noted = running!.gateway.db.$client.prepare('SELECT count(*) AS n FROM site_status WHERE online_until > ?');
  while ((await noted.bind(nowMs + 100_000).first('n')) !== 3) await setTimeout(5);
  nowMs += 50_000;
  await two.untilPong();
  nowMs += 26_000;
  host.sockets.closeSilent();
  expect(await one.closed).toMatchObject({ code: 1006 });
  expect(host.sockets.size).toBe(1);
  await two.untilPong();
  while ((await statusOf(silent.id)) === 'online') {
    nowMs += 100;
    await setTimeout(5);
  }
  expect(await statusOf(heard.id)).toBe('online');

  await running!.close();
  expect(await two.closed).toMatchObject({ code: 1001 });
  const again = await start();
  const operator = tenant.operator;
  const at = (id: string) => `${again.url}${tenant.at}/sites/${id}`;
  const headers = { authorization: `Bearer ${operator.credential}` };
  const statusNow = async (id: string) => ((await (await fetch(at(id), { headers })).json()) as Site).status;
  expect(await statusNow(heard.id)).toBe('online');
  nowMs += 76_000;
  expect(await statusNow(heard.id)).toBe('offline');
});

test('the only site of a tenant that comes back within the grace is told of changes after it as before', async () => {
  nowMs = Date.now();
  const host = await start();
  const tenant = await newTenant(host);
  const agent = await newAgent(host, tenant);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const until = async (isIt: (onlineUntil: number) => boolean) => {
    const onlineUntil = running!.gateway.db.$client.prepare('SELECT online_until FROM site_status');
    for (; !isIt((await onlineUntil.first<number>('online_until')) ?? 0); await setImmediate())
      vi.advanceTimersByTime(1);
  };
  const one = await watch(host, agent, '');
  await until((time) => time > nowMs + 1000_000);
  one.close();
  await one.closed;
  await until((time) => time < nowMs + 1000_000);
  const two = await watch(host, agent, '');
  await until((time) => time > nowMs + 1000_000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(host.sockets.size).toBe(1);
  two.close();
});
