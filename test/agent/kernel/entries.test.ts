import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EntryChange, noEntries, noteChange, planEntries, wholeScope } from '../../../agent/kernel/entries.ts';
import { type Scope, WantedNetwork } from '../../../agent/kernel/wanted-network.ts';
import type { MacRow, NetworkChange, NetworkTable, Vtep } from '../../../src/contract/table.ts';

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];
const IPS = ['192.168.9.1', '192.168.9.2', 'fd09::1'];
const SITES = ['oslo', 'lima', 'here'];

const table = (vteps: readonly Vtep[], macs: readonly MacRow[], more: Partial<NetworkTable> = {}): NetworkTable => ({
  vni: 9,
  network: 'blue',
  name: 'blue',
  mtu: 1450,
  port: { type: 'host', name: 'blue' },
  flood: 'headend',
  antiSpoof: 'vtep',
  arpSuppression: true,
  revision: 1,
  digest: '000000000000',
  vteps: [...vteps],
  macs: [...macs],
  ...more,
});
const vtep = (site: string, host: number): Vtep => ({ site, address: `10.0.0.${host}`, port: 4789 });
const row = (mac: string, site: string, ip?: string, seq = 1, sticky = false): MacRow => ({
  mac,
  site,
  seq,
  sticky,
  ...(ip === undefined ? {} : { ip }),
});
const reachable = () => true;

function wanting(given: NetworkTable): WantedNetwork {
  const wanted = new WantedNetwork(given);
  wanted.merge(given, true, reachable);
  return wanted;
}

const kinds = (changes: readonly EntryChange[]): string[] => changes.map(({ action, kind }) => `${action} ${kind}`);

describe('the plan', () => {
  it('sets the neighbour first, then its place, then the head-end list, and takes away in the other order', () => {
    const full = wanting(table([vtep('oslo', 1)], [row(MACS[0]!, 'oslo', IPS[0])]));
    const installed = noEntries();
    const set = planEntries(full, installed, wholeScope(full, installed));
    expect(kinds(set)).toEqual(['set neighbor', 'set mac', 'set flood']);
    for (const change of set) noteChange(installed, change);
    const empty = wanting(table([], []));
    expect(kinds(planEntries(empty, installed, wholeScope(empty, installed)))).toEqual([
      'delete flood',
      'delete mac',
      'delete neighbor',
    ]);
  });

  it('has one change for one MAC that moved, and none for what stays', () => {
    const wanted = wanting(
      table(
        [vtep('oslo', 1), vtep('lima', 2)],
        MACS.map((mac) => row(mac, 'oslo')),
      ),
    );
    const installed = noEntries();
    for (const change of planEntries(wanted, installed, wholeScope(wanted, installed))) noteChange(installed, change);
    const scope = wanted.merge(table([], [row(MACS[1]!, 'lima')]), false, reachable);
    expect(planEntries(wanted, installed, scope)).toEqual([
      { kind: 'mac', action: 'set', mac: MACS[1], entry: { address: '10.0.0.2', port: 4789, sticky: false } },
    ]);
  });

  it('takes a site’s entries along when its VTEP’s address changes', () => {
    const wanted = wanting(table([vtep('oslo', 1)], [row(MACS[0]!, 'oslo'), row(MACS[1]!, 'oslo')]));
    const installed = noEntries();
    for (const change of planEntries(wanted, installed, wholeScope(wanted, installed))) noteChange(installed, change);
    const scope = wanted.merge(table([vtep('oslo', 7)], []), false, reachable);
    expect(kinds(planEntries(wanted, installed, scope))).toEqual(['set mac', 'set mac', 'set flood', 'delete flood']);
  });

  it('makes an entry anew that was sticky and is not any more: the kernel leaves it as it was made', () => {
    const wanted = wanting(table([vtep('oslo', 1)], [row(MACS[0]!, 'oslo', undefined, 1, true)]));
    const installed = noEntries();
    for (const change of planEntries(wanted, installed, wholeScope(wanted, installed))) noteChange(installed, change);
    const scope = wanted.merge(table([], [row(MACS[0]!, 'oslo')]), false, reachable);
    expect(kinds(planEntries(wanted, installed, scope))).toEqual(['delete mac', 'set mac']);
  });

  it('floods to nobody where the network floods not, and to a VTEP of two sites once', () => {
    const both = [vtep('oslo', 1), vtep('lima', 1)];
    expect(wanting(table(both, [])).flood().size).toBe(1);
    expect(wanting(table(both, [], { flood: 'none' })).flood().size).toBe(0);
  });

  it('answers for an address as the newest row says, and for none where that is not wanted', () => {
    const rows = [row(MACS[0]!, 'oslo', IPS[0], 5), row(MACS[1]!, 'lima', IPS[0], 6), row(MACS[2]!, 'here', IPS[0], 9)];
    const vteps = [vtep('oslo', 1), vtep('lima', 2)];
    expect(wanting(table(vteps, rows)).neighbor(IPS[0]!)).toBe(MACS[1]);
    expect(wanting(table(vteps, rows, { arpSuppression: false })).neighbor(IPS[0]!)).toBeUndefined();
  });

  it('names a VTEP of the other IP family as one that can’t be reached, and sends nothing there', () => {
    const given = table([{ site: 'oslo', address: 'fd77::1', port: 4789 }], [row(MACS[0]!, 'oslo')]);
    const wanted = new WantedNetwork(given);
    wanted.merge(given, true, (address) => !address.includes(':'));
    expect([...wanted.unreachable]).toEqual([['oslo', 'fd77::1']]);
    expect([wanted.flood().size, wanted.mac(MACS[0]!)]).toEqual([0, undefined]);
  });
});

