/** Lists that come in pages: as many as are looked at, and all of them for an export. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from './call.ts';
import { changes } from './changes.ts';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface Pages<Item> {
  /** Undefined until the first page is there. */
  readonly items?: readonly Item[];
  readonly error?: Error;
  readonly hasMore: boolean;
  /** True where something changed since so many pages were loaded that they are not asked for anew unbidden. */
  readonly isOutdated: boolean;
  readonly more: () => void;
  readonly reload: () => void;
}

const PAGE = 500;
/** Up to so many pages are asked for anew by themselves when something changes. */
const REFRESHED_PAGES = 2;

interface Loaded<Item> {
  readonly path: string;
  readonly items?: readonly Item[];
  readonly cursor: string | null;
  readonly pages: number;
  readonly error?: Error;
  readonly isOutdated: boolean;
}

/** @param path with its query, but for `limit` and `cursor`. */
export function usePages<Item>(path: string): Pages<Item> {
  const [loaded, setLoaded] = useState<Loaded<Item>>(() => nothing(path));
  const latest = useRef(loaded);
  latest.current = loaded;
  const asking = useRef<AbortController | null>(null);

  const load = useCallback(async (from: Loaded<Item>, pages: number): Promise<void> => {
    asking.current?.abort();
    const asked = new AbortController();
    asking.current = asked;
    let next = from;
    try {
      for (let i = 0; i < pages && (i === 0 || next.cursor !== null); ) {
        const page = await get<Page<Item>>(pagePath(from.path, next.cursor, PAGE));
        next = {
          path: from.path,
          items: [...(next.items ?? []), ...page.items],
          cursor: page.nextCursor,
          pages: next.pages + 1,
          isOutdated: false,
        };
        // A page of a search that found nothing yet is none to show.
        if (page.items.length > 0 || page.nextCursor === null) i++;
        else if (asked.signal.aborted) return;
      }
    } catch (error) {
      next = { ...latest.current, error: error as Error };
    }
    if (asked.signal.aborted) return;
    asking.current = null;
    setLoaded(next);
  }, []);

  useEffect(() => {
    void load(nothing(path), 1);
    return () => asking.current?.abort();
  }, [path, load]);

  useEffect(
    () =>
      changes.subscribe(() => {
        const { pages, path: current } = latest.current;
        if (pages <= REFRESHED_PAGES) void load(nothing(current), Math.max(1, pages));
        else setLoaded((before) => ({ ...before, isOutdated: true }));
      }),
    [load],
  );

  const shown = loaded.path === path ? loaded : nothing<Item>(path);
  return {
    ...(shown.items === undefined ? {} : { items: shown.items }),
    ...(shown.error === undefined ? {} : { error: shown.error }),
    hasMore: shown.cursor !== null,
    isOutdated: shown.isOutdated,
    more: () => {
      if (asking.current === null && latest.current.cursor !== null) void load(latest.current, 1);
    },
    reload: () => void load(nothing(path), 1),
  };
}

/** Every item of a list, however many pages. */
export async function readAll<Item>(path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Item> = await get(pagePath(path, cursor, PAGE));
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

function nothing<Item>(path: string): Loaded<Item> {
  return { path, cursor: null, pages: 0, isOutdated: false };
}

function pagePath(path: string, cursor: string | null, limit: number): string {
  const from = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  return `${path}${path.includes('?') ? '&' : '?'}limit=${limit}${from}`;
}
