import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TableUpdate } from '../../src/contract/table.ts';
import { attach, detach } from '../../src/db/attachments.ts';
import { readChanges } from '../../src/db/changes.ts';
import type { Database } from '../../src/db/database.ts';
import { saveMacReport } from '../../src/db/mac-reports.ts';
import { deleteMac, putMac, unfreezeMac } from '../../src/db/macs.ts';
import { createNetwork, deleteNetwork, findNetwork, patchNetwork } from '../../src/db/networks.ts';
import { pullTable } from '../../src/db/pull-table.ts';
import { createStaticSite, deleteSite, findSite, patchSite } from '../../src/db/sites.ts';
import { createTenant, findTenant } from '../../src/db/tenants.ts';
import { purgeTombstones } from '../../src/db/tombstones.ts';
import { positionAt, tell } from '../../src/domain/fan-out.ts';
import { FREEZE_SECONDS, judgeAnnouncement, type MacEntry, takesAway } from '../../src/domain/mobility.ts';
import { type AppliedTable, applied, digestOfApplied, plain } from './applied-table.ts';
import { memoryStore } from './memory-store.ts';

const NETWORKS = 3;
const SITES = 4;
const MACS = 6;
/** A network may have fewer than there are. */
const MAC_LIMIT = 5;
/** How long lies between two changes: five moves of a MAC happen within a freeze's window. */
const TICK_MS = 10_000;
const macOf = (n: number) => `02:00:00:00:00:0${n}`;
const ipOf = (n: number) => (n === 0 ? null : `10.9.0.${n}`);

/** What the registry should hold, in the plainest form. */
interface ModelNetwork {
  id: string;
  vni: number;
  mtu: number;
  ports: Map<number, string>;
  macs: Map<string, MacEntry>;
}
interface ModelSite {
  id: string;
  address: string;
  disabled: boolean;
  /** What its agent holds, and what changed since it pulled, as `network id/site id`, `network id/MAC` or `network id/header`. */
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

  /** The time of a change, in milliseconds. */
  tick(): number {
    return this.next() * TICK_MS;
  }

  pass(ticks: number): void {
    this.#made += ticks;
  }

  isLive(network: ModelNetwork, index: number): boolean {
    return network.ports.has(index) && this.sites[index]?.disabled === false;
  }

  isSeen(network: ModelNetwork, mac: string): boolean {
    const entry = network.macs.get(mac);
    return (
      entry !== undefined &&
      this.isLive(
        network,
        this.sites.findIndex((site) => site?.id === entry.site),
      )
    );
  }

  /** A site's MACs come or go with it, as it comes or goes: before, if it goes. */
  touchMacsOf(network: ModelNetwork, site: ModelSite): void {
    for (const [mac, { site: at }] of network.macs) if (at === site.id) this.touch(`${network.id}/${mac}`);
  }

  /** The site isn't live in the network any more. */
  leave(network: ModelNetwork, site: ModelSite): void {
    this.touchMacsOf(network, site);
    for (const [mac, { site: at, sticky }] of network.macs) if (at === site.id && !sticky) network.macs.delete(mac);
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
    this.networks[index] = { id: row.id, vni: row.vni, mtu: row.mtu, ports: new Map(), macs: new Map() };
  }

  async dropNetwork(index: number): Promise<void> {
    const network = this.networks[index];
    if (!network) return;
    const now = this.tick();
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
    await deleteSite(this.db, this.tenantId, site.id, this.tick());
    if (!site.disabled) this.touchSite(index);
    for (const network of this.networks) {
      if (network && this.isLive(network, index)) this.leave(network, site);
      for (const [mac, { site: at }] of network?.macs ?? []) if (at === site.id) network!.macs.delete(mac);
      network?.ports.delete(index);
    }
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
    if (isNew && !site.disabled) this.touchMacsOf(network, site);
  }

  async detach(n: number, s: number): Promise<void> {
    const network = this.networks[n];
    const site = this.sites[s];
    if (!network || !site) return;
    const place = { tenantId: this.tenantId, networkId: network.id, siteId: site.id };
    const wasLive = this.isLive(network, s);
    const isThere = network.ports.delete(s);
    const done = await detach(this.db, place, this.tick()).then(
      () => true,
      () => false,
    );
    expect(done).toBe(isThere);
    if (isThere) this.touchMember(network, site);
    if (wasLive) this.leave(network, site);
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
    await patchSite(
      this.db,
      row,
      {
        vtep: { address: site.address },
        disabled: site.disabled,
        ...(what === 'describe' ? { where: `place ${n}`, labels: { n: `${n}` } } : {}),
      },
      n * TICK_MS,
    );
    if (what !== 'describe' && !(wasDisabled && site.disabled)) this.touchSite(index);
    if (wasDisabled === site.disabled) return;
    for (const network of this.networks) {
      if (network?.ports.has(index) !== true) continue;
      if (site.disabled) this.leave(network, site);
      else this.touchMacsOf(network, site);
    }
  }

