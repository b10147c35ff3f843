import { type SQL, sql } from 'drizzle-orm';
import { type NetworkReport, OFFLINE_AFTER_SECONDS, WATCHING_OFFLINE_AFTER_SECONDS } from '../contract/agent.ts';
import type { PathReport } from '../contract/path-report.ts';
import { type Sample, type Sampled, takeSamples } from '../domain/samples.ts';
import { standingIn } from '../domain/standing.ts';
import { type Database, runAll, write } from './database.ts';
import { recordEvent } from './events.ts';
import { keepHours } from './history.ts';
import { recordOnline } from './presence.ts';

interface Sender {
  readonly tenantId: string;
  readonly siteId: string;
}

/** How many held removals of one report are told and kept: of more, an agent can make up as many as it likes. */
const MAX_HELD = 100;

/**
 * Keeps what a site's agent said, in one row: of the networks that it carries, and of those that it holds though the registry says no more
 * that it does. A site that was deleted meanwhile leaves nothing.
 */
export async function saveHeartbeat(
  db: Database,
  from: Sender,
  said: {
    readonly cursor: string;
    readonly version: string;
    readonly networks: readonly NetworkReport[];
    readonly watching?: boolean | undefined;
    readonly paths?: readonly PathReport[] | undefined;
  },
  now: number,
): Promise<void> {
  const held = said.networks.filter(({ heldRemovals }) => heldRemovals !== undefined).slice(0, MAX_HELD);
  const paths = said.paths === undefined ? null : JSON.stringify({ at: now, to: said.paths });
  const until = now + (said.watching ? WATCHING_OFFLINE_AFTER_SECONDS : OFFLINE_AFTER_SECONDS) * 1000;
  const { before, expected } = await readBefore(db, from);
  const isBehind = said.networks.some(({ vni, revision }) => revision < (expected.get(vni) ?? 0));
  const carried = said.networks.filter(({ vni }) => expected.has(vni));
  const kept = [...carried, ...held.filter(({ vni }) => !expected.has(vni))];
  const { samples, finished } = takeSamples(before, carried, now);
  // Of two reports at once one counts: what the other tells of the traffic is in the next.
  const unlessOvertaken = (mine: SQL, theirs: SQL): SQL =>
    sql`iif(site_status.sampled_at IS ${before.sampledAt}, ${mine}, ${theirs})`;
  await write(db, [
    ...recordOnline(db, from.tenantId, [from.siteId]),
    ...(held.length > 0 ? recordHeld(db, from, held) : []),
    ...keepHours(from, finished, before.sampledAt),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, cursor, version, report, standing, paths, behind_since,
        sampled_at, samples)
      SELECT id, tenant_id, ${now}, ${until}, ${said.cursor}, ${said.version}, ${JSON.stringify(kept)},
        ${JSON.stringify(kept.map(standingIn))}, ${paths}, ${isBehind ? now : null}, ${now},
        ${JSON.stringify(samples)}
      FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
      ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, cursor = excluded.cursor,
        online_until = max(online_until, excluded.online_until), version = excluded.version, report = excluded.report,
        standing = excluded.standing, paths = excluded.paths,
        behind_since = iif(excluded.behind_since IS NULL, NULL, coalesce(site_status.behind_since, excluded.behind_since)),
        samples = ${unlessOvertaken(sql`excluded.samples`, sql`site_status.samples`)},
        sampled_at = ${unlessOvertaken(sql`excluded.sampled_at`, sql`site_status.sampled_at`)}`,
  ]);
}

/** What the site last said, and by VNI the revision that it should have by now of what it carries. */
async function readBefore(
  db: Database,
  { tenantId, siteId }: Sender,
): Promise<{ readonly before: Sampled; readonly expected: ReadonlyMap<number, number> }> {
  const [kept, carried] = (await runAll(db, [
    sql`SELECT sampled_at AS sampledAt, samples, report FROM site_status WHERE tenant_id = ${tenantId} AND site_id = ${siteId}`,
    sql`SELECT a.vni AS vni, max(n.revision, a.revision) AS revision
      FROM attachments a JOIN networks n ON n.id = a.network_id AND n.tenant_id = a.tenant_id
      WHERE a.tenant_id = ${tenantId} AND a.site_id = ${siteId} AND a.state = 'live'`,
  ])) as [{ sampledAt: number | null; samples: string; report: string }[], { vni: number; revision: number }[]];
  const [row] = kept;
  const before: Sampled = {
    sampledAt: row?.sampledAt ?? null,
    samples: JSON.parse(row?.samples ?? '[]') as Sample[],
    report: JSON.parse(row?.report ?? '[]') as NetworkReport[],
  };
  return { before, expected: new Map(carried.map(({ vni, revision }) => [vni, revision])) };
}

/** One event for each network in which the site began to hold a removal: before what it said last is written over. */
function recordHeld(db: Database, { tenantId, siteId }: Sender, held: readonly NetworkReport[]): SQL[] {
  const heldBefore = sql`SELECT old.value ->> 'vni' FROM site_status s, json_each(s.report) old
    WHERE s.tenant_id = ${tenantId} AND s.site_id = ${siteId} AND old.value ->> 'heldRemovals' IS NOT NULL`;
  return recordEvent(db, tenantId, {
    kind: 'removal_held',
    subject: siteId,
    after: sql`json_object('vni', new.value ->> 'vni', 'peers', new.value ->> 'heldRemovals')`,
    from: sql`FROM json_each(${JSON.stringify(held)}) new WHERE new.value ->> 'vni' NOT IN (${heldBefore})`,
  });
}

/** Notes that the site enrolled anew, with which version; what it last reported stays until it reports. */
export async function saveVersion(db: Database, from: Sender, version: string, now: number): Promise<void> {
  const until = now + OFFLINE_AFTER_SECONDS * 1000;
  await write(db, [
    ...recordOnline(db, from.tenantId, [from.siteId]),
    sql`INSERT INTO site_status (site_id, tenant_id, last_seen, online_until, version, report)
      SELECT id, tenant_id, ${now}, ${until}, ${version}, '[]' FROM sites WHERE tenant_id = ${from.tenantId} AND id = ${from.siteId}
      ON CONFLICT (site_id) DO UPDATE SET last_seen = excluded.last_seen, version = excluded.version,
        online_until = max(online_until, excluded.online_until)`,
  ]);
}
