/** What sites said of the paths between them. A site's own word stands in its row; what others say of it is looked for in theirs. */
import { sql } from 'drizzle-orm';
import type { PathReport } from '../contract/path-report.ts';
import type { SiteKind } from '../contract/sites.ts';
import { type Database, runAll } from './database.ts';

export interface PathRow {
  /** The other site. */
  readonly id: string;
  readonly name: string;
  readonly kind: SiteKind;
  readonly report: PathReport;
  /** When it was said. */
  readonly at: number;
}

/** @returns what the site says of others of the tenant (`there`), and what others say of it (`back`), by name. */
export async function readPaths(
  db: Database,
  tenantId: string,
  siteId: string,
): Promise<{ readonly there: readonly PathRow[]; readonly back: readonly PathRow[] }> {
  const [there, back] = (await runAll(db, [
    sql`SELECT o.id AS id, o.name AS name, o.kind AS kind, p.value AS report, st.paths ->> 'at' AS at
      FROM site_status st CROSS JOIN json_each(st.paths, '$.to') p
      JOIN sites o ON o.id = p.value ->> 'site' AND o.tenant_id = st.tenant_id
      WHERE st.tenant_id = ${tenantId} AND st.site_id = ${siteId} AND o.id <> ${siteId} ORDER BY o.name`,
    sql`SELECT o.id AS id, o.name AS name, o.kind AS kind, p.value AS report, st.paths ->> 'at' AS at
      FROM sites o CROSS JOIN site_status st ON st.site_id = o.id AND st.tenant_id = o.tenant_id CROSS JOIN json_each(st.paths, '$.to') p
      WHERE o.tenant_id = ${tenantId} AND p.value ->> 'site' = ${siteId} AND o.id <> ${siteId} ORDER BY o.name`,
  ])) as [RawRow[], RawRow[]];
  return { there: there.map(parsed), back: back.map(parsed) };
}

type RawRow = Omit<PathRow, 'report'> & { readonly report: string };

function parsed(row: RawRow): PathRow {
  return { ...row, report: JSON.parse(row.report) as PathReport };
}
