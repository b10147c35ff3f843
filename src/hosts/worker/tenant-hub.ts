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
import type { ViewerState } from '../../domain/viewer.ts';
import type { RateLimits } from '../../gateway.ts';
import { Audience } from '../../hub/audience.ts';
import { Room } from '../../hub/room.ts';
import { readWatcher, stateAt } from '../../hub/watcher-says.ts';
import { STATE_HEADER, TENANT_HEADER, VIEWER_HEADER } from './hub.ts';
import { type Kept, KeptSocket, socketsOf } from './kept-socket.ts';
import { limitsOfCloudflare, type RateBindings } from './limits.ts';

// What workerd has, and no other runtime.
declare const WebSocketPair: typeof WebSocketPairType;
declare const WebSocketRequestResponsePair: typeof WebSocketRequestResponsePairType;

interface Env extends RateBindings {
  readonly DB: D1Database;
  readonly [setting: string]: unknown;
}

/** A site whose socket closed, until its grace is over. */
interface Leaving {
  readonly tenantId: string;
  readonly siteId: string;
  readonly until: number;
}

const LEAVING = 'leaving:';
const LOOK_ROUND_MS = 60_000;
/** The tags of sockets: an agent's has its site's id as well. */
const SITE = 'site';
const VIEWER = 'viewer';

export class TenantHub {
  readonly #state: DurableObjectState;
  readonly #db: Database;
  readonly #graceMs: number;
  readonly #limits: RateLimits;
  #room: Room | undefined;
  #audience: Audience | undefined;

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
      case '/live':
        return this.#live(tenantId, JSON.parse(request.headers.get(VIEWER_HEADER) ?? '') as ViewerState);
      case '/tell':
        await Promise.all([this.#roomOf(tenantId).tell(), this.#audienceOf(tenantId).tell()]);
        return empty(204);
      case '/look':
        await Promise.all([this.#roomOf(tenantId).look(), this.#audienceOf(tenantId).tell()]);
        return empty(204);
      default:
        return empty(404);
    }
  }

  async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const heard = readWatcher(typeof message === 'string' ? message : '');
    // Who looks has nothing to say but pings, which are answered before this.
    if (heard.type === 'malformed' || this.#isViewer(socket)) {
      return socket.close(CLOSE_MALFORMED, 'not a message of this protocol');
    }
    if (heard.type === 'unknown') return;
    const watcher = new KeptSocket<WatcherState>(socket);
    if (heard.type === 'at') watcher.state = stateAt(watcher.state, heard.cursor);
    const { tenantId, state } = watcher.kept;
    // What it says costs the store or those who look something, so it counts as a request.
    const waitSeconds = await this.#limits.countRequest('site', state.siteId, Date.now());
    if (waitSeconds > 0) return watcher.close(CLOSE_RATE_LIMITED, 'rate_limited');
    if (heard.type === 'at') await this.#roomOf(tenantId).look();
    else this.#audienceOf(tenantId).passOn(state.siteId, heard.networks);
  }

  async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // Answers the other side's close; a code that only a runtime may give can't be sent.
    socket.close(code === 1005 || code === 1006 || code === 1015 ? 1000 : code);
    await this.#gone(socket);
  }

  /** A socket that broke is gone as one that closed. */
  async webSocketError(socket: WebSocket): Promise<void> {
    await this.#gone(socket);
  }

  /** Closes those that were not heard for too long, and tells of those whose grace is over. */
  async alarm(): Promise<void> {
    const now = Date.now();
    for (const { socket, kept } of [...this.#watchers(), ...this.#viewers()]) {
      const heard = this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? kept.openedAt;
      if (now - heard <= SILENT_SECONDS * 1000) continue;
      socket.close(CLOSE_SILENT, 'no ping was heard');
      await this.#gone(socket);
    }
    const leaving = await this.#state.storage.list<Leaving>({ prefix: LEAVING });
    for (const [key, { tenantId, siteId, until }] of leaving) {
      if (until > now) continue;
      await noteOffline(this.#db, tenantId, [siteId], now);
      this.#audienceOf(tenantId).siteWent(siteId);
      await this.#state.storage.delete(key);
      leaving.delete(key);
    }
    const [viewer] = this.#viewers();
    if (viewer !== undefined) await this.#audienceOf(viewer.kept.tenantId).lookRound();
    const ends = [...leaving.values()].map(({ until }) => until);
    if (this.#watchers().length > 0 || viewer !== undefined) ends.push(now + LOOK_ROUND_MS);
    if (ends.length > 0) await this.#state.storage.setAlarm(Math.min(...ends));
  }

  async #watch(tenantId: string, state: WatcherState): Promise<Response> {
    const { siteId } = state;
    for (const older of this.#watchers(siteId)) older.close(CLOSE_REPLACED, 'the site has connected anew');
    const { answer, socket, now } = this.#accept<WatcherState>([SITE, siteId], tenantId, state);
    await this.#state.storage.delete(LEAVING + siteId);
    await this.#wakeBy(now + LOOK_ROUND_MS);
    this.#audienceOf(tenantId).siteCame(siteId, socket);
    this.#state.waitUntil(
      noteWatching(this.#db, tenantId, [siteId], now).then(() => this.#audienceOf(tenantId).tell()),
    );
    // What was committed since the cursor was read, if anything.
    this.#state.waitUntil(this.#roomOf(tenantId).look());
    return answer;
  }

  async #live(tenantId: string, state: ViewerState): Promise<Response> {
    const { answer, socket, now } = this.#accept<ViewerState>([VIEWER], tenantId, state);
    await this.#wakeBy(now + LOOK_ROUND_MS);
    this.#state.waitUntil(this.#audienceOf(tenantId).enter(socket));
    return answer;
  }

  #accept<State>(
    tags: string[],
    tenantId: string,
    state: State,
  ): { readonly answer: Response; readonly socket: KeptSocket<State>; readonly now: number } {
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#state.acceptWebSocket(ours, tags);
    const now = Date.now();
    ours.serializeAttachment({ tenantId, openedAt: now, state } satisfies Kept<State>);
    const answer = new Response(null, { status: 101, webSocket: theirs } as ResponseInit);
    return { answer, socket: new KeptSocket<State>(ours), now };
  }

  async #gone(socket: WebSocket): Promise<void> {
    const { tenantId } = new KeptSocket<unknown>(socket).kept;
    if (this.#isViewer(socket)) this.#audienceOf(tenantId).left();
    else await this.#leave(tenantId, new KeptSocket<WatcherState>(socket).state.siteId);
  }

  async #leave(tenantId: string, siteId: string): Promise<void> {
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

  #audienceOf(tenantId: string): Audience {
    this.#audience ??= new Audience({
      db: this.#db,
      tenantId,
      now: Date.now,
      viewers: () => this.#viewers(),
      sites: () => this.#watchers(),
    });
    return this.#audience;
  }

  #watchers(siteId: string = SITE): KeptSocket<WatcherState>[] {
    return socketsOf(this.#state, siteId);
  }

  #viewers(): KeptSocket<ViewerState>[] {
    return socketsOf(this.#state, VIEWER);
  }

  #isViewer(socket: WebSocket): boolean {
    return this.#state.getTags(socket).includes(VIEWER);
  }
}

function empty(status: number): Response {
  return new Response(null, { status });
}
