/**
 * One order of events per tenant: every change takes the tenant's next revision in its own batch, and stamps what it changes with it.
 * `takeRevision` comes first in a batch; `revision` is then the same number throughout.
 */
import { type SQL, sql } from 'drizzle-orm';

export function takeRevision(tenantId: string): SQL {
  return sql`UPDATE tenants SET revision = revision + 1 WHERE id = ${tenantId}`;
}

/** The tenant's revision, as an expression. */
export function revision(tenantId: string): SQL {
  return sql`(SELECT revision FROM tenants WHERE id = ${tenantId})`;
}

/** The modulus of contract/digest, as a mask: SQLite's 64-bit integers wrap below zero in two's complement, so a mask is right. */
export const DIGEST_MASK = sql.raw('0xffffffffffff');
