import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MacLedger, REJECTED_RETRY_SECONDS, UNHEARD_SECONDS } from '../../../agent/control/mac-ledger.ts';
import { type LastGood, mergeUpdate } from '../../../agent/control/merge.ts';
import type { LearnedChanges } from '../../../agent/datapath/datapath.ts';
import type { MacReport } from '../../../src/contract/macs.ts';
import type { MacRow } from '../../../src/contract/table.ts';
import { deltaBetween, macRow, network, snapshot, vtep } from './tables.ts';

const OWN = 'site-1';
const NONE: MacReport = { announce: [], withdraw: [] };
const mac = (n: number): string => macRow(n, OWN).mac;
const at = (n: number, ip?: string) => ({ vni: 9, mac: mac(n), ...(ip === undefined ? {} : { ip }) });

/** A ledger with the table that its agent holds. */
class Site {
  readonly ledger = new MacLedger(OWN, 0);
  held: LastGood | null = null;
  #last = snapshot('c0', []);

  /** The gateway's table is these rows now. */
  table(macs: MacRow[], vnis = [9]): void {
    const next = snapshot(
      `${this.#last.cursor}+`,
      vnis.map((vni) => network(vni, { macs, vteps: [vtep(2)] })),
    );
    const update = this.held === null ? next : deltaBetween(this.#last, next);
    const merged = mergeUpdate(this.held, structuredClone(update));
    if (merged.kind !== 'merged') throw new Error(merged.reason);
    this.held = merged.table;
    this.#last = next;
    this.ledger.tableChanged(update, this.held, 0);
  }

  learned(changes: LearnedChanges): void {
    this.ledger.learned(changes, this.held, 0);
  }

  take(now = 0, limit = 100): MacReport {
    return this.ledger.take(this.held, now, limit);
  }
}

function siteWith(...macs: MacRow[]): Site {
  const site = new Site();
  site.table(macs);
  return site;
}

test('stations that come and go while the gateway is away leave nothing behind to tell', () => {
  const site = siteWith();
  site.learned({ announce: [at(1)], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1)], withdraw: [] });
  for (let n = 2; n < 50; n++) {
    site.learned({ announce: [at(n)], withdraw: [] });
    site.learned({ announce: [], withdraw: [at(n)] });
  }
  expect(site.ledger.dueAt).toBe(null);
  // The first may have been heard of: it was told.
  site.learned({ announce: [], withdraw: [at(1)] });
  expect(site.take()).toEqual({ announce: [], withdraw: [{ vni: 9, mac: mac(1) }] });
});

test('a station is announced once, again with its address, and withdrawn when it went', () => {
  const site = siteWith();
  site.learned({ announce: [at(1)], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1)], withdraw: [] });
  expect(site.take()).toEqual(NONE);
  site.table([macRow(1, OWN)]);
  expect(site.take()).toEqual(NONE);
  site.learned({ announce: [at(1, '10.0.0.1')], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1, '10.0.0.1')], withdraw: [] });
  site.table([{ ...macRow(1, OWN), ip: '10.0.0.1' }]);
  site.learned({ announce: [], withdraw: [at(1)] });
  expect(site.take()).toEqual({ announce: [], withdraw: [at(1)] });
  site.table([]);
  expect(site.take()).toEqual(NONE);
  expect(site.ledger.dueAt).toBeNull();
});

test('what did not arrive is told again, and of many changes meanwhile only what they came to', () => {
  const site = siteWith();
  site.learned({ announce: [at(1), at(2)], withdraw: [] });
  const report = site.take();
  site.learned({ announce: [], withdraw: [at(1)] });
  site.learned({ announce: [at(2, '10.0.0.2')], withdraw: [] });
  site.ledger.failed(report, 500);
  // The report may have arrived all the same.
  expect(site.take(0)).toEqual({ announce: [at(2, '10.0.0.2')], withdraw: [at(1)] });
  expect(site.take(500)).toEqual(NONE);
});

test('nothing is told of a network that the site does not carry, and all of it when it does', () => {
  const site = new Site();
  site.learned({ announce: [at(1)], withdraw: [] });
  expect(site.take()).toEqual(NONE);
  site.table([], []);
  expect(site.take()).toEqual(NONE);
  site.table([]);
  expect(site.take()).toEqual({ announce: [at(1)], withdraw: [] });
});

test('a station that another site has is announced where it is heard here; one that a person has set is not', () => {
  const site = siteWith(
    macRow(1, 'site-2'),
    { ...macRow(2, 'site-2'), sticky: true },
    { ...macRow(3, OWN), sticky: true },
  );
  site.learned({ announce: [at(1), at(2), at(3, '10.0.0.3')], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1)], withdraw: [] });
  site.table([macRow(1, OWN)]);
  expect(site.take()).toEqual({ announce: [at(2), at(3, '10.0.0.3')], withdraw: [] });
  site.learned({ announce: [], withdraw: [at(1)] });
  site.table([macRow(1, 'site-2', 5)]);
  expect(site.take()).toEqual(NONE);
});

