/** The gateway as a Cloudflare Worker, with D1 as its store. */
import type {
  D1Database,
  DurableObjectNamespace,
  ExecutionContext,
  Fetcher,
  ScheduledController,
} from '@cloudflare/workers-types';
import { createApp } from '../app.ts';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { ERRORS, type Problem } from '../contract/errors.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { hostAddress } from '../domain/client-address.ts';
import { newId } from '../domain/ids.ts';
import type { Gateway, Log } from '../gateway.ts';
import { keepHouse } from '../housekeeping.ts';
import { durableHub } from './worker/hub.ts';
import { limitsOfCloudflare, type RateBindings } from './worker/limits.ts';

export { TenantHub } from './worker/tenant-hub.ts';

interface Env extends RateBindings {
  readonly DB: D1Database;
  readonly HUB: DurableObjectNamespace;
  readonly ASSETS: Fetcher;
  readonly [setting: string]: unknown;
}

interface Running {
  readonly gateway: Gateway;
  readonly app: ReturnType<typeof createApp>;
}

/** Made once: an isolate's bindings stay the same for its life. */
let running: Running | undefined;

export default {
  fetch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
    try {
      running ??= start(env);
    } catch (error) {
      return answerMisconfigured(error);
    }
    return running.app.fetch(request, env, context);
  },

  async scheduled(_controller: ScheduledController, env: Env): Promise<void> {
    running ??= start(env);
    await keepHouse(running.gateway);
  },
};

function start(env: Env): Running {
  const config: Config = readConfig(env);
  const db: Database = openDatabase(env.DB);
  const gateway: Gateway = {
    config,
    db,
    now: Date.now,
    // Set by Cloudflare itself, whatever a client sends.
    clientAddress: (c) => hostAddress(c.req.header('cf-connecting-ip') ?? ''),
    log,
    hub: durableHub(env.HUB),
    limits: limitsOfCloudflare(env),
    asset: (c, path) => readAsset(env.ASSETS, path, c.req.raw),
    inBackground: (c, work) => {
      const logged = work.catch((error: unknown) =>
        log.error({ requestId: c.get('requestId'), error }, 'work in the background failed'),
      );
      c.executionCtx.waitUntil(logged);
    },
  };
  return { gateway, app: createApp(gateway) };
}

async function readAsset(assets: Fetcher, path: string, request: Request): Promise<Response | null> {
  const headers = { 'if-none-match': request.headers.get('if-none-match') ?? '' };
  const file = await assets.fetch(new URL(path, request.url).href, { headers });
  return file.ok || file.status === 304 ? (file as unknown as Response) : null;
}

/** Nothing works without settings, so every request says so; what is missing is for the log alone. */
function answerMisconfigured(error: unknown): Response {
  if (!(error instanceof ConfigError)) throw error;
  const requestId = newId(Date.now());
  log.error({ requestId }, error.message);
  const body: Problem = {
    type: '/docs#internal',
    title: ERRORS.internal.title,
    status: ERRORS.internal.status,
    detail: 'The gateway is not configured: its log says what is missing.',
    code: 'internal',
    requestId,
  };
  const headers = { 'content-type': 'application/problem+json', 'x-request-id': requestId };
  return new Response(JSON.stringify(body), { status: body.status, headers });
}

const log: Log = {
  error(fields, message) {
    const { error } = fields;
    const told = error instanceof Error ? { ...fields, error: describeError(error) } : fields;
    console.error(JSON.stringify({ message, ...told }));
  },
};

function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? ` ← ${describeError(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
