/** The parts of the local API that go on: a stream of bytes over the same Unix socket, until one of the two ends has enough of it. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Failure, reasonOf } from '../../shared/failure.ts';
import { localFailure } from './local-failure.ts';

/**
 * @param query as it came: to be validated.
 * @param signal says that the stream shall come to its end.
 * @throws Failure where there is no such stream.
 */
export type LocalStream = (query: URLSearchParams, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/** Sends the stream as fast as it is read. Resolves when it has ended, or who asked has gone. */
export async function sendStream(
  stream: LocalStream,
  query: URLSearchParams,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let chunks: AsyncIterable<Uint8Array>;
  try {
    chunks = await stream(query, AbortSignal.any([signal, gone.signal]));
  } catch (error) {
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: reasonOf(error) }));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  for await (const chunk of chunks) {
    if (gone.signal.aborted) break;
    if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined);
  }
  response.end();
}

/** @throws Failure where no agent answers there, or it says why not. */
export function openLocalStream(socketPath: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.toArray().then((chunks: Buffer[]) => {
        const said: unknown = parse(Buffer.concat(chunks).toString());
        const reason = typeof said === 'object' && said !== null && 'error' in said ? String(said.error) : undefined;
        reject(new Failure('configuration', reason ?? `the agent answered ${response.statusCode}`));
      }, reject);
    });
    request.on('error', (error) => reject(localFailure(socketPath, error)));
    request.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
