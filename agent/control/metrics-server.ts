/** `GET /metrics` for the host's Prometheus. There is nothing to change and no secret in it, so it asks nobody who they are. */
import { createServer } from 'node:http';
import * as v from 'valibot';
import { Failure, reasonOf } from '../../shared/failure.ts';

const MESSAGE = 'must be HOST:PORT, such as 127.0.0.1:9469 or [::1]:9469';

/** `HOST:PORT`, IPv6 in brackets. */
export const MetricsAddressSchema = v.pipe(
  v.string(MESSAGE),
  v.regex(/^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):\d{1,5}$/, MESSAGE),
  v.transform((text) => {
    const at = text.lastIndexOf(':');
    return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
  }),
  v.check(({ port }) => port <= 65_535, MESSAGE),
);
export type MetricsAddress = v.InferOutput<typeof MetricsAddressSchema>;

/** @throws Failure where the address can't be had. */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  text: () => string,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('there is GET /metrics\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text());
  });
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    throw new Failure('failed', `--metrics ${host}:${port} can't be served (${reasonOf(error)})`, error);
  }
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