describe('any deltas', () => {
  const site = fc.constantFrom(...SITES);
  const mac = fc.constantFrom(...MACS);
  const delta = fc.record({
    vteps: fc.uniqueArray(fc.tuple(fc.constantFrom('oslo', 'lima'), fc.integer({ min: 1, max: 3 })), {
      selector: ([s]) => s,
    }),
    macs: fc.uniqueArray(fc.tuple(mac, site, fc.option(fc.constantFrom(...IPS)), fc.nat(9), fc.boolean()), {
      selector: ([m]) => m,
    }),
    goneVteps: fc.uniqueArray(site),
    goneMacs: fc.uniqueArray(mac),
    arpSuppression: fc.boolean(),
    flood: fc.constantFrom('headend' as const, 'none' as const),
  });

  it('within their scope leave the kernel with what the table as a whole wants', () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 12 }), (deltas) => {
        const wanted = new WantedNetwork(table([], []));
        const installed = noEntries();
        for (const { vteps, macs, goneVteps, goneMacs, ...settings } of deltas) {
          const change: NetworkChange = {
            ...table(
              vteps.map(([name, host]) => vtep(name, host)),
              macs.map(([m, s, ip, seq, sticky]) => row(m, s, ip ?? undefined, seq, sticky)),
              settings,
            ),
            gone: { vteps: goneVteps, macs: goneMacs },
          };
          const scope: Scope = wanted.merge(change, false, reachable);
          for (const each of planEntries(wanted, installed, scope)) noteChange(installed, each);
          expect(planEntries(wanted, installed, wholeScope(wanted, installed))).toEqual([]);
        }
      }),
    );
  });
});

describe('an interface that all goes by', () => {
  it('changed, has every entry set again, the new way to each VTEP before the old one goes', () => {
    const given = table([vtep('oslo', 1), vtep('lima', 2)], [row(MACS[0]!, 'oslo'), row(MACS[1]!, 'lima')]);
    const wanted = new WantedNetwork(given, 5);
    wanted.merge(given, true, reachable);
    const installed = noEntries();
    for (const change of planEntries(wanted, installed, wholeScope(wanted, installed))) noteChange(installed, change);
    wanted.via = 6;
    const changes = planEntries(wanted, installed, wholeScope(wanted, installed));
    const said = changes.map((it) => {
      if (it.kind === 'neighbor') return it.kind;
      return `${it.action} ${it.kind} ${(it.kind === 'mac' ? it.entry : it.vtep).via}`;
    });
    expect(said).toEqual([
      ...['set mac 6', 'set mac 6', 'set flood 6', 'set flood 6'],
      ...['delete flood 5', 'delete flood 5'],
    ]);
  });
});
