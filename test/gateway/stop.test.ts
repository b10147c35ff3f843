import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { readConfig } from '../../src/config.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { newAgent, newTenant, type TestAgent } from './host.ts';
import { testSettings } from './settings.ts';

test('a gateway that stops waits for no agent that comes back while others are being sent away', async () => {
  const running = await startGateway({
    config: readConfig(testSettings),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
  });
  const host = {
    url: running.url,
    operatorKey: testSettings.OVERLANE_OPERATOR_KEY,
    holdSeconds: 3,
    keepHouse: async () => {},
    write: async () => {},
    forget: async () => {},
    close: running.close,
  };
  const connect = async (agent: TestAgent): Promise<WebSocket> => {
    const authorization = `Bearer ${(await agent.caller()).credential}`;
    const socket = new WebSocket(`${running.url.replace('http', 'ws')}/v1/agent/watch`, { headers: { authorization } });
    await once(socket, 'open');
    return socket;
  };
  const tenant = await newTenant(host);
  const [deaf, quick] = [await newAgent(host, tenant), await newAgent(host, tenant)];
  // It answers no close, so that the gateway must wait before it cuts.
  (await connect(deaf)).pause();
  const first = await connect(quick);
  const sentAway = once(first, 'close');
  const stopped = running.close();
  expect((await sentAway)[0]).toBe(1001);
  const again = await connect(quick);
  expect((await once(again, 'close'))[0]).toBe(1001);
  await stopped;
});
