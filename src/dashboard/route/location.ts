/** Where the page is, as the address bar says it. */
import { createStore } from '../api/store.ts';

export interface Location {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Grows with every page that is gone to: what is there at first is 0. */
  readonly visit: number;
}

export const location = createStore<Location>(read(0));

addEventListener('popstate', () => location.set(read(location.get().visit + 1)));

/** Goes to a page. `replace` where the way back should not come by here. */
export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  location.set(read(location.get().visit + 1));
  if (!replace) scrollTo(0, 0);
}

/** Keeps a filter in the address, so that it survives reloading and can be passed on. Empty takes it out. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  const { path, query, visit } = location.get();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  history.replaceState(null, '', text === '' ? path : `${path}?${text}`);
  location.set({ path, query: next, visit });
}

function read(visit: number): Location {
  const { pathname, search } = globalThis.location;
  return { path: pathname, query: new URLSearchParams(search), visit };
}
