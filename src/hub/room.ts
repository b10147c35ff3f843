/**
 * The sockets of one tenant's sites, and the telling of its changes: one read for a change, however many are told.
 *
 * It holds no truth. What it tells is read from the store when it is told that something changed, so being told twice, late, or of
 * several changes at once is all the same; while one telling runs, any number of calls make just one more. After a telling of many the
 * room rests for a moment, so that a storm of changes is told in a few deltas; a change after a quiet time is told at once.
 */
import { CLOSE_DISABLED, CLOSE_UNAUTHENTICATED, type Push } from '../contract/watch.ts';
import { readChanges, readRevision } from '../db/changes.ts';
import type { Database } from '../db/database.ts';
import { type Position, type Told, tell, type WatcherState } from '../domain/fan-out.ts';

/** A site's socket, wherever it is. `state` is kept by the socket itself, so that it survives what the room does not. */
export interface Watcher {
  state: WatcherState;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** So many that must pull are still told to do so at once; more are spread, at about this rate. */
const PULLS_AT_ONCE = 20;
const PULLS_PER_SECOND = 500;

const REST_MS_PER_WATCHER = 0.2;
const LONGEST_REST_MS = 200;

export class Room {
  readonly #db: Database;
  readonly #tenantId: string;
  readonly #watchers: () => readonly Watcher[];
  #wanted: 'nothing' | 'look' | 'tell' = 'nothing';
  #running: Promise<void> | null = null;
  #restsUntil = 0;

  /** @param watchers those that are connected at this moment. */
  constructor(db: Database, tenantId: string, watchers: () => readonly Watcher[]) {
    this.#db = db;
    this.#tenantId = tenantId;
    this.#watchers = watchers;
  }

  /** Something was committed. Resolves when every watcher was sent what it must know of it. */
  tell(): Promise<void> {
    this.#wanted = 'tell';
    return this.#run();
  }

  /** The same, where it is not known that anything was: looks first, which costs one row. */
  look(): Promise<void> {
    if (this.#wanted === 'nothing') this.#wanted = 'look';
    return this.#run();
  }

  #run(): Promise<void> {
    this.#running ??= this.#work();
    return this.#running;
  }

  async #work(): Promise<void> {
    try {
      while (this.#wanted !== 'nothing') {
        // Never longer than it would be, though the clock was set back.
        const restMs = Math.min(this.#restsUntil - Date.now(), LONGEST_REST_MS);
        if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
        const wanted = this.#wanted;
        this.#wanted = 'nothing';
        if (wanted === 'tell' || (await this.#isBehind())) await this.#tellAll();
      }
    } finally {
      // In the same breath as the last look at what is wanted: a call that came later would be lost.
      this.#running = null;
    }
  }

  async #isBehind(): Promise<boolean> {
    if (this.#watchers().length === 0) return false;
    const revision = await readRevision(this.#db, this.#tenantId);
    return this.#watchers().some(({ state }) => state.position !== null && state.position.seen !== revision);
  }

  async #tellAll(): Promise<void> {
    const told = this.#watchers().map((watcher) => ({ watcher, state: watcher.state }));
    if (told.length === 0) return;
    const since = Math.min(...told.map(({ state }) => state.position?.seen ?? Number.MAX_SAFE_INTEGER));
    const siteIds = told.map(({ state }) => state.siteId);
    const changes = await readChanges(this.#db, this.#tenantId, siteIds, since);
    const behind: Watcher[] = [];
    for (const { watcher, state } of told) {
      // It said meanwhile where it is, and was looked at for that, or will be: what was read may be less than it needs.
      if (!samePosition(watcher.state.position, state.position)) continue;
      const result = changes === null ? NO_TENANT : tell(state, changes);
      switch (result.kind) {
        case 'refused':
          watcher.close(result.why === 'site_disabled' ? CLOSE_DISABLED : CLOSE_UNAUTHENTICATED, result.why);
          break;
        case 'nothing':
          if (!samePosition(state.position, result.position)) watcher.state = { ...state, position: result.position };
          break;
        case 'delta':
          watcher.state = { ...state, position: result.position };
          push(watcher, { type: 'delta', ...result.delta });
          break;
        case 'changed':
          watcher.state = { ...state, position: null };
          behind.push(watcher);
      }
    }
    this.#restsUntil = Date.now() + Math.min(LONGEST_REST_MS, told.length * REST_MS_PER_WATCHER);
    const withinMs = Math.ceil((behind.length / PULLS_PER_SECOND) * 1000);
    const spread = behind.length <= PULLS_AT_ONCE ? {} : { withinMs };
    for (const watcher of behind) push(watcher, { type: 'changed', ...spread });
  }
}

const NO_TENANT: Told = { kind: 'refused', why: 'unauthenticated' };

function samePosition(a: Position | null, b: Position | null): boolean {
  return a?.told === b?.told && a?.seen === b?.seen;
}

function push(watcher: Watcher, message: Push): void {
  watcher.send(JSON.stringify(message));
}
