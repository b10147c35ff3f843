import { sql } from 'drizzle-orm';
import type { FrozenMac } from '../domain/alerts.ts';
import { FREEZE_SECONDS } from '../domain/mobility.ts';
import type { Database } from './database.ts';

/** The tenant's MACs that are frozen at `now`: found by the events of it, since there is no index by that. */
export function listFrozenMacs(db: Database, tenantId: string, now: number): Promise<FrozenMac[]> {
  return db.all<FrozenMac>(sql`SELECT m.mac AS mac, m.network_id AS networkId, m.site_id AS siteId, max(e.at) AS frozenAt,
      m.frozen_until AS frozenUntil
    FROM events e JOIN macs m ON m.tenant_id = e.tenant_id AND m.network_id = e.after ->> 'network' AND m.mac = e.subject
    WHERE e.tenant_id = ${tenantId} AND e.at >= ${now - FREEZE_SECONDS * 1000} AND e.kind = 'mac_frozen'
      AND m.state <> 'gone' AND m.frozen_until > ${now}
    GROUP BY m.network_id, m.mac ORDER BY frozenAt DESC`);
}
