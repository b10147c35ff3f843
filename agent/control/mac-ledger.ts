/**
 * Which stations on this site's ports the gateway has yet to hear of, or to forget: the difference between what the data path says and the
 * table that the gateway gave, which has this site's own rows.
 *
 * Nothing is queued, so nothing can be lost, doubled or grow while the gateway is away: whatever happened meanwhile, the difference is
 * what is sent. Pure: time is an argument, in milliseconds.
 */
import type { MacReport, MacReported } from '../../src/contract/macs.ts';
import type { MacRow, NetworkChange, TableUpdate } from '../../src/contract/table.ts';
import type { LearnedChanges, LocalMac } from '../datapath/datapath.ts';
import type { LastGood } from './merge.ts';

/** What the gateway rejected is asked for again after so long, or when its row changes. */
export const REJECTED_RETRY_SECONDS = 60;
/**
 * A station that the gateway has here from before this agent started, and that was not heard since, is withdrawn after as long as a station
 * may be silent: a restart must not empty the table.
 */
export const UNHEARD_SECONDS = 300;

interface Station {
  readonly vni: number;
  readonly mac: string;
}

/** `seq`: of the row that the table had when the station was heard. */
type Heard = LocalMac & { readonly seq: number | undefined };

export class MacLedger {
  readonly #site: string;
  readonly #unheardUntil: number;
  /** What is on this site's ports, by network and MAC. */
  readonly #local = new Map<number, Map<string, Heard>>();
  /** What may differ from what the gateway has, and from when on it is worth a call. */
  readonly #due = new Map<string, Station & { readonly from: number }>();
  /** What the gateway was told and may have, until its table says how that is. */
  readonly #told = new Set<string>();
  /** What the data path said is gone, until the gateway knows. */
  readonly #departed = new Set<string>();
  #carried: ReadonlySet<number> = new Set();

  /** @param site the site's own id. */
  constructor(site: string, now: number) {
    this.#site = site;
    this.#unheardUntil = now + UNHEARD_SECONDS * 1000;
  }

  /** The data path says what came and went. */
  learned({ announce, withdraw }: LearnedChanges, held: LastGood | null, now: number): void {
    for (const station of announce) {
      const { vni, mac } = station;
      const seq = held?.networks.get(vni)?.macs.get(mac)?.seq;
      const macs = this.#local.get(vni) ?? new Map<string, Heard>();
      this.#local.set(vni, macs.set(mac, { ...station, seq }));
      this.#departed.delete(keyOf(station));
      this.#look(station, now);
    }
    for (const station of withdraw) {
      const { vni, mac } = station;
      const key = keyOf(station);
      this.#local.get(vni)?.delete(mac);
      if (held !== null && !this.#told.has(key) && held.networks.get(vni)?.macs.get(mac)?.site !== this.#site) {
        // The gateway never heard of it: whoever makes up stations while it is away fills nothing here.
        this.#due.delete(key);
        this.#departed.delete(key);
        continue;
      }
      this.#departed.add(key);
      this.#look(station, now);
    }
  }

  /**
   * The gateway's table changed: what it says of stations here, or of this site, is looked at again. One that a new row places elsewhere
   * is here no more until it is heard anew; the data path says so too, but a moment later, and in that moment it would be taken back.
   */
  tableChanged(update: TableUpdate, held: LastGood, now: number): void {
    for (const { vni, macs, gone } of update.networks as readonly NetworkChange[]) {
      const local = this.#local.get(vni);
      const isNew = update.kind === 'snapshot' || !this.#carried.has(vni);
      if (isNew) for (const station of local?.values() ?? []) this.#look(station, now);
      for (const { mac, site, seq } of macs) {
        if (site !== this.#site && local?.has(mac) && local.get(mac)?.seq !== seq) local.delete(mac);
      }
      for (const mac of [...macs.map((row) => row.mac), ...(gone?.macs ?? [])]) {
        this.#told.delete(keyOf({ vni, mac }));
        if (local?.has(mac) || held.networks.get(vni)?.macs.get(mac)?.site === this.#site)
          this.#look({ vni, mac }, now);
      }
    }
    this.#carried = new Set(held.networks.keys());
  }

  /** @returns what to tell the gateway now, at most `limit` MACs; it counts as told until `failed` says otherwise. */
  take(held: LastGood | null, now: number, limit: number): MacReport {
    const announce: LocalMac[] = [];
    const withdraw: Station[] = [];
    if (held === null) return { announce, withdraw };
    for (const [key, { vni, mac, from }] of this.#due) {
      if (from > now) continue;
      if (announce.length + withdraw.length === limit) break;
      this.#due.delete(key);
      const network = held.networks.get(vni);
      if (network === undefined) continue;
      const row = network.macs.get(mac);
      const local = this.#local.get(vni)?.get(mac);
      if (local !== undefined) {
        if (!this.#isNews(local, row)) continue;
        this.#told.add(key);
        const { ip } = local;
        announce.push({ vni, mac, ...(ip === undefined ? {} : { ip }) });
      } else if (row?.sticky || (row?.site !== this.#site && !this.#told.has(key))) this.#departed.delete(key);
      else if (this.#departed.has(key) || now >= this.#unheardUntil) withdraw.push({ vni, mac });
      else this.#due.set(key, { vni, mac, from: this.#unheardUntil });
    }
    return { announce, withdraw };
  }

  /** The gateway took all of a report but what it rejected. */
  taken(report: MacReport, rejected: MacReported['rejected'], now: number): void {
    for (const station of report.withdraw) {
      this.#told.delete(keyOf(station));
      if (!this.#isLocal(station)) this.#departed.delete(keyOf(station));
    }
    for (const { vni, mac } of rejected) {
      this.#told.delete(keyOf({ vni, mac }));
      this.#lookLater({ vni, mac }, now + REJECTED_RETRY_SECONDS * 1000);
    }
  }

  /** The report may not have arrived: all of it is told again, from `from` on. */
  failed(report: MacReport, from: number): void {
    for (const { vni, mac } of [...report.announce, ...report.withdraw]) this.#lookLater({ vni, mac }, from);
  }

  /** When there will be something to tell, or null where only a change will make it so. */
  get dueAt(): number | null {
    let first: number | null = null;
    for (const { from } of this.#due.values()) if (first === null || from < first) first = from;
    return first;
  }

  #isNews(local: LocalMac, row: MacRow | undefined): boolean {
    // What a person has set is theirs to change.
    if (row === undefined) return true;
    if (row.sticky) return false;
    return row.site !== this.#site || (local.ip !== undefined && local.ip !== row.ip);
  }

  #isLocal({ vni, mac }: Station): boolean {
    return this.#local.get(vni)?.has(mac) === true;
  }

  #look({ vni, mac }: Station, from: number): void {
    this.#due.set(keyOf({ vni, mac }), { vni, mac, from });
  }

  /** What changed since then is due already, and sooner. */
  #lookLater(station: Station, from: number): void {
    if (!this.#due.has(keyOf(station))) this.#look(station, from);
  }
}

function keyOf({ vni, mac }: Station): string {
  return `${vni} ${mac}`;
}
