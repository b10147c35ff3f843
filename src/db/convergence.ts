import { type SQL, sql } from 'drizzle-orm';
import type { NetworkSum, SiteHashes } from '../domain/site-wireguard.ts';
import { type KeptStanding, type Said, saidIn } from '../domain/standing.ts';
import { type Database, runAll } from './database.ts';

/** A site with an agent, live in the network: what it should have, and what it last said. */
export interface MemberRow extends SiteHashes {
  readonly siteId: string;
  readonly name: string;
  /** Of the network's table as this site should have it. */
  readonly revision: number;
  readonly onlineUntil: number | null;
  readonly said: Said | null;
}

export interface Membership extends NetworkSum {
  /** The tenant's revision, and the network's, at one moment with the members. */
  readonly tenantRevision: number;
  readonly revision: number;
  readonly members: readonly MemberRow[];
}

/** @returns null where the network is no more. */
export async function readMembership(db: Database, tenantId: string, networkId: string): Promise<Membership | null> {
  const [heads, rows] = (await runAll(db, [
    sql`SELECT t.revision AS tenantRevision, n.revision AS revision, n.digest AS digest, n.transport AS transport
      FROM tenants t JOIN networks n ON n.tenant_id = t.id WHERE t.id = ${tenantId} AND n.id = ${networkId}`,
    selectMembers(tenantId, networkId),
  ])) as [Omit<Membership, 'members'>[], (Omit<MemberRow, 'said'> & { standing: string | null })[]];
  const [head] = heads;
  if (head === undefined) return null;
  const members = rows.map(({ standing, ...row }) => ({
    ...row,
    said: standing === null ? null : saidIn(JSON.parse(standing) as KeptStanding),
  }));
  return { ...head, members };
}

/** How a site stands in all its networks is in one column: only the part on this one is brought along. */
function selectMembers(tenantId: string, networkId: string): SQL {
  return sql`SELECT s.id AS siteId, s.name AS name, s.hash AS hash, s.tunnel_hash AS tunnelHash, max(n.revision, a.revision) AS revision, st.online_until AS onlineUntil,
      (SELECT r.value FROM json_each(st.standing) r WHERE r.value ->> 0 = a.vni) AS standing
    FROM attachments a
    JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
    JOIN sites s ON s.id = a.site_id AND s.tenant_id = a.tenant_id
    LEFT JOIN site_status st ON st.site_id = a.site_id AND st.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId} AND a.network_id = ${networkId} AND a.state = 'live' AND s.kind = 'agent' ORDER BY s.name`;
}
