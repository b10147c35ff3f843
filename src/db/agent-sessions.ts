import { eq } from 'drizzle-orm';
import type { Database } from './database.ts';
import { sites, tenants } from './schema.ts';
import type { SiteRow } from './sites.ts';
import type { TenantRow } from './tenants.ts';

export interface AgentSession {
  readonly site: SiteRow;
  readonly tenant: TenantRow;
}

/** Finds the site that a token claims to be of, with its tenant: two rows, and enough to say "nothing new". */
export async function findAgentSession(db: Database, siteId: string): Promise<AgentSession | undefined> {
  const [row] = await db
    .select({ site: sites, tenant: tenants })
    .from(sites)
    .innerJoin(tenants, eq(tenants.id, sites.tenantId))
    .where(eq(sites.id, siteId));
  return row;
}
