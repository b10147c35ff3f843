/** What those who look at a tenant must be told of. */
import { type SQL, sql } from 'drizzle-orm';
import type { EventPosition } from '../contract/events.ts';
import type { Credential } from '../domain/viewer.ts';
import { type Database, runAll } from './database.ts';

export interface Moment {
  /** Null where the tenant is no more. */
  readonly revision: number | null;
  /** Of the newest event; null where there is none. */
  readonly event: EventPosition | null;
  /** Those of the credentials asked for that are still good, by their ids. */
  readonly good: ReadonlySet<string>;
}

/** @returns how the tenant stands, at one moment. */
export async function readMoment(
  db: Database,
  tenantId: string,
  credentials: readonly Credential[],
  now: number,
): Promise<Moment> {
  const idsOf = (kind: Credential['kind']): string =>
    JSON.stringify(credentials.filter((credential) => credential.kind === kind).map(({ id }) => id));
  const [tenants, events, keys, sessions] = (await runAll(db, [
    sql`SELECT revision FROM tenants WHERE id = ${tenantId}`,
    sql`SELECT at, id AS number FROM events WHERE tenant_id = ${tenantId} ORDER BY at DESC, id DESC LIMIT 1`,
    selectKeys(tenantId, idsOf('key'), now),
    selectSessions(tenantId, idsOf('session'), now),
  ])) as [{ revision: number }[], EventPosition[], { id: string }[], { id: string }[]];
  return {
    revision: tenants[0]?.revision ?? null,
    event: events[0] ?? null,
    good: new Set([...keys, ...sessions].map(({ id }) => id)),
  };
}

function selectKeys(tenantId: string, ids: string, now: number): SQL {
  return sql`SELECT k.id AS id FROM json_each(${ids}) w CROSS JOIN api_keys k ON k.id = w.value
    WHERE k.tenant_id = ${tenantId} AND (k.expires_at IS NULL OR k.expires_at > ${now})`;
}

/** Of this tenant by a key or a member that there still are, or the operator's. */
function selectSessions(tenantId: string, ids: string, now: number): SQL {
  return sql`SELECT s.id AS id FROM json_each(${ids}) w CROSS JOIN sessions s ON s.id = w.value
    LEFT JOIN api_keys k ON k.id = s.key_id AND k.tenant_id = s.tenant_id AND (k.expires_at IS NULL OR k.expires_at > ${now})
    LEFT JOIN members m ON m.id = s.member_id AND m.tenant_id = s.tenant_id
    WHERE s.expires_at > ${now}
      AND (s.tenant_id IS NULL OR (s.tenant_id = ${tenantId} AND (k.id IS NOT NULL OR m.id IS NOT NULL)))`;
}
