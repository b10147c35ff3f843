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
  type WatcherSays,
} from '../../contract/watch.ts';
import type { AgentSession } from '../../db/agent-sessions.ts';
import type { Database } from '../../db/database.ts';
import { noteLeft, noteOffline, noteWatching } from '../../db/presence.ts';
import type { WatcherState } from '../../domain/fan-out.ts';
import type { ViewerState } from '../../domain/viewer.ts';
import type { AppEnv, Hub, Log, RateLimits } from '../../gateway.ts';
import { Audience } from '../../hub/audience.ts';
import { Room } from '../../hub/room.ts';
import { readWatcher, stateAt, stateOf } from '../../hub/watcher-says.ts';
import { Socket } from './socket.ts';

/** What an agent says is a line; more is none of ours. */
const MAX_MESSAGE_BYTES = 64 * 1024;
const LOOK_ROUND_SECONDS = 15;

/** What `ws` gives, by the name that the adaptor has for it: their types differ in how optional things are spelt. */
type UpgradeServer = NonNullable<Parameters<typeof createAdaptorServer>[0]['websocket']>['server'];

/** Comings and goings are written so many at a time as happen in this. */
const NOTE_MS = 50;

interface House {
  readonly tenantId: string;
  readonly room: Room;
  readonly audience: Audience;
  /** By site: a site has one socket, its newest. */
  readonly watchers: Map<string, Socket<WatcherState>>;
  readonly viewers: Set<Socket<ViewerState>>;
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
    this.#timer = setInterval(() => this.#lookRound(), LOOK_ROUND_SECONDS * 1000);
    this.#timer.unref();
  }

  /** How many are connected. */
  get size(): number {
    let size = 0;
    for (const house of this.#houses.values()) size += socketsOf(house).length;
    return size;
  }

  async tell(tenantId: string): Promise<void> {
    const house = this.#houses.get(tenantId);
    await Promise.all([house?.room.tell(), house?.audience.tell()]);
  }

  async look(tenantId: string): Promise<void> {
    const house = this.#houses.get(tenantId);
    await Promise.all([house?.room.look(), house?.audience.tell()]);
  }

  watch(c: Context<AppEnv>, session: AgentSession, cursor: string): Promise<Response> {
    const tenantId = session.tenant.id;
    return upgradeWebSocket(c, {
      onOpen: (_, { raw }) =>
        this.#enter(tenantId, new Socket(raw as WebSocket, stateOf(session, cursor), this.#now())),
    });
  }

  live(c: Context<AppEnv>, tenantId: string, viewer: ViewerState): Promise<Response> {
    return upgradeWebSocket(c, {
      onOpen: (_, { raw }) => this.#enterViewer(tenantId, new Socket(raw as WebSocket, viewer, this.#now())),
    });
  }

  /** Cuts off those that were not heard for too long: their machines or the way to them are gone, and TCP may take hours to say so. */
  closeSilent(): void {
    const before = this.#now() - SILENT_SECONDS * 1000;
    for (const house of this.#houses.values()) {
      for (const socket of socketsOf(house)) if (socket.heardAt < before) socket.cut();
    }
  }

  /** Sends everyone away. Resolves when all are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    const sockets = [...this.#houses.values()].flatMap(socketsOf);
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, 'the gateway stops');
    await Promise.all(sockets.map((socket) => socket.closed));
  }

  #enter(tenantId: string, socket: Socket<WatcherState>): void {
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
      if (heard.type !== 'unknown') void this.#take(house, socket, heard);
    });
    this.#note(house, siteId, 'watching');
    house.audience.siteCame(siteId, socket);
    void socket.closed.then(() => {
      if (house.watchers.get(siteId) !== socket) return;
      house.watchers.delete(siteId);
      this.#note(house, siteId, 'left');
      const grace = setTimeout(
        () => {
          // By now the tenant may have another house: this one is given up when nobody is in it.
          const current = this.#houseOf(tenantId);
          if (current.watchers.has(siteId)) return;
          this.#note(current, siteId, 'offline');
          current.audience.siteWent(siteId);
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
    const watchers = new Map<string, Socket<WatcherState>>();
    const viewers = new Set<Socket<ViewerState>>();
    const made: House = {
      tenantId,
      watchers,
      viewers,
      room: new Room(this.#db, tenantId, () => [...watchers.values()]),
      audience: new Audience({
        db: this.#db,
        tenantId,
        now: this.#now,
        viewers: () => [...viewers],
        sites: () => [...watchers.values()],
      }),
      notes: new Map(),
    };
    this.#houses.set(tenantId, made);
    return made;
  }

  #enterViewer(tenantId: string, socket: Socket<ViewerState>): void {
    if (this.#stopping) return socket.close(CLOSE_GOING_AWAY, 'the gateway stops');
    const house = this.#houseOf(tenantId);
    house.viewers.add(socket);
    socket.onMessage((text) => {
      socket.heardAt = this.#now();
      if (text === PING) socket.send(PONG);
      else socket.close(CLOSE_MALFORMED, 'not a message of this protocol');
    });
    void socket.closed.then(() => {
      house.viewers.delete(socket);
      house.audience.left();
      this.#leaveIfEmpty(house);
    });
    this.#logged(house.audience.enter(socket));
  }

  /** What it says costs the store or those who look something, so it counts as a request. */
  async #take(house: House, socket: Socket<WatcherState>, heard: WatcherSays): Promise<void> {
    const waitSeconds = await this.#limits.countRequest('site', socket.state.siteId, this.#now());
    if (waitSeconds > 0) return socket.close(CLOSE_RATE_LIMITED, 'rate_limited');
    if (heard.type === 'at') this.#lookAfter(house);
    else house.audience.passOn(socket.state.siteId, heard.networks);
  }

  #lookAfter({ room }: House): void {
    this.#logged(room.look());
  }

  #lookRound(): void {
    this.closeSilent();
    for (const { audience } of this.#houses.values()) this.#logged(audience.lookRound());
  }

  #logged(telling: Promise<void>): void {
    telling.catch((error: unknown) => this.#log.error({ error }, 'telling of a change failed'));
  }

  /** Of a site that comes and goes in one moment, only the last is noted. */
  #note(house: House, siteId: string, note: 'watching' | 'left' | 'offline'): void {
    // A gateway that stops writes nothing of those it sends away: it sees at its start who comes back.
    if (this.#stopping) return;
    if (house.notes.size === 0) setTimeout(() => this.#writeNotes(house), NOTE_MS).unref();
    house.notes.set(siteId, note);
  }

  async #writeNotes(house: House): Promise<void> {
    if (this.#stopping) return;
    const { tenantId, notes } = house;
    const sitesOf = Map.groupBy(notes, ([, note]) => note);
    notes.clear();
    const ids = (note: 'watching' | 'left' | 'offline') => sitesOf.get(note)?.map(([siteId]) => siteId) ?? [];
    const now = this.#now();
    try {
      if (sitesOf.has('watching')) await noteWatching(this.#db, tenantId, ids('watching'), now);
      if (sitesOf.has('left')) await noteLeft(this.#db, tenantId, ids('left'), now + this.#graceMs);
      if (sitesOf.has('offline')) await noteOffline(this.#db, tenantId, ids('offline'), now);
      await house.audience.tell();
    } catch (error) {
      this.#log.error({ error }, 'who is online could not be noted');
    }
    this.#leaveIfEmpty(house);
  }

  #leaveIfEmpty(house: House): void {
    const { tenantId, watchers, viewers, notes } = house;
    if (watchers.size + viewers.size + notes.size > 0) return;
    if (this.#houses.get(tenantId) === house) this.#houses.delete(tenantId);
  }
}

function socketsOf({ watchers, viewers }: House): Socket<WatcherState | ViewerState>[] {
  return [...watchers.values(), ...viewers];
}
