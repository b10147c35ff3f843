/** The thread that blocking probes run in: one at a time. */
import { parentPort } from 'node:worker_threads';
import { ping } from './ping.linux.ts';
import type { PingRequest, ProbeEvent, SniffRequest } from './protocol.ts';
import { sniff } from './sniff.linux.ts';

export interface ThreadTask {
  readonly request: PingRequest | SniffRequest;
  /** A number that no other task of this process has now. */
  readonly serial: number;
  /** One Int32; 1 asks the task to end. */
  readonly stop: Int32Array;
}

export type ThreadAnswer =
  | ProbeEvent
  | { readonly event: 'result'; readonly result: unknown }
  | { readonly event: 'error'; readonly message: string };

const port = parentPort;
const emit = (answer: ThreadAnswer): void => port?.postMessage(answer);

port?.on('message', ({ request, serial, stop }: ThreadTask) => {
  const stopped = (): boolean => Atomics.load(stop, 0) === 1;
  try {
    const identifier = (process.pid * 64 + serial) & 0xffff;
    const result = request.do === 'ping' ? ping(request, identifier, stopped) : sniff(request, emit, stopped);
    emit({ event: 'result', result });
  } catch (error) {
    emit({ event: 'error', message: error instanceof Error ? error.message : String(error) });
  }
});
