/**
 * What a site's agent says of the stations on its ports, thousands at once: the rules of domain/mobility in SQL.
 *
 * Each statement reaches the verdicts anew, over the same rows, since the one that changes those rows comes last.
 */
import { type SQL, sql } from 'drizzle-orm';
import { hashMac } from '../contract/digest.ts';
import type { MacRejection, MacReport, MacReported } from '../contract/macs.ts';
import { FREEZE_SECONDS, MOVE_WINDOW_SECONDS, MOVES_TO_FREEZE } from '../domain/mobility.ts';
import { type Database, runAll } from './database.ts';
import { recordEvent, recordMacsNear } from './events.ts';
import { sumOfHashes } from './macs-of-site.ts';
import { DIGEST_MASK, revision, takeRevision } from './revision.ts';
import { trimTombstones } from './tombstones.ts';

interface Sender {
  readonly tenantId: string;
  readonly siteId: string;
}

export interface ReportOutcome {
  /** The tenant's revision after it. */
  readonly revision: number;
  readonly rejected: MacReported['rejected'];
}

/** Takes in all that can be, in one batch. It takes a revision only where something changes. */
export async function saveMacReport(
  db: Database,
  from: Sender,
  report: MacReport,
  now: number,
): Promise<ReportOutcome> {
  const { tenantId } = from;
  const withdrawal = report.withdraw.length === 0 ? [] : withdraw(from, report.withdraw, now);
  const carriedVnis = sql`SELECT n.vni AS vni FROM attachments a JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
    WHERE a.tenant_id = ${tenantId} AND a.site_id = ${from.siteId} AND a.state = 'live'`;
  const { rejected, writes } = announce(db, from, report.announce, now);
  const results = await runAll(db, [
    ...withdrawal,
    carriedVnis,
    rejected,
    ...writes,
    sql`SELECT revision FROM tenants WHERE id = ${tenantId}`,
  ]);
  const carried = new Set((results[withdrawal.length] as { vni: number }[]).map(({ vni }) => vni));
  const judged = results[withdrawal.length + 1] as { vni: number; mac: string; code: MacRejection }[];
  const [tenant] = results.at(-1) as { revision: number }[];
  const strays = report.announce.filter(({ vni }) => !carried.has(vni));
  return {
    revision: tenant?.revision ?? 0,
    rejected: [...strays.map(({ vni, mac }) => ({ vni, mac, code: 'not_found' as const })), ...judged],
  };
}

/** Those of the site's own that are not sticky go; of any other, nothing is said. */
function withdraw({ tenantId, siteId }: Sender, asked: MacReport['withdraw'], now: number): SQL[] {
  const going = sql`SELECT m.network_id, m.mac, m.hash FROM json_each(${JSON.stringify(asked)}) w
    CROSS JOIN networks n ON n.vni = w.value ->> 'vni' AND n.tenant_id = ${tenantId}
    CROSS JOIN macs m ON m.network_id = n.id AND m.mac = w.value ->> 'mac'
    WHERE m.tenant_id = ${tenantId} AND m.site_id = ${siteId} AND m.state = 'live' AND m.sticky = 0`;
  return [
    sql`${takeRevision(tenantId)} AND EXISTS (${going})`,
    sql`UPDATE networks SET revision = ${revision(tenantId)}, digest = (digest - gone.hashes) & ${DIGEST_MASK}, mac_count = mac_count - gone.count
      FROM (SELECT network_id, ${sumOfHashes(sql`hash`)} AS hashes, count(*) AS count FROM (${going}) GROUP BY network_id) AS gone
      WHERE networks.id = gone.network_id AND networks.tenant_id = ${tenantId}`,
    sql`UPDATE macs SET state = 'gone', gone_at = ${now}, revision = ${revision(tenantId)}, moves = 0, frozen_until = NULL
      WHERE tenant_id = ${tenantId} AND (network_id, mac) IN (SELECT network_id, mac FROM (${going}))`,
  ];
}

