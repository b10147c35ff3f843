/**
 * Those who look at one tenant, and what they are told: that something changed, what happened, who came and went, and the traffic, which
 * the sites' agents are asked for while anybody looks.
 *
 * Like the room it holds no truth: what it tells of is read from the store when it is told that there may be news.
 */
import type { Live } from '../contract/live.ts';
import type { NetworkTraffic } from '../contract/traffic.ts';
import { CLOSE_RATE_LIMITED, CLOSE_UNAUTHENTICATED, type Push } from '../contract/watch.ts';
import type { Database } from '../db/database.ts';
import { toEvent } from '../db/event-view.ts';
import { listEvents } from '../db/events.ts';
import { type Moment, readMoment } from '../db/live.ts';
import type { ViewerState } from '../domain/viewer.ts';

/** A viewer's socket, wherever it is. `state` is kept by the socket itself, so that it survives what the audience does not. */
export interface Viewer {
  state: ViewerState;
  send(text: string): void;
  close(code: number, reason: string): void;
}

export interface AudienceOptions {
  readonly db: Database;
  readonly tenantId: string;
  readonly now: () => number;
  /** Those that are connected at this moment. */
  readonly viewers: () => readonly Viewer[];
  /** The sockets of the tenant's sites. */
  readonly sites: () => readonly { send(text: string): void }[];
}

const MAX_VIEWERS = 200;
/** By one key, or one person, so that nobody takes all places. */
const MAX_VIEWERS_BY_ONE = 40;
/** More events than this at once come in several goes. */
const EVENTS_AT_ONCE = 200;
/** Agents are asked for their traffic for so long; asked anew before that ends, while anybody still looks. */
const ASKED_MS = 150_000;
const EVERY_MS = 2000;
/** With more sites each says it less often, so that they are this many a second. */
const SITES_PER_SECOND = 100;
const MOST_EVERY_MS = 10_000;
/** What comes within this goes out in one message. */
const GATHER_MS = 250;

export class Audience {
  readonly #options: AudienceOptions;
  /** By site: what it said that was not passed on yet. */
  readonly #traffic = new Map<string, NetworkTraffic[]>();
  #again = false;
  #running: Promise<void> | null = null;

  constructor(options: AudienceOptions) {
    this.#options = options;
  }

  /** One that is among the viewers by now is greeted. */
  async enter(viewer: Viewer): Promise<void> {
    const viewers = this.#options.viewers();
    if (viewers.length > MAX_VIEWERS) return viewer.close(CLOSE_RATE_LIMITED, 'too many look at this tenant');
    if (viewers.filter(({ state }) => state.by === viewer.state.by).length > MAX_VIEWERS_BY_ONE) {
      return viewer.close(CLOSE_RATE_LIMITED, 'too many look at this tenant by this key');
    }
    const { revision, event } = await this.#readMoment([]);
    if (revision === null) return viewer.close(CLOSE_UNAUTHENTICATED, 'unauthenticated');
    viewer.state = { ...viewer.state, told: { revision, event: event ?? { at: 0, number: 0 } } };
    say(viewer, { type: 'hello', revision });
    this.#ask(this.#options.sites());
    // What was committed since, if anything.
    await this.tell();
  }

