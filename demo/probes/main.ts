/**
 * Makes and watches traffic in the namespace it runs in: one program per namespace, told what to do by JSON lines (`protocol.ts`),
 * because starting a program for every ping would take longer than the pings. Ends when its standard input does.
 */
import { createInterface } from 'node:readline';
import type { ProbeAnswer, ProbeRequest } from './protocol.ts';
import { relay } from './relay.ts';
import { send } from './send.ts';
import { runInThread, warmUp } from './thread-pool.ts';
import { receive, transfer } from './transfer.ts';

type Answer = ProbeAnswer extends infer A ? (A extends unknown ? Omit<A, 'id'> : never) : never;

const stops = new Map<number, () => void>();
warmUp();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, ...request }: { id: number } & ProbeRequest = JSON.parse(line);
    if (request.do === 'stop') stops.get(id)?.();
    else start(id, request);
  })
  .on('close', () => process.exit());

function start(id: number, request: Exclude<ProbeRequest, { do: 'stop' }>): void {
  const answer = (value: Answer): void => {
    if (value.event === 'result' || value.event === 'error') stops.delete(id);
    process.stdout.write(`${JSON.stringify({ id, ...value })}\n`);
  };
  if (request.do === 'ping' || request.do === 'sniff') {
    stops.set(id, runInThread(request, answer));
    return;
  }
  const controller = new AbortController();
  stops.set(id, () => controller.abort());
  run(request, answer, controller.signal).then(
    (result) => answer({ event: 'result', result }),
    (error: unknown) => answer({ event: 'error', message: error instanceof Error ? error.message : String(error) }),
  );
}

function run(
  request: Exclude<ProbeRequest, { do: 'stop' | 'ping' | 'sniff' }>,
  answer: (value: Answer) => void,
  signal: AbortSignal,
): Promise<unknown> {
  switch (request.do) {
    case 'receive':
      return receive(request, (port) => answer({ event: 'listening', port }), signal);
    case 'transfer':
      return transfer(request, signal);
    case 'send':
      return send(request);
    case 'relay':
      return relay(request, () => answer({ event: 'listening', port: 0 }), signal);
  }
}