/** @returns the statement that reads what is rejected, and those that write the rest. */
function announce(
  db: Database,
  from: Sender,
  asked: MacReport['announce'],
  now: number,
): { readonly rejected: SQL; readonly writes: SQL[] } {
  const { tenantId, siteId } = from;
  const verdicts = judge(from, asked, now);
  const rejected = sql`SELECT vni, mac, verdict AS code FROM (${verdicts}) WHERE verdict NOT IN ('changed', 'unchanged')`;
  if (asked.length === 0) return { rejected, writes: [] };
  const changed = sql`FROM (${verdicts}) AS v WHERE v.verdict = 'changed'`;
  const vnis = [...new Set(asked.map(({ vni }) => vni))];
  const isOfThisChange = sql`macs.network_id = networks.id AND macs.revision = ${revision(tenantId)}`;
  const came = sql`(SELECT count(*) FROM macs
    WHERE tenant_id = ${tenantId} AND ${isOfThisChange} AND macs.added_revision = macs.revision)`;
  const picture = (site: SQL, ip: SQL) => sql`json_object('network', v.network_id, 'site', ${site}, 'ip', ${ip})`;
  const moved = {
    subject: sql`v.mac`,
    before: picture(sql`v.old_site`, sql`v.old_ip`),
    after: picture(sql`${siteId}`, sql`v.ip`),
  };
  return {
    rejected,
    writes: [
      sql`${takeRevision(tenantId)} AND EXISTS (SELECT 1 ${changed})`,
      ...recordEvent(db, tenantId, { kind: 'mac_moved', ...moved, from: sql`${changed} AND v.is_move` }),
      ...recordEvent(db, tenantId, { kind: 'mac_frozen', ...moved, from: sql`${changed} AND v.freezes` }),
      sql`UPDATE networks SET digest = (digest + told.hashes - told.old_hashes) & ${DIGEST_MASK}, mac_rows = mac_rows + told.rows
        FROM (SELECT v.network_id, ${sumOfHashes(sql`v.hash`)} AS hashes, ${sumOfHashes(sql`v.old_hash`)} AS old_hashes,
            sum(v.old_site IS NULL) AS rows
          ${changed} GROUP BY v.network_id) AS told
        WHERE networks.id = told.network_id AND networks.tenant_id = ${tenantId}`,
      sql`INSERT INTO macs (tenant_id, network_id, mac, ip, site_id, sticky, state, revision, added_revision, hash, moves,
          moves_since, frozen_until)
        SELECT ${tenantId}, v.network_id, v.mac, v.ip, ${siteId}, 0, 'live', ${revision(tenantId)},
          iif(v.is_new, ${revision(tenantId)}, v.added_revision), v.hash, v.moves, v.moves_since,
          CASE WHEN v.freezes THEN ${now + FREEZE_SECONDS * 1000} WHEN v.is_move THEN NULL ELSE v.frozen_until END
        ${changed}
        ON CONFLICT (network_id, mac) DO UPDATE SET ip = excluded.ip, site_id = excluded.site_id, state = 'live', gone_at = NULL,
          revision = excluded.revision, added_revision = excluded.added_revision, hash = excluded.hash, moves = excluded.moves,
          moves_since = excluded.moves_since, frozen_until = excluded.frozen_until`,
      ...recordMacsNear(
        db,
        tenantId,
        sql`vni IN (SELECT value FROM json_each(${JSON.stringify(vnis)})) AND revision < ${revision(tenantId)}`,
        came,
      ),
      // Nearly last, since the count is what the verdicts go by: by now the rows themselves tell what came, where this batch changed any.
      sql`UPDATE networks SET revision = ${revision(tenantId)}, mac_count = mac_count + ${came}
        WHERE tenant_id = ${tenantId} AND vni IN (SELECT value FROM json_each(${JSON.stringify(vnis)}))
          AND revision < ${revision(tenantId)} AND EXISTS (SELECT 1 FROM macs WHERE tenant_id = ${tenantId} AND ${isOfThisChange})`,
      ...trimTombstones(tenantId, vnis),
    ],
  };
}

/** A SELECT with one row per MAC that is announced of a network that the site carries, with its verdict and what it would become. */
function judge({ tenantId, siteId }: Sender, asked: MacReport['announce'], now: number): SQL {
  const limit = sql`(SELECT limit_macs_per_network FROM tenants WHERE id = ${tenantId})`;
  return sql`SELECT vni, network_id, mac, ip, hash, old_site, old_ip, old_hash, added_revision, frozen_until, is_new, is_move,
      moves, iif(is_move AND moves = 1, ${now}, moves_since) AS moves_since,
      is_move AND moves >= ${MOVES_TO_FREEZE} AS freezes,
      CASE
        WHEN sticky THEN iif(old_site = ${siteId}, 'unchanged', 'mac_sticky')
        WHEN is_new THEN iif(mac_count + sum(is_new) OVER (PARTITION BY network_id ORDER BY key) > ${limit}, 'quota_exceeded', 'changed')
        WHEN NOT is_move THEN iif(ip IS NULL OR ip = old_ip, 'unchanged', 'changed')
        WHEN frozen_until > ${now} THEN 'mac_frozen'
        ELSE 'changed'
      END AS verdict
    FROM (
      SELECT w.key AS key, n.vni AS vni, n.id AS network_id, n.mac_count AS mac_count,
        w.value ->> 0 AS mac, w.value ->> 1 AS ip, w.value ->> 2 AS hash,
        m.site_id AS old_site, m.ip AS old_ip, iif(m.state = 'live', m.hash, 0) AS old_hash, m.added_revision AS added_revision,
        m.sticky AS sticky, m.frozen_until AS frozen_until, coalesce(m.moves_since, 0) AS moves_since,
        coalesce(m.state, 'gone') = 'gone' AS is_new,
        coalesce(m.state = 'live' AND m.site_id <> ${siteId}, 0) AS is_move,
        CASE
          WHEN coalesce(m.state, 'gone') = 'gone' THEN 0
          WHEN m.site_id = ${siteId} THEN m.moves
          WHEN m.moves_since > ${now - MOVE_WINDOW_SECONDS * 1000} THEN m.moves + 1
          ELSE 1
        END AS moves
      FROM json_each(${JSON.stringify(groupByVni(asked, siteId))}) g
      CROSS JOIN networks n ON n.vni = g.value ->> 'vni' AND n.tenant_id = ${tenantId}
      CROSS JOIN attachments a ON a.network_id = n.id AND a.site_id = ${siteId} AND a.tenant_id = ${tenantId} AND a.state = 'live'
      CROSS JOIN json_each(g.value, '$.macs') w
      LEFT JOIN macs m ON m.tenant_id = ${tenantId} AND m.network_id = n.id AND m.mac = w.value ->> 0
    )`;
}

/** By network, so that each is looked up once; with the hashes, since SQL can't make them. */
function groupByVni(asked: MacReport['announce'], siteId: string) {
  const groups = Map.groupBy(asked, ({ vni }) => vni);
  return [...groups].map(([vni, group]) => ({
    vni,
    macs: group.map(({ mac, ip }) => [mac, ip ?? null, hashMac({ mac, ip, site: siteId, sticky: false })]),
  }));
}
