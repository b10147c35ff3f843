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
import { readConfig } from '../../config.ts';
import {
  CLOSE_MALFORMED,
  CLOSE_RATE_LIMITED,
  CLOSE_REPLACED,
  CLOSE_SILENT,
  PING,
  PONG,
  SILENT_SECONDS,
} from '../../contract/watch.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { noteLeft, noteOffline, noteWatching } from '../../db/presence.ts';
import type { WatcherState } from '../../domain/fan-out.ts';
import type { RateLimits } from '../../gateway.ts';
import { Room, type Watcher } from '../../hub/room.ts';
import { readWatcher, stateAt } from '../../hub/watcher-says.ts';
import { STATE_HEADER, TENANT_HEADER } from './hub.ts';
import { limitsOfCloudflare, type RateBindings } from './limits.ts';

// What workerd has, and no other runtime.
declare const WebSocketPair: typeof WebSocketPairType;
declare const WebSocketRequestResponsePair: typeof WebSocketRequestResponsePairType;

interface Env extends RateBindings {
  readonly DB: D1Database;
  readonly [setting: string]: unknown;
}

interface Kept {
  readonly tenantId: string;
  readonly openedAt: number;
  readonly state: WatcherState;
}

/** A site whose socket closed, until its grace is over. */
interface Leaving {
  readonly tenantId: string;
  readonly siteId: string;
  readonly until: number;
}

const LEAVING = 'leaving:';
const LOOK_ROUND_MS = 60_000;
const OPEN = 1;

export class TenantHub {
  readonly #state: DurableObjectState;
  readonly #db: Database;
  readonly #graceMs: number;
  readonly #limits: RateLimits;
  #room: Room | undefined;

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state;
    this.#db = openDatabase(env.DB);
    this.#graceMs = readConfig(env).offlineGraceSeconds * 1000;
    this.#limits = limitsOfCloudflare(env);
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
    const heard = readWatcher(typeof message === 'string' ? message : '');
    if (heard.type === 'malformed') return watcher.close(CLOSE_MALFORMED, 'not a message of this protocol');
    if (heard.type !== 'at') return;
    watcher.state = stateAt(watcher.state, heard.cursor);
    // To look costs the store something, so it counts as a request.
    const waitSeconds = await this.#limits.countRequest('site', watcher.state.siteId, Date.now());
    if (waitSeconds > 0) return watcher.close(CLOSE_RATE_LIMITED, 'rate_limited');
    await this.#roomOf(watcher.kept.tenantId).look();
  }

  async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // Answers the other side's close; a code that only a runtime may give can't be sent.
    socket.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code);
    await this.#leave(new KeptSocket(socket));
  }

  /** A socket that broke is gone as one that closed. */
  async webSocketError(socket: WebSocket): Promise<void> {
    await this.#leave(new KeptSocket(socket));
  }

  /** Closes those that were not heard for too long, and tells of those whose grace is over. */
  async alarm(): Promise<void> {
    const now = Date.now();
    for (const watcher of this.#watchers()) {
      const heard = this.#state.getWebSocketAutoResponseTimestamp(watcher.socket)?.getTime() ?? watcher.kept.openedAt;
      if (now - heard <= SILENT_SECONDS * 1000) continue;
      watcher.close(CLOSE_SILENT, 'no ping was heard');
      await this.#leave(watcher);
    }
    const leaving = await this.#state.storage.list<Leaving>({ prefix: LEAVING });
    for (const [key, { tenantId, siteId, until }] of leaving) {
      if (until > now) continue;
      await noteOffline(this.#db, tenantId, [siteId], now);
      await this.#state.storage.delete(key);
      leaving.delete(key);
    }
    const ends = [...leaving.values()].map(({ until }) => until);
    if (this.#watchers().length > 0) ends.push(now + LOOK_ROUND_MS);
    if (ends.length > 0) await this.#state.storage.setAlarm(Math.min(...ends));
  }

  async #watch(tenantId: string, state: WatcherState): Promise<Response> {
    const { siteId } = state;
    const { 0: theirs, 1: ours } = new WebSocketPair();
    for (const older of this.#watchers(siteId)) older.close(CLOSE_REPLACED, 'the site has connected anew');
    this.#state.acceptWebSocket(ours, [siteId]);
    const now = Date.now();
    const kept: Kept = { tenantId, openedAt: now, state };
    ours.serializeAttachment(kept);
    await this.#state.storage.delete(LEAVING + siteId);
    await this.#wakeBy(now + LOOK_ROUND_MS);
    this.#state.waitUntil(noteWatching(this.#db, tenantId, [siteId], now));
    // What was committed since the cursor was read, if anything.
    this.#state.waitUntil(this.#roomOf(tenantId).look());
    return new Response(null, { status: 101, webSocket: theirs } as ResponseInit);
  }

  async #leave({ kept: { tenantId, state } }: KeptSocket): Promise<void> {
    const { siteId } = state;
    if (this.#watchers(siteId).length > 0) return;
    const until = Date.now() + this.#graceMs;
    await this.#state.storage.put<Leaving>(LEAVING + siteId, { tenantId, siteId, until });
    await this.#wakeBy(until);
    await noteLeft(this.#db, tenantId, [siteId], until);
  }

  async #wakeBy(time: number): Promise<void> {
    const alarm = await this.#state.storage.getAlarm();
    if (alarm === null || alarm > time) await this.#state.storage.setAlarm(time);
  }

  #roomOf(tenantId: string): Room {
    this.#room ??= new Room(this.#db, tenantId, () => this.#watchers());
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

function empty(status: number): Response {
  return new Response(null, { status });
}
