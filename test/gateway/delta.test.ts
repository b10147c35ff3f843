import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TableUpdate } from '../../src/contract/table.ts';
import { attach, detach } from '../../src/db/attachments.ts';
import type { Database } from '../../src/db/database.ts';
import { createNetwork, deleteNetwork, findNetwork, patchNetwork } from '../../src/db/networks.ts';
import { pullTable } from '../../src/db/pull-table.ts';
import { createStaticSite, deleteSite, findSite, patchSite } from '../../src/db/sites.ts';
import { createTenant, findTenant } from '../../src/db/tenants.ts';
import { purgeTombstones } from '../../src/db/tombstones.ts';
import { type AppliedTable, applied, digestOfApplied, plain } from './applied-table.ts';
import { memoryStore } from './memory-store.ts';

const NETWORKS = 3;
const SITES = 4;

/** What the registry should hold, in the plainest form. */
interface ModelNetwork {
  id: string;
  vni: number;
  mtu: number;
  ports: Map<number, string>;
}
interface ModelSite {
  id: string;
  address: string;
  disabled: boolean;
  /** What its agent holds, and what changed since it pulled, as `network id/site id` or `network id/header`. */
  cursor: string;
  table: AppliedTable;
  changed: Set<string>;
}

class World {
  readonly networks: (ModelNetwork | null)[] = Array(NETWORKS).fill(null);
  readonly sites: (ModelSite | null)[] = Array(SITES).fill(null);
  #made = 0;
  readonly db: Database;
  readonly tenantId: string;

  constructor(db: Database, tenantId: string) {
    this.db = db;
    this.tenantId = tenantId;
  }

  next(): number {
    this.#made += 1;
    return this.#made;
  }

  touch(key: string): void {
    for (const site of this.sites) site?.changed.add(key);
  }

  /** What a disabled site is or isn't attached to is nothing that anyone sees. */
  touchMember(network: ModelNetwork, site: ModelSite): void {
    if (!site.disabled) this.touch(`${network.id}/${site.id}`);
  }

  touchSite(index: number): void {
    const site = this.sites[index]!;
    for (const network of this.networks) if (network?.ports.has(index)) this.touch(`${network.id}/${site.id}`);
  }

  async makeNetwork(index: number): Promise<void> {
    if (this.networks[index]) return;
    const n = this.next();
    const row = await createNetwork(
      this.db,
      this.tenantId,
      { id: `${this.tenantId}-network${n}`, now: n },
      { name: `n${index}` },
    );
    this.networks[index] = { id: row.id, vni: row.vni, mtu: row.mtu, ports: new Map() };
  }

  async dropNetwork(index: number): Promise<void> {
    const network = this.networks[index];
    if (!network) return;
    const now = this.next();
    // No hold: the next network gets the number at once, which is the hardest case for a delta.
    await deleteNetwork(this.db, this.tenantId, network.id, { now, until: now });
    for (const at of network.ports.keys()) this.touchMember(network, this.sites[at]!);
    this.networks[index] = null;
  }

  async makeSite(index: number): Promise<void> {
    if (this.sites[index]) return;
    const n = this.next();
    const address = `10.0.${n >> 8}.${n & 255}`;
    const body = { name: `s${index}`, kind: 'static' as const, vtep: { address } };
    const id = `${this.tenantId}-site${n}`;
    await createStaticSite(this.db, this.tenantId, { id, now: n }, body);
    this.sites[index] = { id, address, disabled: false, cursor: '', table: new Map(), changed: new Set() };
  }

  async dropSite(index: number): Promise<void> {
    const site = this.sites[index];
    if (!site) return;
    await deleteSite(this.db, this.tenantId, site.id, this.next());
    if (!site.disabled) this.touchSite(index);
    for (const network of this.networks) network?.ports.delete(index);
    this.sites[index] = null;
  }

  async attach(n: number, s: number, port: number): Promise<void> {
    const network = this.networks[n];
    const site = this.sites[s];
    if (!network || !site) return;
    const place = { tenantId: this.tenantId, networkId: network.id, siteId: site.id };
    const name = `p${port}`;
    const { isNew } = await attach(this.db, place, { type: 'host', name });
    expect(isNew).toBe(!network.ports.has(s));
    if (network.ports.get(s) !== name) this.touchMember(network, site);
    network.ports.set(s, name);
  }

