/** Serves the gateway, which is in the lab, on this machine's loopback. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { join } from './probes/relay.ts';

const HOST = '127.0.0.1';

/**
 * Forwards to the Unix socket at `path()`, from `port` or, where that is taken, from any free one.
 * @returns the URL that works here, and what ends it.
 */
export async function forward(path: () => string, port: number): Promise<{ readonly url: string; close(): void }> {
  const server = createServer({ allowHalfOpen: true }, (near) =>
    join(near, connect({ path: path(), allowHalfOpen: true })),
  );
  try {
    await listen(server, port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await listen(server, 0);
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${HOST}:${bound}`, close: () => server.close() };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, HOST);
  await once(server, 'listening');
}
