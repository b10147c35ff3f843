/** Threads for blocking probes, kept for the next one: starting one takes longer than most probes do. */
import { Worker } from 'node:worker_threads';
import type { ThreadAnswer, ThreadTask } from './thread.linux.ts';

const idle: Worker[] = [];
let serial = 0;

/** Has a thread ready before it is asked for. */
export function warmUp(): void {
  idle.push(start());
}

/**
 * Runs a task in a thread of its own.
 * @returns what ends it early, with its result as far as it came.
 */
export function runInThread(request: ThreadTask['request'], onAnswer: (answer: ThreadAnswer) => void): () => void {
  const worker = idle.pop() ?? start();
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const listen = (answer: ThreadAnswer): void => {
    if (answer.event === 'result' || answer.event === 'error') {
      worker.off('message', listen);
      idle.push(worker);
    }
    onAnswer(answer);
  };
  worker.on('message', listen);
  serial = (serial + 1) % 0x1_0000;
  worker.postMessage({ request, serial, stop } satisfies ThreadTask);
  return () => Atomics.store(stop, 0, 1);
}

function start(): Worker {
  return new Worker(new URL('./thread.linux.ts', import.meta.url));
}