  async detach(n: number, s: number): Promise<void> {
    const network = this.networks[n];
    const site = this.sites[s];
    if (!network || !site) return;
    const place = { tenantId: this.tenantId, networkId: network.id, siteId: site.id };
    const isThere = network.ports.delete(s);
    const done = await detach(this.db, place, this.next()).then(
      () => true,
      () => false,
    );
    expect(done).toBe(isThere);
    if (isThere) this.touchMember(network, site);
  }

  async patchSite(index: number, what: 'move' | 'disable' | 'enable' | 'describe' | 'move and enable'): Promise<void> {
    const site = this.sites[index];
    if (!site) return;
    const { site: row } = (await findSite(this.db, this.tenantId, site.id))!;
    const n = this.next();
    const wasDisabled = site.disabled;
    if (what.startsWith('move')) site.address = `10.1.${n >> 8}.${n & 255}`;
    if (what === 'disable') site.disabled = true;
    if (what.endsWith('enable')) site.disabled = false;
    await patchSite(this.db, row, {
      vtep: { address: site.address },
      disabled: site.disabled,
      ...(what === 'describe' ? { where: `place ${n}`, labels: { n: `${n}` } } : {}),
    });
    if (what !== 'describe' && !(wasDisabled && site.disabled)) this.touchSite(index);
  }

  async patchNetwork(index: number, mtu: number | null): Promise<void> {
    const network = this.networks[index];
    if (!network) return;
    const row = (await findNetwork(this.db, this.tenantId, network.id))!;
    await patchNetwork(this.db, row, mtu === null ? { description: `d${this.next()}` } : { mtu });
    if (mtu !== null && mtu !== network.mtu) this.touch(`${network.id}/header`);
    network.mtu = mtu ?? network.mtu;
  }

  async fetch(site: ModelSite, cursor: string): Promise<TableUpdate | 'unchanged' | 'deleted'> {
    const tenant = (await findTenant(this.db, this.tenantId))!;
    return pullTable(this.db, { site, tenant }, cursor);
  }

  /** The site's agent pulls; what it then holds must be what a fresh snapshot says, and what the model says. */
  async pull(index: number): Promise<void> {
    const site = this.sites[index];
    if (!site || site.disabled) return;
    const tenant = (await findTenant(this.db, this.tenantId))!;
    const update = await this.fetch(site, site.cursor);
    if (update === 'deleted') throw new Error('the site is there');
    if (update !== 'unchanged') {
      const isUsable = site.cursor !== '' && Number(site.cursor.split('.')[2]) >= tenant.purgedRevision;
      expect(update.kind).toBe(isUsable ? 'delta' : 'snapshot');
      if (update.kind === 'delta') this.assertOnlyChanges(site, update);
      site.table = applied(site.table, update);
      site.cursor = update.cursor;
    }
    site.changed.clear();
    const fresh = await this.fetch(site, '');
    if (typeof fresh === 'string') throw new Error('a snapshot is always to be had');
    expect(fresh.cursor).toBe(site.cursor);
    expect(plain(site.table)).toEqual(plain(applied(new Map(), fresh)));
    this.assertIsModel(site, index);
  }

  assertOnlyChanges(site: ModelSite, delta: Extract<TableUpdate, { kind: 'delta' }>): void {
    for (const change of delta.networks) {
      const { network } = change;
      expect([...site.changed].some((key) => key.startsWith(`${network}/`))).toBe(true);
      const isInFull = site.changed.has(`${network}/${site.id}`);
      const named = [...change.vteps.map((vtep) => vtep.site), ...(change.gone?.vteps ?? [])];
      expect(new Set(named).size).toBe(named.length);
      for (const peer of named) expect(isInFull || site.changed.has(`${network}/${peer}`)).toBe(true);
      expect(named).not.toContain(site.id);
    }
    for (const vni of delta.goneNetworks ?? []) {
      const held = site.table.get(vni);
      if (held !== undefined) expect(site.changed.has(`${held.network}/${site.id}`)).toBe(true);
    }
  }

