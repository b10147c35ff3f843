/** A TCP transfer that proves itself: the receiver answers with the SHA-256 of what came. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { ReceiveRequest, ReceiveResult, TransferRequest, TransferResult } from './protocol.ts';

const BLOCK = 64 * 1024;

/** Takes one connection. `onListening` gets the port; `signal` gives up. */
export async function receive(
  request: ReceiveRequest,
  onListening: (port: number) => void,
  signal: AbortSignal,
): Promise<ReceiveResult> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(request.port, request.address);
  try {
    await once(server, 'listening', { signal });
    const bound = server.address();
    onListening(typeof bound === 'object' && bound !== null ? bound.port : request.port);
    const [socket] = await once(server, 'connection', { signal });
    const stop = (): void => socket.destroy();
    signal.addEventListener('abort', stop);
    const hash = createHash('sha256');
    let bytes = 0;
    // The writing half must outlive the reading one.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    socket.end(hash.digest('hex'));
    return { bytes };
  } finally {
    server.close();
  }
}

/**
 * Sends `bytes` bytes and waits for the receiver's digest.
 * @throws Error where it isn't the digest of what was sent, or the time is over.
 */
export async function transfer(request: TransferRequest, signal: AbortSignal): Promise<TransferResult> {
  const startedAt = performance.now();
  const socket = connect({
    host: request.to,
    port: request.port,
    allowHalfOpen: true,
    ...(request.from === undefined ? {} : { localAddress: request.from }),
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(request.timeoutMs)]);
  let left = request.bytes;
  limit.addEventListener('abort', () =>
    socket.destroy(new Error(`gave up after ${request.timeoutMs} ms with ${left} bytes not yet handed to TCP`)),
  );
  const hash = createHash('sha256');
  const answer = readAll(socket);
  // Its failure is the socket's, which the writing below meets first.
  answer.catch(() => undefined);
  await once(socket, 'connect');
  for (let index = 0; left > 0; index++) {
    const block = patternBlock(index, Math.min(BLOCK, left));
    hash.update(block);
    left -= block.length;
    if (!socket.write(block)) await once(socket, 'drain');
  }
  socket.end();
  const theirs = await answer;
  const ours = hash.digest('hex');
  if (theirs !== ours)
    throw new Error(`sent bytes with SHA-256 ${ours}, the other end received ${theirs || 'nothing'}`);
  const seconds = (performance.now() - startedAt) / 1000;
  return { bytes: request.bytes, seconds, mbitPerSecond: (request.bytes * 8) / 1e6 / seconds };
}

const noise = createNoise(BLOCK);

/** Blocks that differ from each other, so that one lost, doubled or out of place shows. A fresh buffer: TCP keeps it. */
function patternBlock(index: number, length: number): Buffer {
  const block = Buffer.from(noise);
  block.writeUInt32BE(index >>> 0, 0);
  return block.subarray(0, length);
}

/** Bytes without a pattern that a checksum could overlook: xorshift32. */
function createNoise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 0x9e3779b9;
  for (let at = 0; at < length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString('latin1');
  return text;
}
