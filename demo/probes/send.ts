/** Hand-made datagrams. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SendRequest } from './protocol.ts';

/** Sends them in order, each as it is. @throws what the kernel said of the first that it refused. */
export async function send(request: SendRequest): Promise<{ sent: number }> {
  const socket = createSocket({ type: request.to.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
  try {
    socket.bind({
      port: request.fromPort ?? 0,
      exclusive: true,
      ...(request.from === undefined ? {} : { address: request.from }),
    });
    await once(socket, 'listening');
    socket.setBroadcast(true);
    for (const payload of request.payloads) {
      await new Promise<void>((resolve, reject) => {
        socket.send(Buffer.from(payload, 'hex'), request.port, request.to, (error) =>
          error === null ? resolve() : reject(error),
        );
      });
    }
  } finally {
    socket.close();
  }
  return { sent: request.payloads.length };
}