  /** One is gone. After the last, agents need not go on. */
  left(): void {
    if (this.#options.viewers().length > 0) return;
    this.#traffic.clear();
    this.#ask(this.#options.sites(), 0);
  }

  /** There may be news. Resolves when every viewer was told of it. */
  tell(): Promise<void> {
    if (this.#options.viewers().length === 0) return Promise.resolve();
    this.#again = true;
    this.#running ??= this.#work();
    return this.#running;
  }

  /** Now and then: sees who may look no more, and what nobody told of. */
  async lookRound(): Promise<void> {
    if (this.#options.viewers().length === 0) return;
    this.#ask(this.#options.sites());
    await this.tell();
  }

  /** The site's agent connected. */
  siteCame(siteId: string, site: { send(text: string): void }): void {
    this.#sayAll({ type: 'site', site: siteId, status: 'online' });
    if (this.#options.viewers().length > 0) this.#ask([site]);
  }

  siteWent(siteId: string): void {
    this.#sayAll({ type: 'site', site: siteId, status: 'offline' });
  }

  /** The site said what it carries. */
  passOn(siteId: string, networks: readonly NetworkTraffic[]): void {
    if (this.#options.viewers().length === 0) return;
    if (this.#traffic.size === 0) setTimeout(() => this.#flush(), GATHER_MS);
    const known = this.#traffic.get(siteId);
    if (known === undefined) this.#traffic.set(siteId, [...networks]);
    else known.push(...networks);
  }

  async #work(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#tellAll();
      }
    } finally {
      this.#running = null;
    }
  }

  async #tellAll(): Promise<void> {
    const credentials = this.#options.viewers().flatMap(({ state }) => state.credential ?? []);
    const { revision, event, good } = await this.#readMoment(credentials);
    // One that came meanwhile was not asked for: it was let in at that moment.
    const ended = new Set(credentials.map(({ id }) => id).filter((id) => !good.has(id)));
    const mayLook = ({ state: { credential } }: Viewer): boolean =>
      revision !== null && (credential === null || !ended.has(credential.id));
    for (const viewer of this.#options.viewers()) {
      if (!mayLook(viewer)) viewer.close(CLOSE_UNAUTHENTICATED, 'unauthenticated');
    }
    if (revision === null) return;
    await this.#tellEvents(event);
    for (const viewer of this.#greeted()) {
      const { told } = viewer.state;
      if (told.revision === revision) continue;
      viewer.state = { ...viewer.state, told: { ...told, revision } };
      say(viewer, { type: 'changed', revision });
    }
  }

  async #tellEvents(newest: Moment['event']): Promise<void> {
    const { db, tenantId } = this.#options;
    const since = this.#greeted()
      .map(({ state }) => state.told.event)
      .sort(compare)[0];
    if (newest === null || since === undefined || compare(since, newest) >= 0) return;
    const none = { kind: undefined, site: undefined, network: undefined, search: undefined };
    const want = { order: 'oldest', since, after: null, upTo: null, limit: EVENTS_AT_ONCE, ...none } as const;
    const rows = await listEvents(db, tenantId, want);
    for (const row of rows) {
      const position = { at: row.at, number: row.id };
      for (const viewer of this.#greeted()) {
        const { told } = viewer.state;
        if (compare(told.event, position) >= 0) continue;
        viewer.state = { ...viewer.state, told: { ...told, event: position } };
        say(viewer, { type: 'event', event: toEvent(row) });
      }
    }
    if (rows.length === EVENTS_AT_ONCE) this.#again = true;
  }

  #greeted(): Greeted[] {
    return this.#options.viewers().filter((viewer): viewer is Greeted => viewer.state.told !== null);
  }

  #readMoment(credentials: Parameters<typeof readMoment>[2]): Promise<Moment> {
    const { db, tenantId, now } = this.#options;
    return readMoment(db, tenantId, credentials, now());
  }

  #ask(sites: readonly { send(text: string): void }[], forMs = ASKED_MS): void {
    const everyMs = Math.round((this.#options.sites().length / SITES_PER_SECOND) * 1000);
    const push: Push = { type: 'traffic', everyMs: Math.min(Math.max(everyMs, EVERY_MS), MOST_EVERY_MS), forMs };
    const text = JSON.stringify(push);
    for (const site of sites) site.send(text);
  }

  #flush(): void {
    const sites = [...this.#traffic].map(([site, networks]) => ({ site, networks }));
    this.#traffic.clear();
    if (sites.length > 0) this.#sayAll({ type: 'traffic', at: this.#options.now(), sites });
  }

  #sayAll(message: Live): void {
    const viewers = this.#greeted();
    if (viewers.length === 0) return;
    const text = JSON.stringify(message);
    for (const viewer of viewers) viewer.send(text);
  }
}

type Greeted = Viewer & { readonly state: { readonly told: NonNullable<ViewerState['told']> } };

function compare(a: NonNullable<Moment['event']>, b: NonNullable<Moment['event']>): number {
  return a.at - b.at || a.number - b.number;
}

function say(viewer: Viewer, message: Live): void {
  viewer.send(JSON.stringify(message));
}
