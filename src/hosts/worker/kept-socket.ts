import type { DurableObjectState, WebSocket } from '@cloudflare/workers-types';

/** What a socket keeps for its Durable Object, which sleeps between messages. */
export interface Kept<State> {
  readonly tenantId: string;
  readonly openedAt: number;
  readonly state: State;
}

/** A socket of a Durable Object: what must be known of it is kept by the socket itself. */
export class KeptSocket<State> {
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  get kept(): Kept<State> {
    return this.socket.deserializeAttachment() as Kept<State>;
  }

  get state(): State {
    return this.kept.state;
  }

  set state(state: State) {
    this.socket.serializeAttachment({ ...this.kept, state } satisfies Kept<State>);
  }

  send(text: string): void {
    try {
      this.socket.send(text);
    } catch {
      // It closes at this moment, which is seen elsewhere: the others must be told all the same.
    }
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }
}

const OPEN = 1;

/** The open sockets that were taken with this tag. */
export function socketsOf<State>(object: DurableObjectState, tag: string): KeptSocket<State>[] {
  return object
    .getWebSockets(tag)
    .filter(({ readyState }) => readyState === OPEN)
    .map((socket) => new KeptSocket<State>(socket));
}
