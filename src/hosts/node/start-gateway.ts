/** The gateway on one machine: the same application over node:sqlite, with its own timer and, where wanted, its own TLS. */
import { mkdirSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { D1Database } from '@cloudflare/workers-types';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { createApp } from '../../app.ts';
import type { Config } from '../../config.ts';
import { openDatabase } from '../../db/database.ts';
import { forgetWatching } from '../../db/presence.ts';
import { hostAddress } from '../../domain/client-address.ts';
import type { Gateway, Log } from '../../gateway.ts';
import { HOUSEKEEPING_SECONDS, keepHouse } from '../../housekeeping.ts';
import { assetsIn } from './assets.ts';
import { openSqliteD1, type SqliteD1 } from './d1-on-sqlite.ts';
import { limitsInProcess } from './limits.ts';
import { RequestFigures } from './metrics.ts';
import { addMetrics } from './metrics-route.ts';
import { migrate } from './migrate.ts';
import { Sockets } from './sockets.ts';
import { StartError } from './start-error.ts';

export interface GatewayOptions {
  readonly config: Config;
  /** A folder, made where it is missing, or `:memory:`. */
  readonly data: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM texts; without them the gateway speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly log: Log;
  /** The folder of the dashboard as it was built: the repository's own unless given, null for none. */
  readonly dashboard?: string | null;
  /** Milliseconds since 1970; the machine's clock unless given. */
  readonly now?: () => number;
  /** Wraps the store: for tests that watch queries. */
  readonly watchStore?: (d1: D1Database) => D1Database;
}

export interface RunningGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly app: ReturnType<typeof createApp>;
  /** Answers what was asked, takes nothing new, closes the store. */
  readonly close: () => Promise<void>;
}

/** Requests that are still unanswered so long after the gateway is told to stop are cut. */
const CLOSE_GRACE_MS = 5000;

const DASHBOARD = fileURLToPath(new URL('../../../dist/dashboard', import.meta.url));

/** @throws StartError */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const store = openStore(options.data);
  const { config, log, now = Date.now } = options;
  const db = openDatabase(options.watchStore?.(store.d1) ?? store.d1);
  const limits = limitsInProcess(config.rates);
  const sockets = new Sockets({ db, now, log, limits, graceSeconds: config.offlineGraceSeconds });
  await forgetWatching(db, now()).catch((error: unknown) => log.error({ error }, 'who is online is not known'));
  const requests = new RequestFigures();
  const readAsset = assetsIn(options.dashboard === undefined ? DASHBOARD : options.dashboard);
  const gateway: Gateway = {
    config,
    db,
    now,
    clientAddress: config.trustProxy ? forwardedAddress : socketAddress,
    log,
    hub: sockets,
    observe: (request) => requests.observe(request),
    limits,
    asset: (c, path) => readAsset(path, c.req.raw),
    inBackground: (c, work) => {
      work.catch((error: unknown) =>
        log.error({ requestId: c.get('requestId'), error }, 'work in the background failed'),
      );
    },
  };
  const app = createApp(gateway);
  addMetrics(app, gateway, { requests, sockets: () => sockets.size });
  let server: Server;
  let address: AddressInfo;
  try {
    server = makeServer(app, sockets, options.tls);
    address = await listen(server, options.host, options.port);
  } catch (error) {
    store.close();
    throw error;
  }
  const timer = setInterval(() => {
    keepHouse(gateway).catch((error: unknown) => options.log.error({ error }, 'housekeeping failed'));
  }, HOUSEKEEPING_SECONDS * 1000);
  timer.unref();

  return {
    url: urlOf(address, options.tls !== undefined),
    gateway,
    app,
    close: async () => {
      clearInterval(timer);
      await sockets.stop();
      await stop(server);
      store.close();
    },
  };
}

type Server = ReturnType<typeof createAdaptorServer>;

function openStore(data: string): SqliteD1 {
  try {
    if (data !== ':memory:') mkdirSync(data, { recursive: true, mode: 0o700 });
    const store = openSqliteD1(data === ':memory:' ? data : join(data, 'overlane.sqlite'));
    migrate(store);
    return store;
  } catch (error) {
    throw new StartError(`The data folder ${data} can't be used: ${(error as Error).message}`, { cause: error });
  }
}

function makeServer(app: RunningGateway['app'], sockets: Sockets, tls: GatewayOptions['tls']): Server {
  const common = { fetch: app.fetch, websocket: { server: sockets.server } };
  if (tls === undefined) return createAdaptorServer({ ...common, createServer: createHttpServer });
  try {
    return createAdaptorServer({ ...common, createServer: createHttpsServer, serverOptions: { ...tls } });
  } catch (error) {
    throw new StartError(`The TLS certificate and key can't be used: ${(error as Error).message}`);
  }
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StartError(listenProblem(error, host, port))));
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

function listenProblem(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} of ${host} is in use: set PORT to another, or stop what has it.`;
  if (error.code === 'EACCES') return `Port ${port} may not be used without more rights: set PORT to 1024 or higher.`;
  if (error.code === 'EADDRNOTAVAIL') return `${host} is no address of this machine: set HOST to one that is.`;
  return `Can't listen on ${host} port ${port}: ${error.message}`;
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const cut = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(cut);
}

function urlOf({ address, family, port }: AddressInfo, isTls: boolean): string {
  const anywhere = address === '0.0.0.0' || address === '::';
  const host = anywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${isTls ? 'https' : 'http'}://${host}:${port}`;
}

function socketAddress(c: Context): string | null {
  const { incoming } = c.env as HttpBindings;
  return hostAddress(incoming.socket.remoteAddress ?? '');
}

/** The last entry is the one that the proxy in front wrote: those before it are whatever the client claimed. */
function forwardedAddress(c: Context): string | null {
  const last = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
  return last === undefined ? socketAddress(c) : hostAddress(last);
}
