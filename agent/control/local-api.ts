/** What an agent tells the tools on its own host, over HTTP on a Unix socket that only its user can open. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Failure, reasonOf } from '../../shared/failure.ts';
import type { NetworkFdb, PeerCounters } from '../datapath/datapath.ts';
import { localFailure } from './local-failure.ts';
import { type LocalStream, sendStream } from './local-stream.ts';
import type { AgentStatus } from './status.ts';

/** The answers, by path. */
export interface LocalApi {
  readonly '/status': AgentStatus;
  readonly '/fdb': { readonly networks: readonly NetworkFdb[] };
  readonly '/counters': LocalCounters;
  /** Asked by POST: it changes something. */
  readonly '/rotate-key': { readonly publicKey: string };
  readonly '/rotate-wireguard-key': { readonly publicKey: string };
}

export interface LocalCounters {
  /** What can't be put down to a network. */
  readonly agent: Readonly<Record<string, number>>;
  readonly networks: readonly {
    readonly vni: number;
    readonly counters: Readonly<Record<string, number>>;
    readonly peers: readonly PeerCounters[];
  }[];
}

export type LocalHandlers = { readonly [Path in keyof LocalApi]: () => Promise<LocalApi[Path]> };

function methodOf(path: string): 'GET' | 'POST' {
  return path.startsWith('/rotate-') ? 'POST' : 'GET';
}

const LAST_WORDS_MS = 1000;

export interface LocalServer {
  close(): Promise<void>;
}

/**
 * Serves at `socketPath`. A socket that is there is one that a killed agent left: the caller holds the folder's lock.
 * @throws Failure where the socket can't be made.
 */
export async function serveLocalApi(
  socketPath: string,
  handlers: LocalHandlers,
  streams: Readonly<Record<string, LocalStream>> = {},
): Promise<LocalServer> {
  const ending = new AbortController();
  const running = new Set<Promise<void>>();
  const server = createServer(async (request, response) => {
    const url = URL.parse(request.url ?? '', 'http://agent');
    const path = url?.pathname ?? '';
    const handler = Object.entries(handlers).find(([of]) => of === path)?.[1];
    const stream = Object.entries(streams).find(([of]) => of === path)?.[1];
    const respond = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (handler === undefined && stream === undefined) {
      return respond(404, { error: `there are ${[...Object.keys(handlers), ...Object.keys(streams)].join(', ')}` });
    }
    const method = methodOf(path);
    if (request.method !== method) return respond(405, { error: `only ${method}` });
    if (handler === undefined) {
      const sending = sendStream(stream!, url!.searchParams, response, ending.signal).catch(
        () => void response.destroy(),
      );
      running.add(sending);
      return void sending.then(() => running.delete(sending));
    }
    try {
      respond(200, await handler());
    } catch (error) {
      respond(500, { error: reasonOf(error) });
    }
  });
  try {
    await rm(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
    await chmod(socketPath, 0o600);
  } catch (error) {
    throw new Failure('failed', `the agent's socket ${socketPath} can't be made (${reasonOf(error)})`, error);
  }
  return {
    close: async () => {
      // Streams come to their end in order, so that who reads one knows it from an agent that died. Who does not read is not waited for.
      ending.abort();
      await Promise.race([Promise.all(running), setTimeout(LAST_WORDS_MS, undefined, { ref: false })]);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** @throws Failure where no agent answers there. */
export function askLocalApi<Path extends keyof LocalApi>(socketPath: string, path: Path): Promise<LocalApi[Path]> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path, method: methodOf(path), timeout: 10_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(new Error(`it answered ${response.statusCode}: ${text}`));
        try {
          // Its shape is trusted: the socket is our own user's, and the agent behind it is this program.
          resolve(JSON.parse(text) as LocalApi[Path]);
        } catch (error) {
          fail(error);
        }
      });
    });
    const fail = (error: unknown): void => reject(localFailure(socketPath, error));
    request.on('timeout', () => request.destroy(new Error('nothing within 10 s')));
    request.on('error', fail);
    request.end();
  });
}
