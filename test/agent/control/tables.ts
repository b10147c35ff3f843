/** Tables to test with: built from the few things a test cares about, with the digest that belongs to them. */
import fc from 'fast-check';
import { digestOf, formatDigest } from '../../../src/contract/digest.ts';
import type { Delta, MacRow, NetworkChange, NetworkTable, Snapshot, Vtep } from '../../../src/contract/table.ts';

export function vtep(n: number): Vtep {
  return { site: `site-${n}`, address: `10.0.${n >> 8}.${n & 255}`, port: 4789 };
}

export function macRow(n: number, site: string, seq = 1): MacRow {
  return { mac: `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`, site, seq, sticky: false };
}

export function network(vni: number, fields: Partial<NetworkTable> = {}): NetworkTable {
  const table = {
    vni,
    network: `net-${vni}`,
    name: `lan-${vni}`,
    mtu: 1450,
    port: { type: 'host', name: `tap${vni}` } as const,
    flood: 'headend' as const,
    antiSpoof: 'vtep' as const,
    arpSuppression: false,
    revision: 1,
    vteps: [] as Vtep[],
    macs: [] as MacRow[],
    ...fields,
  };
  return { ...table, digest: fields.digest ?? formatDigest(digestOf(table)) };
}

export function snapshot(cursor: string, networks: NetworkTable[]): Snapshot {
  return { kind: 'snapshot', cursor, networks };
}

/** @returns the delta that leads from one snapshot to the other. */
export function deltaBetween(before: Snapshot, after: Snapshot): Delta {
  const old = new Map(before.networks.map((table) => [table.vni, table]));
  const still = new Set(after.networks.map(({ vni }) => vni));
  const goneNetworks = before.networks.map(({ vni }) => vni).filter((vni) => !still.has(vni));
  const networks: NetworkChange[] = [];
  for (const table of after.networks) {
    const base = old.get(table.vni);
    if (JSON.stringify(base) === JSON.stringify(table)) continue;
    if (base !== undefined && base.network !== table.network) goneNetworks.push(table.vni);
    networks.push(base === undefined || base.network !== table.network ? table : changeBetween(base, table));
  }
  return { kind: 'delta', from: before.cursor, cursor: after.cursor, networks, goneNetworks };
}

function changeBetween(before: NetworkTable, after: NetworkTable): NetworkChange {
  const same = (a: unknown) => (b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return {
    ...after,
    vteps: after.vteps.filter((entry) => !before.vteps.some(same(entry))),
    macs: after.macs.filter((entry) => !before.macs.some(same(entry))),
    gone: {
      vteps: before.vteps.map(({ site }) => site).filter((site) => !after.vteps.some((entry) => entry.site === site)),
      macs: before.macs.map(({ mac }) => mac).filter((mac) => !after.macs.some((entry) => entry.mac === mac)),
    },
  };
}

/** Worlds that share few VNIs, sites and MACs, so that they overlap in every way. */
export function arbitrarySnapshots(count: number): fc.Arbitrary<Snapshot[]> {
  const vteps = fc.uniqueArray(
    fc.record({ n: fc.nat(5), address: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1'), port: fc.nat(1) }),
    { selector: ({ n }) => n, maxLength: 6 },
  );
  const macs = fc.uniqueArray(fc.record({ n: fc.nat(5), site: fc.nat(5), seq: fc.nat(2) }), {
    selector: ({ n }) => n,
    maxLength: 6,
  });
  const table = fc.record({
    vni: fc.integer({ min: 1, max: 4 }),
    life: fc.nat(1),
    mtu: fc.constantFrom(1400, 1450),
    vteps,
    macs,
  });
  const networks = fc.uniqueArray(table, { selector: ({ vni }) => vni, maxLength: 4 });
  return fc.array(networks, { minLength: count, maxLength: count }).map((worlds) =>
    worlds.map((world, i) =>
      snapshot(
        `c${i}`,
        world.map(({ vni, life, mtu, vteps: peers, macs: rows }) =>
          network(vni, {
            network: `net-${vni}-${life}`,
            mtu,
            vteps: peers.map(({ n, address, port }) => ({ site: `site-${n}`, address, port: 4789 + port })),
            macs: rows.map(({ n, site, seq }) => macRow(n, `site-${site}`, seq)),
          }),
        ),
      ),
    ),
  );
}
