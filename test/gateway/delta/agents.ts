/** The sites' agents: each pulls, and what it was given and then holds is held to the model, to a fresh snapshot and to what is pushed. */
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import type { TableUpdate } from '../../../src/contract/table.ts';
import { readChanges } from '../../../src/db/changes.ts';
import type { Database } from '../../../src/db/database.ts';
import { pullTable } from '../../../src/db/pull-table.ts';
import { findTenant } from '../../../src/db/tenants.ts';
import { positionAt, tell } from '../../../src/domain/fan-out.ts';
import { type AppliedTable, applied, digestOfApplied, plain } from '../applied-table.ts';
import type { Model, ModelSite } from './model.ts';

export class Agents {
  readonly #db: Database;
  readonly #tenantId: string;
  readonly #model: Model;

  constructor(db: Database, tenantId: string, model: Model) {
    this.#db = db;
    this.#tenantId = tenantId;
    this.#model = model;
  }

  /** The whole MAC/IP table, as the registry keeps it. */
  async assertMacsAreModel(): Promise<void> {
    const rows = await this.#db.all<Record<string, unknown>>(
      sql.raw(`SELECT network_id, mac, site_id AS site, ip, sticky, moves,
      moves_since AS movesSince, frozen_until AS frozenUntil FROM macs
      WHERE tenant_id = '${this.#tenantId}' AND state <> 'gone' ORDER BY network_id, mac`),
    );
    const expected = this.#model.networks
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
    const counts = await this.#db.all(
      sql.raw(`SELECT id, mac_count AS count FROM networks WHERE tenant_id = '${this.#tenantId}' ORDER BY id`),
    );
    expect(counts).toEqual(
      this.#model.networks
        .filter((network) => network !== null)
        .map(({ id, macs }) => ({ id, count: macs.size }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
  }

  async fetch(site: ModelSite, cursor: string): Promise<TableUpdate | 'unchanged' | 'deleted'> {
    const tenant = (await findTenant(this.#db, this.#tenantId))!;
    return pullTable(this.#db, { site, tenant }, cursor);
  }

  /** The site's agent pulls; what it then holds must be what a fresh snapshot says, and what the model says. */
  async pull(index: number): Promise<void> {
    const site = this.#model.sites[index];
    if (!site || site.disabled) return;
    const tenant = (await findTenant(this.#db, this.#tenantId))!;
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
    const seen = this.#model.sites.map((one) => positionAt({ epoch, siteId: one?.id ?? '' }, one?.cursor ?? '')?.seen);
    const since = Math.min(...seen.filter((revision) => revision !== undefined));
    const siteIds = this.#model.sites.flatMap((one) => one?.id ?? []);
    const changes = (await readChanges(this.#db, this.#tenantId, siteIds, since))!;
    const told = tell({ siteId: site.id, epoch, publicKey: null, position }, changes);
    const byVni = (a: { vni: number }, b: { vni: number }) => a.vni - b.vni;
    const sorted = (delta: TableUpdate) => ({ ...delta, networks: delta.networks.toSorted(byVni) });
    if (told.kind === 'delta') expect(sorted(told.delta)).toEqual(sorted(pulled as TableUpdate));
    else if (told.kind === 'nothing') {
      const nothing = pulled === 'unchanged' || (pulled.networks.length === 0 && !('goneNetworks' in pulled));
      expect(nothing).toBe(true);
    } else {
      expect(told.kind).toBe('changed');
      const joined = this.#model.networks.some(
        (network) => network !== null && site.changed.has(`${network.id}/${site.id}`),
      );
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
    const expected = this.#model.networks
      .filter((network) => network?.ports.has(index))
      .map((network) => ({
        vni: network!.vni,
        network: network!.id,
        mtu: network!.mtu,
        port: network!.ports.get(index),
        vteps: this.#model.sites
          .filter((peer, i) => peer && i !== index && !peer.disabled && network!.ports.has(i))
          .map((peer) => ({ site: peer!.id, address: peer!.address, port: 4789 })),
        macs: [...network!.macs]
          .filter(([mac]) => this.#model.isSeen(network!, mac))
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
