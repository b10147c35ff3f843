/** A thread for asked-thread.test.ts: answers what it is asked to, when it is told to, and dies if it shall. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { openEventfd } from '../../../agent/sys/eventfd.linux.ts';

export type Told =
  | { readonly id: number; readonly say: string }
  | { readonly id: number; readonly refuse: string }
  | { readonly answer: 'in the other order' }
  | { readonly die: string }
  | { readonly id: number; readonly end: string };

const { port, options } = workerData as {
  readonly port: MessagePort;
  readonly options: { readonly refuses?: boolean };
};
const held: { readonly type: 'answer'; readonly id: number; readonly said: string }[] = [];
if (options.refuses) {
  port.postMessage({ type: 'failed', code: 'EADDRINUSE', message: 'the port is in use' });
  port.close();
} else port.postMessage({ type: 'ready', wakeFd: openEventfd() });
port.on('message', (told: Told) => {
  if ('say' in told) held.push({ type: 'answer', id: told.id, said: told.say });
  else if ('refuse' in told) port.postMessage({ type: 'refusal', id: told.id, code: 'EPERM', message: told.refuse });
  else if ('answer' in told) for (const each of held.splice(0).reverse()) port.postMessage(each);
  else if ('die' in told) throw new Error(told.die);
  else {
    port.postMessage({ type: 'answer', id: told.id, said: told.end });
    port.close();
  }
});
