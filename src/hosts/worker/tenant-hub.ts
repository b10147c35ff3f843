/**
 * One tenant's sockets, as a Durable Object. It sleeps between changes with its sockets open: keepalives are answered for it, and what it
 * must know of each socket is kept by the socket. Nothing is lost with it but the sockets, and those come back.
 */
import type {
  D1Database,
  DurableObjectState,
  WebSocket,
  WebSocketPair as WebSocketPairType,
  WebSocketRequestResponsePair as WebSocketRequestResponsePairType,
} from '@cloudflare/workers-types';
import { CLOSE_MALFORMED, CLOSE_REPLACED, CLOSE_SILENT, PING, PONG, SILENT_SECONDS } from '../../contract/watch.ts';
import { openDatabase } from '../../db/database.ts';
import type { WatcherState } from '../../domain/fan-out.ts';
import { Room, type Watcher } from '../../hub/room.ts';
import { stateAfter } from '../../hub/watcher-says.ts';
import { STATE_HEADER, TENANT_HEADER } from './hub.ts';

// What workerd has, and no other runtime.
declare const WebSocketPair: typeof WebSocketPairType;
declare const WebSocketRequestResponsePair: typeof WebSocketRequestResponsePairType;

interface Kept {
  readonly tenantId: string;
  readonly openedAt: number;
  readonly state: WatcherState;
}

const LOOK_ROUND_MS = 60_000;
const OPEN = 1;

export class TenantHub {
  readonly #state: DurableObjectState;
  readonly #env: { readonly DB: D1Database };
  #room: Room | undefined;

  constructor(state: DurableObjectState, env: { readonly DB: D1Database }) {
    this.#state = state;
    this.#env = env;
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  async fetch(request: Request): Promise<Response> {
    const tenantId = request.headers.get(TENANT_HEADER) ?? '';
    switch (new URL(request.url).pathname) {
      case '/watch':
        return this.#watch(tenantId, JSON.parse(request.headers.get(STATE_HEADER) ?? '') as WatcherState);
      case '/tell':
        await this.#roomOf(tenantId).tell();
        return empty(204);
      case '/look':
        await this.#roomOf(tenantId).look();
        return empty(204);
      default:
        return empty(404);
    }
  }

  async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const watcher = new KeptSocket(socket);
    const next = typeof message === 'string' ? stateAfter(watcher.state, message) : null;
    if (next === null) return watcher.close(CLOSE_MALFORMED, 'not a message of this protocol');
    watcher.state = next;
    await this.#roomOf(watcher.kept.tenantId).look();
  }

  webSocketClose(socket: WebSocket, code: number): void {
    // Answers the other side's close; a code that only a runtime may give can't be sent.
    socket.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code);
  }

  /** Closes those that were not heard for too long. */
  async alarm(): Promise<void> {
    const now = Date.now();
    for (const watcher of this.#watchers()) {
      const heard = this.#state.getWebSocketAutoResponseTimestamp(watcher.socket)?.getTime() ?? watcher.kept.openedAt;
      if (now - heard > SILENT_SECONDS * 1000) watcher.close(CLOSE_SILENT, 'no ping was heard');
    }
    if (this.#watchers().length > 0) await this.#state.storage.setAlarm(now + LOOK_ROUND_MS);
  }

  async #watch(tenantId: string, state: WatcherState): Promise<Response> {
    const { 0: theirs, 1: ours } = new WebSocketPair();
    for (const older of this.#watchers(state.siteId)) older.close(CLOSE_REPLACED, 'the site has connected anew');
    this.#state.acceptWebSocket(ours, [state.siteId]);
    const kept: Kept = { tenantId, openedAt: Date.now(), state };
    ours.serializeAttachment(kept);
    if ((await this.#state.storage.getAlarm()) === null) await this.#state.storage.setAlarm(Date.now() + LOOK_ROUND_MS);
    // What was committed since the cursor was read, if anything.
    this.#state.waitUntil(this.#roomOf(tenantId).look());
    return new Response(null, { status: 101, webSocket: theirs } as ResponseInit);
  }

  #roomOf(tenantId: string): Room {
    this.#room ??= new Room(openDatabase(this.#env.DB), tenantId, () => this.#watchers());
    return this.#room;
  }

  #watchers(siteId?: string): KeptSocket[] {
    const sockets = this.#state.getWebSockets(siteId);
    return sockets.filter(({ readyState }) => readyState === OPEN).map((socket) => new KeptSocket(socket));
  }
}

class KeptSocket implements Watcher {
  readonly socket: WebSocket;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  get kept(): Kept {
    return this.socket.deserializeAttachment() as Kept;
  }

  get state(): WatcherState {
    return this.kept.state;
  }

  set state(state: WatcherState) {
    this.socket.serializeAttachment({ ...this.kept, state } satisfies Kept);
  }

  send(text: string): void {
    this.socket.send(text);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }
}

function empty(status: number): Response {
  return new Response(null, { status });
}
