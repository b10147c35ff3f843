import { readConfig } from '../../src/config.ts';
import { startGateway } from '../../src/hosts/node/start-gateway.ts';
import { keepHouse } from '../../src/housekeeping.ts';
import type { Host } from './host.ts';
import { DASHBOARD, type Settings } from './settings.ts';
import { gatewaySuite } from './suite.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function startOnNode(settings: Settings): Promise<Host> {
  const folder = temporaryFolder();
  const config = readConfig(settings);
  const log = {
    error: (fields: Readonly<Record<string, unknown>>, message: string) => {
      // The suite makes many fail.
      if (!message.includes('identity provider')) console.error(message, fields);
    },
  };
  const running = await startGateway({
    config,
    data: folder.path,
    host: '127.0.0.1',
    port: 0,
    log,
    dashboard: DASHBOARD,
  });
  return {
    url: running.url,
    operatorKey: config.operatorKey,
    holdSeconds: config.vniHoldSeconds,
    keepHouse: () => keepHouse(running.gateway),
    write: async (sql, ...values) => {
      await running.gateway.db.$client
        .prepare(sql)
        .bind(...values)
        .run();
    },
    forget: async () => {},
    close: async () => {
      await running.close();
      folder.remove();
    },
  };
}

gatewaySuite('on Node', startOnNode);
