/** What the gateway was asked, by path: one request for all who show it, asked again when something changed. */
import { useEffect } from 'preact/hooks';
import { get } from './call.ts';
import { createStore, type Store, useStore } from './store.ts';

export interface Query<Data> {
  /** The last good answer: it stays while it is asked for anew, and when that fails. */
  readonly data?: Data;
  readonly error?: Error;
}

interface Entry {
  readonly store: Store<Query<unknown>>;
  watchers: number;
  isStale: boolean;
  isAsking: boolean;
}

const entries = new Map<string, Entry>();
/** Answers that nobody shows any more are kept so many, for the way back. */
const KEPT = 60;

/** @param path null: not yet known what to ask for. */
export function useQuery<Data>(path: string | null): Query<Data> {
  const store = path === null ? NOTHING : entryOf(path).store;
  useEffect(() => {
    if (path === null) return undefined;
    const entry = entryOf(path);
    entry.watchers++;
    if (entry.isStale) void ask(path, entry);
    return () => {
      entry.watchers--;
      // Whoever comes back is shown what was there, and asks anew.
      entry.isStale = true;
    };
  }, [path]);
  return useStore(store) as Query<Data>;
}

/** Something changed: what is shown is asked for again at once, the rest when it is shown. */
export function invalidate(concerns: (path: string) => boolean = () => true): void {
  for (const [path, entry] of entries) {
    if (!concerns(path)) continue;
    entry.isStale = true;
    if (entry.watchers > 0) void ask(path, entry);
  }
}

/** Forgets all: another person signed in. */
export function forgetAnswers(): void {
  for (const [path, entry] of entries) {
    if (entry.watchers === 0) entries.delete(path);
    else entry.store.set({});
  }
}

const NOTHING: Store<Query<unknown>> = createStore({});

function entryOf(path: string): Entry {
  let entry = entries.get(path);
  if (entry === undefined) {
    prune();
    entry = { store: createStore<Query<unknown>>({}), watchers: 0, isStale: true, isAsking: false };
    entries.set(path, entry);
  }
  return entry;
}

function prune(): void {
  if (entries.size < KEPT) return;
  for (const [path, { watchers, isAsking }] of entries) {
    if (watchers === 0 && !isAsking) entries.delete(path);
    if (entries.size < KEPT) return;
  }
}

/** One request at a time: what changes meanwhile makes one more. */
async function ask(path: string, entry: Entry): Promise<void> {
  if (entry.isAsking) return;
  entry.isAsking = true;
  while (entry.isStale) {
    entry.isStale = false;
    try {
      entry.store.set({ data: await get(path) });
    } catch (error) {
      entry.store.set({ ...entry.store.get(), error: error as Error });
    }
    if (entry.watchers === 0) break;
  }
  entry.isAsking = false;
}
