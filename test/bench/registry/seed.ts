/** Fills a store by SQL of its own, since asking the gateway a million times would take longer than the bench. */
import type { D1Database } from '@cloudflare/workers-types';

const FIRST_SHARED_VNI = 4096;

/** The tenant of the first thousand. */
export const FIRST_TENANT = 'tenant-00000';
const NETWORKS_PER_TENANT = 1000;
/** D1 ends a statement that takes too long. */
const ROWS_PER_STATEMENT = 50_000;

/** Numbers from `first` on, as a table `n(i)`. */
const numbers = (first: number, count: number): string =>
  `WITH RECURSIVE n(i) AS (VALUES (${first}) UNION ALL SELECT i + 1 FROM n WHERE i < ${first + count - 1})`;

/** Makes networks `from` to `to`, of a tenant for each thousand, with the VNIs of those places in the shared pool. */
export async function seedNetworks(d1: D1Database, from: number, to: number): Promise<void> {
  await d1
    .prepare(
      `${numbers(0, Math.ceil(to / NETWORKS_PER_TENANT))} INSERT OR IGNORE INTO tenants (id, slug, name, limit_networks,
        limit_sites, limit_macs_per_network, network_count, epoch, revision, created_at)
      SELECT printf('tenant-%05d', i), printf('seeded-%05d', i), 'Seeded', 1000000, 1000, 1000000, ${NETWORKS_PER_TENANT},
        'epoch', ${NETWORKS_PER_TENANT}, 0 FROM n`,
    )
    .run();
  for (let first = from; first < to; first += ROWS_PER_STATEMENT) {
    await d1
      .prepare(
        `${numbers(first, Math.min(ROWS_PER_STATEMENT, to - first))} INSERT INTO networks (id, tenant_id, name, vni, mtu,
          anti_spoof, arp_suppression, flood, header_revision, revision, created_at)
        SELECT printf('network-%07d', i), printf('tenant-%05d', i / ${NETWORKS_PER_TENANT}), 'net-' || i,
          ${FIRST_SHARED_VNI} + i, 1450, 'vtep', 0, 'headend', i % ${NETWORKS_PER_TENANT}, i % ${NETWORKS_PER_TENANT}, 0 FROM n`,
      )
      .run();
  }
  await d1
    .prepare('UPDATE vni_free SET first = ?')
    .bind(FIRST_SHARED_VNI + to)
    .run();
}

/** Fills a network's MAC/IP table with stations of one site, all of them from `revision`. The digest is not kept up. */
export async function seedMacs(
  d1: D1Database,
  at: { readonly tenantId: string; readonly networkId: string; readonly siteId: string; readonly revision: number },
  count: number,
): Promise<void> {
  for (let first = 0; first < count; first += ROWS_PER_STATEMENT) {
    await d1
      .prepare(
        `${numbers(first, Math.min(ROWS_PER_STATEMENT, count - first))} INSERT INTO macs (tenant_id, network_id, mac, ip, site_id,
          sticky, state, revision, added_revision, hash)
        SELECT ?1, ?2, printf('02:00:00:%02x:%02x:%02x', i >> 16, (i >> 8) & 255, i & 255),
          printf('10.%d.%d.%d', i >> 16, (i >> 8) & 255, i & 255), ?3, 0, 'live', ?4, ?4, 0 FROM n`,
      )
      .bind(at.tenantId, at.networkId, at.siteId, at.revision)
      .run();
  }
  await d1.prepare('UPDATE networks SET mac_count = ? WHERE id = ?').bind(count, at.networkId).run();
}
