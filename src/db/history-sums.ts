/**
 * The sum over a tenant's sites of each hour that is over: one row of `site_history` whose site is ''. Without it a month of hundreds of
 * busy sites is hundreds of thousands of rows for whoever asks. What a site still says of such an hour goes into both.
 */
import { type SQL, sql } from 'drizzle-orm';
import type { Taken } from '../domain/samples.ts';
import type { Database } from './database.ts';

export const SUM_OF_SITES = '';

/** By then most sites have said what they carried. */
const SUMMED_AFTER_HOURS = 2;
/** How far back hours are looked for that were not summed up, since nobody kept house. */
const LOOK_BACK_HOURS = 26;

/** Sums up the hours that are due, for all tenants alike. */
export async function sumUpHours(db: Database, now: number): Promise<void> {
  const last = Math.floor(now / 3_600_000) - SUMMED_AFTER_HOURS;
  for (let hour = last; hour > last - LOOK_BACK_HOURS; hour--) await db.run(sumUp(hour));
}

/** `total`, not `sum`: where one tenant's agents say too large a number that would fail, for every tenant. */
function sumUp(hour: number): SQL {
  return sql`INSERT INTO site_history (tenant_id, hour, site_id, samples)
    SELECT tenant_id, ${hour}, ${SUM_OF_SITES}, json_group_array(json_array(step, vni, a, b, c, d, e)) FROM (
      SELECT t.id AS tenant_id, s.value ->> 0 AS step, s.value ->> 1 AS vni, total(s.value ->> 2) AS a, total(s.value ->> 3) AS b,
        total(s.value ->> 4) AS c, total(s.value ->> 5) AS d, total(s.value ->> 6) AS e
      FROM tenants t CROSS JOIN site_history h ON h.tenant_id = t.id AND h.hour = ${hour} CROSS JOIN json_each(h.samples) s
      WHERE NOT EXISTS (SELECT 1 FROM site_history r WHERE r.tenant_id = t.id AND r.hour = ${hour} AND r.site_id = ${SUM_OF_SITES})
      GROUP BY t.id, step, vni) GROUP BY tenant_id`;
}

/** For the batch that keeps a site's hours: what of them was summed up already has to be added. Writes nothing where none was. */
export function addToSums(tenantId: string, finished: Taken['finished'], unless: SQL): SQL {
  return sql`UPDATE site_history SET samples = substr(samples, 1, length(samples) - 1) || ',' || substr(w.value ->> 'samples', 2)
    FROM json_each(${JSON.stringify(finished)}) w
    WHERE tenant_id = ${tenantId} AND site_id = ${SUM_OF_SITES} AND hour = w.value ->> 'hour' AND ${unless}`;
}
