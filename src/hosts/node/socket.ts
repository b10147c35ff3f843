import type { WebSocket } from 'ws';

/** A reader so far behind is cut off: it asks anew when it is back. */
const MAX_UNSENT_BYTES = 16 * 2 ** 20;
/** A socket that doesn't answer our close is cut after so long. */
const CLOSE_GRACE_MS = 1000;

/** An agent's or a viewer's socket, with what the hub must know of it. */
export class Socket<State> {
  state: State;
  /** When it last said anything, milliseconds since 1970. */
  heardAt: number;
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, state: State, now: number) {
    this.#socket = socket;
    this.state = state;
    this.heardAt = now;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  onMessage(listener: (text: string) => void): void {
    this.#socket.on('message', (data) => listener(String(data)));
  }

  send(text: string): void {
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) this.cut();
    else this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    const cut = setTimeout(() => this.cut(), CLOSE_GRACE_MS);
    void this.closed.then(() => clearTimeout(cut));
  }

  cut(): void {
    this.#socket.terminate();
  }
}
