/** Both ends' words of each path, put together. */
import type { PathReport } from '../contract/path-report.ts';
import type { PathSeen, Paths } from '../contract/paths.ts';

type Item = Paths['items'][number];

/** What one end said of the path to, or from, the site that is told of. */
export interface PathSaid extends Pick<Item['site'], 'id' | 'name' | 'kind'> {
  readonly report: PathReport;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** @param there what the site itself said; `back`: what the others said of it. @returns one for each other site and transport, by name. */
export function pathsOf({
  there,
  back,
}: {
  readonly there: readonly PathSaid[];
  readonly back: readonly PathSaid[];
}): Item[] {
  const items = new Map<string, Item>();
  for (const [way, rows] of [
    ['there', there],
    ['back', back],
  ] as const) {
    for (const { id, name, kind, report, at } of rows) {
      const { site: _, transport, ...figures } = report;
      const key = `${id} ${transport}`;
      const seen: PathSeen = { ...figures, reportedAt: new Date(at).toISOString() };
      items.set(key, { ...(items.get(key) ?? { site: { id, name, kind }, transport }), [way]: seen });
    }
  }
  return [...items.values()].toSorted((a, b) => (a.site.name < b.site.name ? -1 : a.site.name > b.site.name ? 1 : 0));
}
