/** The hub of a gateway that is one process: every socket is here. */
import { type createAdaptorServer, upgradeWebSocket } from '@hono/node-server';
import type { Context } from 'hono';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  CLOSE_GOING_AWAY,
  CLOSE_MALFORMED,
  CLOSE_RATE_LIMITED,
  CLOSE_REPLACED,
  PING,
  PONG,
  SILENT_SECONDS,
} from '../../contract/watch.ts';
import type { AgentSession } from '../../db/agent-sessions.ts';
import type { Database } from '../../db/database.ts';
import { noteLeft, noteOffline, noteWatching } from '../../db/presence.ts';
import type { WatcherState } from '../../domain/fan-out.ts';
import type { AppEnv, Hub, Log, RateLimits } from '../../gateway.ts';
import { Room, type Watcher } from '../../hub/room.ts';
import { readWatcher, stateAt, stateOf } from '../../hub/watcher-says.ts';

/** What an agent says is a line; more is none of ours. */
const MAX_MESSAGE_BYTES = 64 * 1024;
/** A reader so far behind is cut off: it pulls when it is back. */
const MAX_UNSENT_BYTES = 16 * 2 ** 20;
const LOOK_ROUND_SECONDS = 15;
/** A socket that doesn't answer our close is cut after so long. */
const CLOSE_GRACE_MS = 1000;

/** What `ws` gives, by the name that the adaptor has for it: their types differ in how optional things are spelt. */
type UpgradeServer = NonNullable<Parameters<typeof createAdaptorServer>[0]['websocket']>['server'];

/** Comings and goings are written so many at a time as happen in this. */
const NOTE_MS = 50;

interface House {
  readonly tenantId: string;
  readonly room: Room;
  /** By site: a site has one socket, its newest. */
  readonly watchers: Map<string, Socket>;
  /** By site: what is to be noted of it. */
  readonly notes: Map<string, 'watching' | 'left' | 'offline'>;
}

