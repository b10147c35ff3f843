/** A site's first word and every later one: the join token's use, the site, its attachments, all in one batch. */
import { and, eq, sql } from 'drizzle-orm';
import { OFFLINE_AFTER_SECONDS } from '../contract/agent.ts';
import { attachNewSite } from './attachments.ts';
import { type Database, type Write, write } from './database.ts';
import { recordEvent } from './events.ts';
import { guard } from './guards.ts';
import type { JoinTokenRow } from './join-tokens.ts';
import { joinTokens, sites, tenants } from './schema.ts';
import { insertSite, type NewSite, type SiteRow } from './sites.ts';

/** Finds a token by its id, in whichever tenant: the caller compares the secret before it trusts anything in it. */
export async function findJoinToken(
  db: Database,
  id: string,
): Promise<{ token: JoinTokenRow; tenantSlug: string } | undefined> {
  const [row] = await db
    .select({ token: joinTokens, tenantSlug: tenants.slug })
    .from(joinTokens)
    .innerJoin(tenants, eq(tenants.id, joinTokens.tenantId))
    .where(eq(joinTokens.id, id));
  return row;
}

/** Finds the site that has a public key, in whichever tenant: one key is one site. */
export async function findSiteByKey(db: Database, publicKey: string): Promise<SiteRow | undefined> {
  const [row] = await db.select().from(sites).where(eq(sites.publicKey, publicKey));
  return row;
}

/**
 * Makes the site with one use of the token.
 *
 * @throws Refusal `join_token_invalid`, `join_token_used_up`, `quota_exceeded`, `name_taken`, `vtep_taken`, `key_taken`.
 */
export async function enrolSite(db: Database, token: JoinTokenRow, site: NewSite, version: string): Promise<void> {
  const { id, tenantId } = token;
  const writes: Write[] = [
    guard('join_token_invalid', sql`EXISTS (SELECT 1 FROM join_tokens WHERE tenant_id = ${tenantId} AND id = ${id})`),
    guard(
      'join_token_used_up',
      sql`SELECT uses < max_uses FROM join_tokens WHERE tenant_id = ${tenantId} AND id = ${id}`,
    ),
    db
      .update(joinTokens)
      .set({ uses: sql`uses + 1` })
      .where(and(eq(joinTokens.tenantId, tenantId), eq(joinTokens.id, id))),
    ...insertSite(db, site, id),
    ...(token.networks.length === 0 ? [] : attachNewSite(tenantId, site.id, token.networks)),
    ...recordEvent(db, tenantId, {
      kind: 'site_attached',
      subject: site.id,
      after: sql`json_object('network', network_id, 'vni', vni, 'port', json(port))`,
      from: sql`FROM attachments WHERE tenant_id = ${tenantId} AND site_id = ${site.id}`,
    }),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, version, report)
      VALUES (${site.id}, ${tenantId}, ${site.createdAt}, ${site.createdAt + OFFLINE_AFTER_SECONDS * 1000}, ${version}, '[]')`,
  ];
  await write(db, writes);
}