  assertIsModel(site: ModelSite, index: number): void {
    const expected = this.networks
      .filter((network) => network?.ports.has(index))
      .map((network) => ({
        vni: network!.vni,
        network: network!.id,
        mtu: network!.mtu,
        port: network!.ports.get(index),
        vteps: this.sites
          .filter((peer, i) => peer && i !== index && !peer.disabled && network!.ports.has(i))
          .map((peer) => ({ site: peer!.id, address: peer!.address, port: 4789 })),
      }));
    const byVni = (a: { vni: number }, b: { vni: number }) => a.vni - b.vni;
    const bySite = (a: { site: string }, b: { site: string }) => (a.site < b.site ? -1 : 1);
    expect(
      [...site.table.values()].sort(byVni).map(({ vni, network, mtu, port, vteps }) => ({
        vni,
        network,
        mtu,
        port: 'name' in port ? port.name : '',
        vteps: [...vteps.values()].sort(bySite),
      })),
    ).toEqual(expected.sort(byVni).map((network) => ({ ...network, vteps: network.vteps.sort(bySite) })));
    for (const network of site.table.values()) expect(network.digest).toBe(digestOfApplied(network));
  }
}

const network = fc.nat(NETWORKS - 1);
const site = fc.nat(SITES - 1);
type Step = (world: World) => Promise<void>;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(network, site, fc.nat(1)).map(
      ([n, s, p]): Step =>
        (w) =>
          w.attach(n, s, p),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(network, site).map(
      ([n, s]): Step =>
        (w) =>
          w.detach(n, s),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(site, fc.constantFrom('move', 'disable', 'enable', 'describe', 'move and enable')).map(
      ([s, what]): Step =>
        (w) =>
          w.patchSite(s, what),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(network, fc.constantFrom(null, 1400, 1450)).map(
      ([n, m]): Step =>
        (w) =>
          w.patchNetwork(n, m),
    ),
  },
  {
    weight: 2,
    arbitrary: network.map(
      (n): Step =>
        (w) =>
          w.dropNetwork(n),
    ),
  },
  {
    weight: 3,
    arbitrary: network.map(
      (n): Step =>
        (w) =>
          w.makeNetwork(n),
    ),
  },
  {
    weight: 1,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.dropSite(s),
    ),
  },
  {
    weight: 2,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.makeSite(s),
    ),
  },
  {
    weight: 6,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.pull(s),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((w) => purgeTombstones(w.db, w.next())) },
);

test('whatever happens in a tenant, deltas bring every agent to what a snapshot says, and name only what changed', async () => {
  const { db, close } = await memoryStore();
  let tenants = 0;
  const check = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
    tenants += 1;
    const slug = `t${tenants}`;
    const tenant = await createTenant(db, { id: slug, epoch: 'epoch', now: 0 }, { slug, name: 'Acme' });
    const world = new World(db, tenant.id);
    for (let i = 0; i < NETWORKS; i++) await world.makeNetwork(i);
    for (let i = 0; i < SITES; i++) await world.makeSite(i);
    for (const run of steps) await run(world);
    for (let i = 0; i < SITES; i++) {
      await world.patchSite(i, 'enable');
      await world.pull(i);
    }
  });
  await fc.assert(check, { numRuns: 150 });
  close();
});

test('what a disabled site is attached to or detached from is told to nobody', async () => {
  const { db, close } = await memoryStore();
  await createTenant(db, { id: 'acme', epoch: 'epoch', now: 0 }, { slug: 'acme', name: 'Acme' });
  const world = new World(db, 'acme');
  await world.makeNetwork(0);
  for (let i = 0; i < 4; i++) await world.makeSite(i);
  await world.attach(0, 0, 0);
  await world.attach(0, 1, 0);
  await world.patchSite(1, 'disable');
  await world.patchSite(2, 'disable');
  await world.pull(0);
  await world.detach(0, 1);
  await world.attach(0, 1, 1);
  await world.attach(0, 2, 0);
  await world.attach(0, 3, 0);
  const pulled = await world.fetch(world.sites[0]!, world.sites[0]!.cursor);
  expect(pulled).toMatchObject({ kind: 'delta', networks: [{ vteps: [{ site: world.sites[3]!.id }] }] });
  expect(pulled).not.toHaveProperty('networks.0.gone');
  await world.pull(0);
  close();
});