  async patchNetwork(index: number, mtu: number | null): Promise<void> {
    const network = this.networks[index];
    if (!network) return;
    const row = (await findNetwork(this.db, this.tenantId, network.id))!;
    await patchNetwork(this.db, row, mtu === null ? { description: `d${this.next()}` } : { mtu });
    if (mtu !== null && mtu !== network.mtu) this.touch(`${network.id}/header`);
    network.mtu = mtu ?? network.mtu;
  }

  /** An agent's call, of whatever networks: held to the rules in domain/mobility. */
  async report(index: number, announce: readonly Said[], withdraw: readonly Omit<Said, 'ip'>[]): Promise<void> {
    const site = this.sites[index];
    if (!site) return;
    const now = this.tick();
    const there = ({ n }: { n: number }) => this.networks[n] !== null;
    const naming = ({ n, m }: { n: number; m: number }) => ({ vni: this.networks[n]!.vni, mac: macOf(m) });
    const rejected = new Set<string>();
    for (const { n, m } of withdraw.filter(there)) {
      const network = this.networks[n]!;
      const current = network.macs.get(macOf(m));
      if (current === undefined || !takesAway(current, site.id) || !this.isSeen(network, macOf(m))) continue;
      network.macs.delete(macOf(m));
      this.touch(`${network.id}/${macOf(m)}`);
    }
    for (const { n, m, ip } of announce.filter(there)) {
      const network = this.networks[n]!;
      const mac = macOf(m);
      const hasRoom = network.macs.size < MAC_LIMIT;
      const said = { site: site.id, ip: ipOf(ip) };
      const verdict = this.isLive(network, index)
        ? judgeAnnouncement(network.macs.get(mac) ?? null, said, hasRoom, now)
        : { kind: 'rejected' as const, code: 'not_found' as const };
      if (verdict.kind === 'rejected') rejected.add(`${network.vni} ${mac} ${verdict.code}`);
      if (verdict.kind !== 'changed') continue;
      network.macs.set(mac, verdict.entry);
      this.touch(`${network.id}/${mac}`);
    }
    const outcome = await saveMacReport(
      this.db,
      { tenantId: this.tenantId, siteId: site.id },
      {
        announce: announce.filter(there).map((said) => {
          const ip = ipOf(said.ip);
          return { ...naming(said), ...(ip === null ? {} : { ip }) };
        }),
        withdraw: withdraw.filter(there).map(naming),
      },
      now,
    );
    expect(new Set(outcome.rejected.map(({ vni, mac, code }) => `${vni} ${mac} ${code}`))).toEqual(rejected);
    const [tenant] = await this.db.all<{ revision: number }>(
      sql.raw(`SELECT revision FROM tenants WHERE id = '${this.tenantId}'`),
    );
    expect(outcome.revision).toBe(tenant!.revision);
  }

  async putMac(n: number, s: number, m: number, ip: number): Promise<void> {
    const network = this.networks[n];
    const site = this.sites[s];
    if (!network || !site) return;
    const mac = macOf(m);
    const place = { tenantId: this.tenantId, networkId: network.id, mac };
    const put = putMac(this.db, place, { siteId: site.id, ip: ipOf(ip) });
    const current = network.macs.get(mac);
    if (!network.ports.has(s) || (current === undefined && network.macs.size >= MAC_LIMIT)) {
      await expect(put).rejects.toThrow();
      return;
    }
    const wasSeen = this.isSeen(network, mac);
    network.macs.set(mac, { site: site.id, ip: ipOf(ip), sticky: true, moves: 0, movesSince: 0, frozenUntil: null });
    const isSeen = this.isSeen(network, mac);
    if (wasSeen || isSeen) this.touch(`${network.id}/${mac}`);
    const { row, isNew } = await put;
    expect(row).toMatchObject({ mac, ip: ipOf(ip), siteId: site.id, sticky: 1, live: isSeen ? 1 : 0 });
    expect(isNew).toBe(current === undefined);
  }

  async deleteMac(n: number, m: number): Promise<void> {
    const network = this.networks[n];
    if (!network) return;
    const mac = macOf(m);
    const done = deleteMac(this.db, { tenantId: this.tenantId, networkId: network.id, mac }, this.tick());
    if (!network.macs.has(mac)) {
      await expect(done).rejects.toThrow();
      return;
    }
    if (this.isSeen(network, mac)) this.touch(`${network.id}/${mac}`);
    network.macs.delete(mac);
    await done;
  }

