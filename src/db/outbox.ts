/**
 * Which tenants' changes may not have been told. A change is told right after its commit, by whoever made it; that may be lost between
 * the two. So what was committed since the last look is told again, which costs those who know it nothing.
 */
import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';

export interface Untold {
  readonly tenantId: string;
  readonly revision: number;
}

/** Looks at all tenants: an index would cost two rows more with every change, which is far more. */
export function listUntold(db: Database, limit: number): Promise<Untold[]> {
  return db.all<Untold>(
    sql`SELECT id AS tenantId, revision FROM tenants WHERE revision > told_revision LIMIT ${limit}`,
  );
}

export async function noteTold(db: Database, told: readonly Untold[]): Promise<void> {
  await db.run(sql`UPDATE tenants SET told_revision = told.value ->> 'revision'
    FROM json_each(${JSON.stringify(told)}) told WHERE tenants.id = told.value ->> 'tenantId'`);
}