export class Sockets implements Hub {
  /** For the HTTP server that takes the upgrades. */
  readonly server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES }) as unknown as UpgradeServer;
  readonly #db: Database;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #limits: RateLimits;
  /** By tenant. */
  readonly #houses = new Map<string, House>();
  readonly #graceMs: number;
  readonly #timer: NodeJS.Timeout;
  #stopping = false;

  constructor(options: {
    readonly db: Database;
    readonly now: () => number;
    readonly log: Log;
    readonly limits: RateLimits;
    readonly graceSeconds: number;
  }) {
    this.#db = options.db;
    this.#now = options.now;
    this.#log = options.log;
    this.#limits = options.limits;
    this.#graceMs = options.graceSeconds * 1000;
    this.#timer = setInterval(() => this.closeSilent(), LOOK_ROUND_SECONDS * 1000);
    this.#timer.unref();
  }

  /** How many are connected. */
  get size(): number {
    let size = 0;
    for (const { watchers } of this.#houses.values()) size += watchers.size;
    return size;
  }

  async tell(tenantId: string): Promise<void> {
    await this.#houses.get(tenantId)?.room.tell();
  }

  async look(tenantId: string): Promise<void> {
    await this.#houses.get(tenantId)?.room.look();
  }

  watch(c: Context<AppEnv>, session: AgentSession, cursor: string): Promise<Response> {
    const tenantId = session.tenant.id;
    return upgradeWebSocket(c, {
      onOpen: (_, { raw }) =>
        this.#enter(tenantId, new Socket(raw as WebSocket, stateOf(session, cursor), this.#now())),
    });
  }

  /** Cuts off those that were not heard for too long: their machines or the way to them are gone, and TCP may take hours to say so. */
  closeSilent(): void {
    const before = this.#now() - SILENT_SECONDS * 1000;
    for (const { watchers } of this.#houses.values()) {
      for (const socket of watchers.values()) if (socket.heardAt < before) socket.cut();
    }
  }

  /** Sends everyone away. Resolves when all are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    const sockets = [...this.#houses.values()].flatMap(({ watchers }) => [...watchers.values()]);
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, 'the gateway stops');
    await Promise.all(sockets.map((socket) => socket.closed));
  }

  #enter(tenantId: string, socket: Socket): void {
    // It came back while the others were being sent away: the server would wait for it for good.
    if (this.#stopping) return socket.close(CLOSE_GOING_AWAY, 'the gateway stops');
    const house = this.#houseOf(tenantId);
    const { siteId } = socket.state;
    house.watchers.get(siteId)?.close(CLOSE_REPLACED, 'the site has connected anew');
    house.watchers.set(siteId, socket);
    socket.onMessage((text) => {
      socket.heardAt = this.#now();
      if (text === PING) return socket.send(PONG);
      const heard = readWatcher(text);
      if (heard.type === 'malformed') return socket.close(CLOSE_MALFORMED, 'not a message of this protocol');
      if (heard.type === 'at') socket.state = stateAt(socket.state, heard.cursor);
      if (heard.type === 'at') void this.#lookFor(house, socket);
    });
    this.#note(house, siteId, 'watching');
    void socket.closed.then(() => {
      if (house.watchers.get(siteId) !== socket) return;
      house.watchers.delete(siteId);
      this.#note(house, siteId, 'left');
      const grace = setTimeout(
        () => {
          if (!house.watchers.has(siteId)) this.#note(house, siteId, 'offline');
        },
        this.#graceMs + 2 * NOTE_MS,
      );
      grace.unref();
    });
    // What was committed since the cursor was read, if anything.
    this.#lookAfter(house);
  }

  #houseOf(tenantId: string): House {
    const known = this.#houses.get(tenantId);
    if (known !== undefined) return known;
    const watchers = new Map<string, Socket>();
    const room = new Room(this.#db, tenantId, () => [...watchers.values()]);
    const made = { tenantId, watchers, room, notes: new Map() };
    this.#houses.set(tenantId, made);
    return made;
  }

  /** To look costs the store something, so it counts as a request. */
  async #lookFor(house: House, socket: Socket): Promise<void> {
    const waitSeconds = await this.#limits.countRequest('site', socket.state.siteId, this.#now());
    if (waitSeconds > 0) return socket.close(CLOSE_RATE_LIMITED, 'rate_limited');
    this.#lookAfter(house);
  }

  #lookAfter({ room }: House): void {
    room.look().catch((error: unknown) => this.#log.error({ error }, 'telling of a change failed'));
  }

  /** Of a site that comes and goes in one moment, only the last is noted. */
  #note(house: House, siteId: string, note: 'watching' | 'left' | 'offline'): void {
    // A gateway that stops writes nothing of those it sends away: it sees at its start who comes back.
    if (this.#stopping) return;
    if (house.notes.size === 0) setTimeout(() => this.#writeNotes(house), NOTE_MS).unref();
    house.notes.set(siteId, note);
  }

  async #writeNotes({ tenantId, watchers, notes }: House): Promise<void> {
    if (this.#stopping) return;
    const sitesOf = Map.groupBy(notes, ([, note]) => note);
    notes.clear();
    const ids = (note: 'watching' | 'left' | 'offline') => sitesOf.get(note)?.map(([siteId]) => siteId) ?? [];
    const now = this.#now();
    try {
      if (sitesOf.has('watching')) await noteWatching(this.#db, tenantId, ids('watching'), now);
      if (sitesOf.has('left')) await noteLeft(this.#db, tenantId, ids('left'), now + this.#graceMs);
      if (sitesOf.has('offline')) await noteOffline(this.#db, tenantId, ids('offline'), now);
    } catch (error) {
      this.#log.error({ error }, 'who is online could not be noted');
    }
    if (watchers.size === 0 && notes.size === 0) this.#houses.delete(tenantId);
  }
}

class Socket implements Watcher {
  state: WatcherState;
  /** When it last said anything, milliseconds since 1970. */
  heardAt: number;
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, state: WatcherState, now: number) {
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