  async unfreezeMac(n: number, m: number): Promise<void> {
    const network = this.networks[n];
    if (!network) return;
    const mac = macOf(m);
    const now = this.tick();
    const done = unfreezeMac(this.db, { tenantId: this.tenantId, networkId: network.id, mac }, now);
    const current = network.macs.get(mac);
    if ((current?.frozenUntil ?? 0) <= now) {
      await expect(done).rejects.toThrow();
      return;
    }
    network.macs.set(mac, { ...current!, moves: 0, frozenUntil: null });
    await done;
  }

  /** The whole MAC/IP table, as the registry keeps it. */
  async assertMacsAreModel(): Promise<void> {
    const rows = await this.db.all<Record<string, unknown>>(
      sql.raw(`SELECT network_id, mac, site_id AS site, ip, sticky, moves,
      moves_since AS movesSince, frozen_until AS frozenUntil FROM macs
      WHERE tenant_id = '${this.tenantId}' AND state <> 'gone' ORDER BY network_id, mac`),
    );
    const expected = this.networks
      .filter((network) => network !== null)
      .flatMap((network) =>
        [...network.macs].map(([mac, entry]) => ({
          network_id: network.id,
          mac,
          ...entry,
          sticky: entry.sticky ? 1 : 0,
        })),
      )
      .sort((a, b) => (`${a.network_id} ${a.mac}` < `${b.network_id} ${b.mac}` ? -1 : 1));
    const withoutOldTimes = (row: Record<string, unknown>) => ({
      ...row,
      movesSince: row.moves === 0 ? 0 : row.movesSince,
    });
    expect(rows.map(withoutOldTimes)).toEqual(expected.map(withoutOldTimes));
    const counts = await this.db.all(
      sql.raw(`SELECT id, mac_count AS count FROM networks WHERE tenant_id = '${this.tenantId}' ORDER BY id`),
    );
    expect(counts).toEqual(
      this.networks
        .filter((network) => network !== null)
        .map(({ id, macs }) => ({ id, count: macs.size }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
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
    await this.assertPushedAsPulled(site, tenant.epoch, update);
    if (update !== 'unchanged') {
      const isUsable = site.cursor !== '' && Number(site.cursor.split('.')[2]) >= tenant.purgedRevision;
      expect(update.kind).toBe(isUsable ? 'delta' : 'snapshot');
      if (update.kind === 'delta') this.assertOnlyChanges(site, update);
      this.assertSequenceGrows(site.table, update);
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

  /** What a watching site is told, from one read for all sites, is what it would have pulled. */
  async assertPushedAsPulled(site: ModelSite, epoch: string, pulled: TableUpdate | 'unchanged'): Promise<void> {
    const position = positionAt({ epoch, siteId: site.id }, site.cursor);
    if (position === null) return;
    const seen = this.sites.map((one) => positionAt({ epoch, siteId: one?.id ?? '' }, one?.cursor ?? '')?.seen);
    const since = Math.min(...seen.filter((revision) => revision !== undefined));
    const siteIds = this.sites.flatMap((one) => one?.id ?? []);
    const changes = (await readChanges(this.db, this.tenantId, siteIds, since))!;
    const told = tell({ siteId: site.id, epoch, publicKey: null, position }, changes);
    const byVni = (a: { vni: number }, b: { vni: number }) => a.vni - b.vni;
    const sorted = (delta: TableUpdate) => ({ ...delta, networks: delta.networks.toSorted(byVni) });
    if (told.kind === 'delta') expect(sorted(told.delta)).toEqual(sorted(pulled as TableUpdate));
    else if (told.kind === 'nothing') {
      const nothing = pulled === 'unchanged' || (pulled.networks.length === 0 && !('goneNetworks' in pulled));
      expect(nothing).toBe(true);
    } else {
      expect(told.kind).toBe('changed');
      const joined = this.networks.some((network) => network !== null && site.changed.has(`${network.id}/${site.id}`));
      expect(joined || position.seen < changes.purgedRevision).toBe(true);
    }
  }

  assertSequenceGrows(before: AppliedTable, update: TableUpdate): void {
    for (const { vni, network, macs } of update.networks) {
      const held = before.get(vni);
      if (held?.network !== network) continue;
      for (const row of macs) {
        const known = held.macs.get(row.mac);
        if (known !== undefined && JSON.stringify(known) !== JSON.stringify(row))
          expect(row.seq).toBeGreaterThan(known.seq);
      }
    }
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
      const macs = [...change.macs.map((row) => row.mac), ...(change.gone?.macs ?? [])];
      expect(new Set(macs).size).toBe(macs.length);
      for (const mac of macs) expect(isInFull || site.changed.has(`${network}/${mac}`)).toBe(true);
      expect(change.intended ?? false).toBe((change.gone?.vteps ?? []).length > 0);
    }
    for (const vni of delta.goneNetworks ?? []) {
      const held = site.table.get(vni);
      if (held !== undefined) expect(site.changed.has(`${held.network}/${site.id}`)).toBe(true);
    }
  }

  assertIsModel(site: ModelSite, index: number): void {
    const byMac = (a: { mac: string }, b: { mac: string }) => (a.mac < b.mac ? -1 : 1);
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
        macs: [...network!.macs]
          .filter(([mac]) => this.isSeen(network!, mac))
          .map(([mac, { ip, site: at, sticky }]) => ({ mac, ip: ip ?? undefined, site: at, sticky }))
          .sort(byMac),
      }));
    const byVni = (a: { vni: number }, b: { vni: number }) => a.vni - b.vni;
    const bySite = (a: { site: string }, b: { site: string }) => (a.site < b.site ? -1 : 1);
    expect(
      [...site.table.values()].sort(byVni).map(({ vni, network, mtu, port, vteps, macs }) => ({
        vni,
        network,
        mtu,
        port: 'name' in port ? port.name : '',
        vteps: [...vteps.values()].sort(bySite),
        macs: [...macs.values()].map(({ mac, ip, site: at, sticky }) => ({ mac, ip, site: at, sticky })).sort(byMac),
      })),
    ).toEqual(expected.sort(byVni).map((network) => ({ ...network, vteps: network.vteps.sort(bySite) })));
    for (const network of site.table.values()) expect(network.digest).toBe(digestOfApplied(network));
  }
}

const network = fc.nat(NETWORKS - 1);
const site = fc.nat(SITES - 1);
const mac = fc.nat(MACS - 1);
interface Said {
  readonly n: number;
  readonly m: number;
  readonly ip: number;
}
const said: fc.Arbitrary<Said> = fc.record({ n: network, m: mac, ip: fc.nat(2) });
const naming = ({ n, m }: Said) => `${n} ${m}`;
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
  { weight: 1, arbitrary: fc.constant<Step>(async (w) => void (await purgeTombstones(w.db, w.tick()))) },
  {
    weight: 12,
    arbitrary: fc.tuple(site, fc.uniqueArray(said, { selector: naming, maxLength: 6 }), fc.nat(2)).map(
      ([s, all, gone]): Step =>
        (w) =>
          w.report(s, all.slice(gone), all.slice(0, gone)),
    ),
  },
  {
    // One MAC, now here, now there.
    weight: 2,
    arbitrary: fc.tuple(network, mac, site, site).map(
      ([n, m, one, two]): Step =>
        async (w) => {
          for (const s of [one, two, one, two, one, two]) await w.report(s, [{ n, m, ip: 0 }], []);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(network, site, mac, fc.nat(2)).map(
      ([n, s, m, ip]): Step =>
        (w) =>
          w.putMac(n, s, m, ip),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(network, mac).map(
      ([n, m]): Step =>
        (w) =>
          w.deleteMac(n, m),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(network, mac).map(
      ([n, m]): Step =>
        (w) =>
          w.unfreezeMac(n, m),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>(async (w) => w.pass(FREEZE_SECONDS / (TICK_MS / 1000))) },
);

test('whatever happens in a tenant, deltas bring every agent to what a snapshot says, and name only what changed', async () => {
  const { db, close } = memoryStore();
  let tenants = 0;
  const check = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
    tenants += 1;
    const slug = `t${tenants}`;
    const tenant = await createTenant(
      db,
      { id: slug, epoch: 'epoch', now: 0 },
      { slug, name: 'Acme', limits: { macsPerNetwork: MAC_LIMIT } },
    );
    const world = new World(db, tenant.id);
    for (let i = 0; i < NETWORKS; i++) await world.makeNetwork(i);
    for (let i = 0; i < SITES; i++) await world.makeSite(i);
    for (const run of steps) await run(world);
    for (let i = 0; i < SITES; i++) {
      await world.patchSite(i, 'enable');
      await world.pull(i);
    }
    await world.assertMacsAreModel();
  });
  await fc.assert(check, { numRuns: 150 });
  close();
});

test('what a disabled site is attached to or detached from is told to nobody', async () => {
  const { db, close } = memoryStore();
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