test('what was rejected is asked for again after a while, or when its row changes', () => {
  const site = siteWith(macRow(1, 'site-2'));
  site.learned({ announce: [at(1), at(2)], withdraw: [] });
  const report = site.take();
  const rejected = report.announce.map(({ vni, mac }) => ({ vni, mac, code: 'mac_frozen' as const }));
  site.ledger.taken(report, rejected, 0);
  expect(site.take(REJECTED_RETRY_SECONDS * 1000 - 1)).toEqual(NONE);
  expect(site.ledger.dueAt).toBe(REJECTED_RETRY_SECONDS * 1000);
  site.table([]);
  expect(site.take(0)).toEqual({ announce: [at(1)], withdraw: [] });
  expect(site.take(REJECTED_RETRY_SECONDS * 1000)).toEqual({ announce: [at(2)], withdraw: [] });
});

test('after a restart what the gateway has here stays until it had its time to be heard', () => {
  const site = siteWith(macRow(1, OWN), macRow(2, OWN));
  site.learned({ announce: [at(1)], withdraw: [] });
  expect(site.take(0)).toEqual(NONE);
  expect(site.ledger.dueAt).toBe(UNHEARD_SECONDS * 1000);
  expect(site.take(UNHEARD_SECONDS * 1000)).toEqual({ announce: [], withdraw: [at(2)] });
  expect(site.ledger.dueAt).toBeNull();
});

test('a station that a new row places elsewhere is not taken back before it is heard anew', () => {
  const site = siteWith();
  site.learned({ announce: [at(1)], withdraw: [] });
  site.take();
  site.table([macRow(1, OWN, 1)]);
  site.table([macRow(1, 'site-2', 2)]);
  // The data path has not said yet that it knows.
  expect(site.take()).toEqual(NONE);
  site.learned({ announce: [], withdraw: [at(1)] });
  expect(site.take()).toEqual(NONE);
  site.learned({ announce: [at(1)], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1)], withdraw: [] });
  // The same row again, in a snapshot say, is no news; a newer one is.
  site.table([macRow(1, 'site-2', 2), macRow(2, 'site-2', 3)]);
  site.learned({ announce: [at(1, '10.0.0.1')], withdraw: [] });
  expect(site.take()).toEqual({ announce: [at(1, '10.0.0.1')], withdraw: [] });
  site.table([macRow(1, 'site-3', 4)]);
  expect(site.take()).toEqual(NONE);
});

test('a report is of so many MACs at most, and the rest is told after it', () => {
  const site = siteWith();
  site.learned({ announce: [at(1), at(2), at(3)], withdraw: [] });
  expect([site.take(0, 2), site.take(0, 2), site.take(0, 2)].map(({ announce }) => announce.length)).toEqual([2, 1, 0]);
});

test('whatever is heard, lost, refused and told, in whatever order, the gateway ends with what is on the ports', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('hear', 'forget'), n: fc.nat(4), ip: fc.nat(2) }),
    fc.record({
      kind: fc.constantFrom('tell', 'lose', 'lose the answer', 'pull', 'steal'),
      n: fc.nat(4),
      ip: fc.constant(0),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const site = siteWith();
      const rows = new Map<string, MacRow>();
      const local = new Map<number, string | undefined>();
      let seq = 1;
      const accept = ({ announce, withdraw }: MacReport): void => {
        for (const { mac, ip } of announce) {
          const known = rows.get(mac);
          const kept = ip ?? (known?.site === OWN ? known.ip : undefined);
          rows.set(mac, { mac, site: OWN, seq: seq++, sticky: false, ...(kept === undefined ? {} : { ip: kept }) });
        }
        for (const { mac } of withdraw) if (rows.get(mac)?.site === OWN) rows.delete(mac);
      };
      const tell = (): number => {
        const report = site.take();
        accept(report);
        site.ledger.taken(report, [], 0);
        return report.announce.length + report.withdraw.length;
      };
      const hear = (n: number, ip?: string): void => {
        local.set(n, ip);
        site.learned({ announce: [at(n, ip)], withdraw: [] });
      };
      const pull = (): void => {
        site.table([...rows.values()]);
        // The data path lets go of what the table places elsewhere, and hears it again where it is here.
        for (const [n, ip] of local) {
          if (rows.get(mac(n))?.site !== 'site-2') continue;
          site.learned({ announce: [], withdraw: [at(n)] });
          hear(n, ip);
        }
      };
      for (const { kind, n, ip } of steps) {
        if (kind === 'hear') hear(n, ip === 0 ? undefined : `10.0.0.${ip}`);
        else if (kind === 'forget') {
          if (local.delete(n)) site.learned({ announce: [], withdraw: [at(n)] });
        } else if (kind === 'tell') tell();
        else if (kind === 'pull') pull();
        else if (kind === 'steal') rows.set(mac(n), macRow(n, 'site-2', seq++));
        else {
          const report = site.take();
          if (kind === 'lose the answer') accept(report);
          site.ledger.failed(report, 0);
        }
      }
      for (let i = 0; i < 3; i++) {
        tell();
        pull();
      }
      expect(tell()).toBe(0);
      const own = [...rows.values()].filter((row) => row.site === OWN).map((row) => row.mac);
      expect(own.sort()).toEqual([...local.keys()].map(mac).sort());
      for (const [n, ip] of local) if (ip !== undefined) expect(rows.get(mac(n))?.ip).toBe(ip);
    }),
    { numRuns: 300 },
  );
});
