/** What people and agents do to the registry: each change is made in the store, and in the model beside it. */
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { attach, detach } from '../../../src/db/attachments.ts';
import type { Database } from '../../../src/db/database.ts';
import { saveMacReport } from '../../../src/db/mac-reports.ts';
import { deleteMac, putMac, unfreezeMac } from '../../../src/db/macs.ts';
import { createNetwork, deleteNetwork, findNetwork, patchNetwork } from '../../../src/db/networks.ts';
import { createStaticSite, deleteSite, findSite, patchSite } from '../../../src/db/sites.ts';
import { judgeAnnouncement, takesAway } from '../../../src/domain/mobility.ts';
import { ipOf, MAC_LIMIT, type Model, macOf, TICK_MS } from './model.ts';

/** What an agent heard: station `m` in network `n`, with an address. */
export interface Said {
  readonly n: number;
  readonly m: number;
  readonly ip: number;
}

export class Registry {
  readonly #db: Database;
  readonly #tenantId: string;
  readonly #model: Model;

  constructor(db: Database, tenantId: string, model: Model) {
    this.#db = db;
    this.#tenantId = tenantId;
    this.#model = model;
  }

  async makeNetwork(index: number): Promise<void> {
    if (this.#model.networks[index]) return;
    const n = this.#model.next();
    const row = await createNetwork(
      this.#db,
      this.#tenantId,
      { id: `${this.#tenantId}-network${n}`, now: n },
      { name: `n${index}` },
    );
    this.#model.networks[index] = { id: row.id, vni: row.vni, mtu: row.mtu, ports: new Map(), macs: new Map() };
  }

  async dropNetwork(index: number): Promise<void> {
    const network = this.#model.networks[index];
    if (!network) return;
    const now = this.#model.tick();
    // No hold: the next network gets the number at once, which is the hardest case for a delta.
    await deleteNetwork(this.#db, this.#tenantId, network.id, { now, until: now });
    for (const at of network.ports.keys()) this.#model.touchMember(network, this.#model.sites[at]!);
    this.#model.networks[index] = null;
  }

  async makeSite(index: number): Promise<void> {
    if (this.#model.sites[index]) return;
    const n = this.#model.next();
    const address = `10.0.${n >> 8}.${n & 255}`;
    const body = { name: `s${index}`, kind: 'static' as const, vtep: { address } };
    const id = `${this.#tenantId}-site${n}`;
    await createStaticSite(this.#db, this.#tenantId, { id, now: n }, body);
    this.#model.sites[index] = { id, address, disabled: false, cursor: '', table: new Map(), changed: new Set() };
  }

  async dropSite(index: number): Promise<void> {
    const site = this.#model.sites[index];
    if (!site) return;
    await deleteSite(this.#db, this.#tenantId, site.id, this.#model.tick());
    if (!site.disabled) this.#model.touchSite(index);
    for (const network of this.#model.networks) {
      if (network && this.#model.isLive(network, index)) this.#model.leave(network, site);
      for (const [mac, { site: at }] of network?.macs ?? []) if (at === site.id) network!.macs.delete(mac);
      network?.ports.delete(index);
    }
    this.#model.sites[index] = null;
  }

  async attach(n: number, s: number, port: number): Promise<void> {
    const network = this.#model.networks[n];
    const site = this.#model.sites[s];
    if (!network || !site) return;
    const place = { tenantId: this.#tenantId, networkId: network.id, siteId: site.id };
    const name = `p${port}`;
    const { isNew } = await attach(this.#db, place, { type: 'host', name });
    expect(isNew).toBe(!network.ports.has(s));
    if (network.ports.get(s) !== name) this.#model.touchMember(network, site);
    network.ports.set(s, name);
    if (isNew && !site.disabled) this.#model.touchMacsOf(network, site);
  }

  async detach(n: number, s: number): Promise<void> {
    const network = this.#model.networks[n];
    const site = this.#model.sites[s];
    if (!network || !site) return;
    const place = { tenantId: this.#tenantId, networkId: network.id, siteId: site.id };
    const wasLive = this.#model.isLive(network, s);
    const isThere = network.ports.delete(s);
    const done = await detach(this.#db, place, this.#model.tick()).then(
      () => true,
      () => false,
    );
    expect(done).toBe(isThere);
    if (isThere) this.#model.touchMember(network, site);
    if (wasLive) this.#model.leave(network, site);
  }

  async patchSite(index: number, what: 'move' | 'disable' | 'enable' | 'describe' | 'move and enable'): Promise<void> {
    const site = this.#model.sites[index];
    if (!site) return;
    const { site: row } = (await findSite(this.#db, this.#tenantId, site.id))!;
    const n = this.#model.next();
    const wasDisabled = site.disabled;
    if (what.startsWith('move')) site.address = `10.1.${n >> 8}.${n & 255}`;
    if (what === 'disable') site.disabled = true;
    if (what.endsWith('enable')) site.disabled = false;
    await patchSite(
      this.#db,
      row,
      {
        vtep: { address: site.address },
        disabled: site.disabled,
        ...(what === 'describe' ? { where: `place ${n}`, labels: { n: `${n}` } } : {}),
      },
      n * TICK_MS,
    );
    if (what !== 'describe' && !(wasDisabled && site.disabled)) this.#model.touchSite(index);
    if (wasDisabled === site.disabled) return;
    for (const network of this.#model.networks) {
      if (network?.ports.has(index) !== true) continue;
      if (site.disabled) this.#model.leave(network, site);
      else this.#model.touchMacsOf(network, site);
    }
  }

  async patchNetwork(index: number, mtu: number | null): Promise<void> {
    const network = this.#model.networks[index];
    if (!network) return;
    const row = (await findNetwork(this.#db, this.#tenantId, network.id))!;
    await patchNetwork(this.#db, row, mtu === null ? { description: `d${this.#model.next()}` } : { mtu });
    if (mtu !== null && mtu !== network.mtu) this.#model.touch(`${network.id}/header`);
    network.mtu = mtu ?? network.mtu;
  }

  /** An agent's call, of whatever networks: held to the rules in domain/mobility. */
  async report(index: number, announce: readonly Said[], withdraw: readonly Omit<Said, 'ip'>[]): Promise<void> {
    const site = this.#model.sites[index];
    if (!site) return;
    const now = this.#model.tick();
    const there = ({ n }: { n: number }) => this.#model.networks[n] !== null;
    const naming = ({ n, m }: { n: number; m: number }) => ({ vni: this.#model.networks[n]!.vni, mac: macOf(m) });
    const rejected = new Set<string>();
    for (const { n, m } of withdraw.filter(there)) {
      const network = this.#model.networks[n]!;
      const current = network.macs.get(macOf(m));
      if (current === undefined || !takesAway(current, site.id) || !this.#model.isSeen(network, macOf(m))) continue;
      network.macs.delete(macOf(m));
      this.#model.touch(`${network.id}/${macOf(m)}`);
    }
    for (const { n, m, ip } of announce.filter(there)) {
      const network = this.#model.networks[n]!;
      const mac = macOf(m);
      const hasRoom = network.macs.size < MAC_LIMIT;
      const said = { site: site.id, ip: ipOf(ip) };
      const verdict = this.#model.isLive(network, index)
        ? judgeAnnouncement(network.macs.get(mac) ?? null, said, hasRoom, now)
        : { kind: 'rejected' as const, code: 'not_found' as const };
      if (verdict.kind === 'rejected') rejected.add(`${network.vni} ${mac} ${verdict.code}`);
      if (verdict.kind !== 'changed') continue;
      network.macs.set(mac, verdict.entry);
      this.#model.touch(`${network.id}/${mac}`);
    }
    const outcome = await saveMacReport(
      this.#db,
      { tenantId: this.#tenantId, siteId: site.id },
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
    const [tenant] = await this.#db.all<{ revision: number }>(
      sql.raw(`SELECT revision FROM tenants WHERE id = '${this.#tenantId}'`),
    );
    expect(outcome.revision).toBe(tenant!.revision);
  }

  async putMac(n: number, s: number, m: number, ip: number): Promise<void> {
    const network = this.#model.networks[n];
    const site = this.#model.sites[s];
    if (!network || !site) return;
    const mac = macOf(m);
    const place = { tenantId: this.#tenantId, networkId: network.id, mac };
    const put = putMac(this.#db, place, { siteId: site.id, ip: ipOf(ip) });
    const current = network.macs.get(mac);
    if (!network.ports.has(s) || (current === undefined && network.macs.size >= MAC_LIMIT)) {
      await expect(put).rejects.toThrow();
      return;
    }
    const wasSeen = this.#model.isSeen(network, mac);
    network.macs.set(mac, { site: site.id, ip: ipOf(ip), sticky: true, moves: 0, movesSince: 0, frozenUntil: null });
    const isSeen = this.#model.isSeen(network, mac);
    if (wasSeen || isSeen) this.#model.touch(`${network.id}/${mac}`);
    const { row, isNew } = await put;
    expect(row).toMatchObject({ mac, ip: ipOf(ip), siteId: site.id, sticky: 1, live: isSeen ? 1 : 0 });
    expect(isNew).toBe(current === undefined);
  }

  async deleteMac(n: number, m: number): Promise<void> {
    const network = this.#model.networks[n];
    if (!network) return;
    const mac = macOf(m);
    const done = deleteMac(this.#db, { tenantId: this.#tenantId, networkId: network.id, mac }, this.#model.tick());
    if (!network.macs.has(mac)) {
      await expect(done).rejects.toThrow();
      return;
    }
    if (this.#model.isSeen(network, mac)) this.#model.touch(`${network.id}/${mac}`);
    network.macs.delete(mac);
    await done;
  }

  async unfreezeMac(n: number, m: number): Promise<void> {
    const network = this.#model.networks[n];
    if (!network) return;
    const mac = macOf(m);
    const now = this.#model.tick();
    const done = unfreezeMac(this.#db, { tenantId: this.#tenantId, networkId: network.id, mac }, now);
    const current = network.macs.get(mac);
    if ((current?.frozenUntil ?? 0) <= now) {
      await expect(done).rejects.toThrow();
      return;
    }
    network.macs.set(mac, { ...current!, moves: 0, frozenUntil: null });
    await done;
  }
}
