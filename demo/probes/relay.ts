/** A Unix socket in front of a TCP address: namespaces have their own TCP ports, but share the file system. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { RelayRequest } from './protocol.ts';

/** Serves until `signal`. */
export async function relay(request: RelayRequest, onListening: () => void, signal: AbortSignal): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    join(near, connect({ host: request.to, port: request.port, allowHalfOpen: true }));
  });
  server.listen(request.path);
  await once(server, 'listening', { signal });
  onListening();
  await once(signal, 'abort');
  server.close();
}

/** Makes one stream of two; where one breaks, so does the other. */
export function join(near: Socket, far: Socket): void {
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
  near.on('close', () => far.destroy());
  far.on('close', () => near.destroy());
}
