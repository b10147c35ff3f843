/** What control reads that others wrote: tables, watch messages, files, the local socket. Refused in words, or put in force whole. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { parseConfig } from '../../agent/config.ts';
import { openTableStore, TABLE_FILE } from '../../agent/control/last-good.ts';
import { askLocalApi, type LocalHandlers, serveLocalApi } from '../../agent/control/local-api.ts';
import { type LastGood, mergeUpdate, toSnapshot } from '../../agent/control/merge.ts';
import { Watch } from '../../agent/control/watch.ts';
import type { WatchEvents } from '../../agent/control/watch-socket.ts';
import { InMemoryFabric } from '../../agent/underlay/in-memory.ts';
import { digestOf, formatDigest } from '../../src/contract/digest.ts';
import { type TableUpdate, TableUpdateSchema } from '../../src/contract/table.ts';
import { PushSchema } from '../../src/contract/watch.ts';
import { arbitrarySnapshots, deltaBetween } from '../agent/control/tables.ts';
import { BROADCAST, frame, OverlaySite, station } from '../agent/datapath/overlay.ts';
import { equal, type Property } from './property.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Values that a careless check lets through. */
const oddValue: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json[]>(
    ...[null, true, 0, -1, 1.5, 1, 2, 2 ** 24 - 1, 2 ** 24, 65_535, 65_536, 2 ** 53, 1e308, '', 'x'.repeat(300)],
    ...['0.0.0.0', '10.0.0.1', '224.0.0.1', '255.255.255.255', '010.0.0.1', '10.0.0.1 ', '::', '::1', 'ff02::1'],
    ...[
      '::ffff:10.0.0.1',
      'fe80::1%eth0',
      '2001:DB8::1',
      '2001:db8:0:0:0:0:0:1',
      'tap9',
      'a/b',
      '../../x',
      '__proto__',
    ],
    ...['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '02:00:00:00:00:0A', '02-00-00-00-00-01'],
    ...['headend', 'multicast', 'none', 'vtep', 'strict', 'off', 'snapshot', 'delta', 'host', 'bridge', 'vlan'],
  ),
  fc.constantFrom<Json[]>([], {}, [[]], [null], { __proto__: null, toString: 1 }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
);

/** The same with some of its values replaced, left out or said twice. */
function mangled(of: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const change = fc.record({ path: fc.array(fc.nat(12), { maxLength: 6 }), value: oddValue, how: fc.nat(5) });
  return fc
    .tuple(of, fc.array(change, { maxLength: 3 }))
    .map(([json, changes]) => changes.reduce((it, { path, value, how }) => replaced(it, path, value, how), json));
}

function replaced(json: Json, [step, ...rest]: readonly number[], value: Json, how: number): Json {
  if (step === undefined || typeof json !== 'object' || json === null) return value;
  if (Array.isArray(json)) {
    if (json.length === 0) return [value];
    const at = step % json.length;
    if (rest.length === 0 && how === 0) return json.toSpliced(at, 1);
    if (rest.length === 0 && how === 1) return [...json, json[at]!];
    return json.with(at, replaced(json[at]!, rest, value, how));
  }
  const entries = Object.entries(json);
  if (entries.length === 0) return { odd: value };
  const at = step % entries.length;
  const [key, old] = entries[at]!;
  if (rest.length === 0 && how === 0) return Object.fromEntries(entries.toSpliced(at, 1));
  return Object.fromEntries(entries.with(at, [key, replaced(old, rest, value, how)]));
}

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value));
const worlds = arbitrarySnapshots(2);
const goodSnapshot = worlds.map(([first]) => first!);
const updates: fc.Arbitrary<Json[]> = worlds.chain(([first, second]) =>
  fc.tuple(
    mangled(fc.constant(asJson(first))),
    fc.oneof(mangled(fc.constant(asJson(second))), mangled(fc.constant(asJson(deltaBetween(first!, second!))))),
  ),
);

/** With the digests that belong to what the update says, so that it is not refused for those alone. */
function withDigests(update: TableUpdate, held: LastGood | null): TableUpdate {
  const base = held === null ? null : toSnapshot(held);
  const networks = update.networks.map((table) => {
    const old = update.kind === 'delta' ? base?.networks.find(({ vni }) => vni === table.vni) : undefined;
    if (old !== undefined || new Set(table.vteps.map(({ site }) => site)).size < table.vteps.length) return table;
    return { ...table, digest: formatDigest(digestOf(table)) };
  });
  return { ...update, networks } as TableUpdate;
}

const tables: Property = {
  name: 'a table is refused in words or put in force whole, whatever it says, and frames are forwarded by it',
  runs: 200,
  property: () =>
    fc.property(updates, (said) => {
      const site = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.1');
      let held: LastGood | null = null;
      for (const json of said) {
        const parsed = v.safeParse(TableUpdateSchema, json);
        if (!parsed.success) continue;
        const update = withDigests(parsed.output, held);
        const before = held === null ? null : asJson(toSnapshot(held));
        const merged = mergeUpdate(held, update);
        if (merged.kind === 'resync') {
          equal(held === null ? null : asJson(toSnapshot(held)), before);
          continue;
        }
        held = merged.table;
        site.apply(update);
        // As the whole truth it comes to the same as by steps.
        const whole = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.1');
        whole.apply(toSnapshot(held));
        equal(forwardingOf(site), forwardingOf(whole));
      }
      for (const vni of site.forwarder.networks.keys()) site.send(vni, frame(BROADCAST, station(77)));
    }),
};

/** All but the MTU, which is the ports'. */
function forwardingOf({ forwarder, now }: OverlaySite): unknown {
  const networks = [...forwarder.networks.values()].map((network) => {
    const { vni, settings, sites, macs, floodVteps } = network;
    const entries = macs.entries(now).map(({ mac, place, origin }) => {
      const vtep = network.vtepAt(place);
      return [mac, vtep?.address, vtep?.port, origin];
    });
    const flood = floodVteps.map(({ address, port }) => `${address} ${port}`);
    return { vni, settings, sites: sites.toSorted(), entries: entries.toSorted(byText), flood: flood.toSorted() };
  });
  return asJson(networks.toSorted((x, y) => x.vni - y.vni));
}

const byText = (x: unknown, y: unknown): number => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1);

const configText = fc.oneof(
  fc.string(),
  mangled(
    goodSnapshot.map(({ networks }) => ({
      vtep: { address: '10.0.0.9', port: 4789 },
      networks: networks.map(({ vni, mtu, port, vteps }) => ({
        vni,
        mtu,
        port: asJson(port),
        antiSpoof: 'vtep',
        vteps: vteps
          .filter(({ address }) => !address.includes(':'))
          .map(({ address, port: at }) => ({ address, port: at })),
        macs: vteps.slice(0, 1).map(({ address, port: at }) => ({ mac: '02:00:00:00:00:01', address, port: at })),
      })),
    })),
  ).map((json) => JSON.stringify(json)),
);

const configs: Property = {
  name: 'a configuration is refused with what is wrong, one line each, or is a table that can be put in force',
  runs: 150,
  property: () =>
    fc.property(configText, (text) => {
      const parsed = parseConfig(text, 1);
      if (parsed.kind === 'faults') {
        if (parsed.faults.length === 0) throw new Error('no fault is named');
        for (const fault of parsed.faults) if (/\n/.test(fault)) throw new Error(`more than a line: ${fault}`);
        return;
      }
      equal(mergeUpdate(null, parsed.config.table).kind, 'merged');
      const site = new OverlaySite(new InMemoryFabric(), 'a', '10.0.0.9');
      site.apply(parsed.config.table);
    }),
};

const pushes: Property = {
  name: 'whatever comes over the watch socket is a push, a reason to pull or of a newer gateway, and the socket lives on',
  runs: 150,
  property: () =>
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          mangled(updates.map(([, json]) => ({ type: 'delta', ...(json as object) }) as Json)).map((it) =>
            JSON.stringify(it),
          ),
          mangled(fc.constant({ type: 'changed', withinMs: 5 })).map((it) => JSON.stringify(it)),
          mangled(fc.constant({ type: 'traffic', everyMs: 2000, forMs: 5000 })).map((it) => JSON.stringify(it)),
        ),
        { maxLength: 5 },
      ),
      (texts) => {
        let events: WatchEvents | undefined;
        let heard = 0;
        const watch = new Watch({
          open: (_, given) => {
            events = given;
            return { send: () => {}, end: () => {} };
          },
          cursor: () => null,
          isAway: () => false,
          onLive: () => {},
          onAlive: () => {},
          onPush: () => heard++,
          onLost: () => {},
          traffic: () => [{ vni: 1, revision: 1, rxFrames: 0, rxBytes: 0, txFrames: 0, txBytes: 0, drops: 0 }],
          random: () => 0.5,
          after: () => () => {},
          log: () => {},
        });
        watch.start();
        events?.onOpen();
        events?.onText('pong');
        const expected = texts.filter((text) => text !== 'pong' && !isPassedOver(text)).length;
        for (const text of texts) events?.onText(text);
        equal([heard, watch.isLive], [expected, true]);
      },
    ),
};

/** A newer gateway's word, or a question that is answered by itself: neither tells of a change. */
function isPassedOver(text: string): boolean {
  let said: { readonly type?: unknown } | null;
  try {
    said = JSON.parse(text);
  } catch {
    return false;
  }
  if (typeof said?.type !== 'string') return false;
  if (said.type === 'traffic') return v.is(PushSchema, said);
  return said.type !== 'delta' && said.type !== 'changed';
}

const files: Property = {
  name: 'a last good table that is not whole and of this site is set aside, and no exception',
  runs: 40,
  property: () =>
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        mangled(goodSnapshot.map((table) => asJson({ site: 'mine', table }))).map((json) => JSON.stringify(json)),
        goodSnapshot.chain((table) => fc.nat(2000).map((end) => JSON.stringify({ site: 'mine', table }).slice(0, end))),
      ),
      async (content) => {
        const folder = await mkdtemp(join(tmpdir(), 'overlane-fuzz-'));
        try {
          await writeFile(join(folder, TABLE_FILE), content);
          const lines: string[] = [];
          const held = await openTableStore(folder, 'mine', (_, line) => void lines.push(line)).load();
          equal(lines.length, held === null ? 1 : 0);
          if (held !== null) equal(mergeUpdate(null, toSnapshot(held)).kind, 'merged');
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    ),
};

const localSocket: Property = {
  name: 'the local socket answers on, whatever was said to it',
  runs: 4,
  property: () =>
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc
            .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'BREW'), fc.webPath(), fc.string({ maxLength: 20 }))
            .map(([method, path, rest]) => Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\n${rest}\r\n\r\n`)),
        ),
        { maxLength: 4 },
      ),
      async (said) => {
        const folder = await mkdtemp(join(tmpdir(), 'overlane-fuzz-'));
        const path = join(folder, 'agent.sock');
        const counters = async () => ({ agent: {}, networks: [] });
        const server = await serveLocalApi(path, { '/counters': counters } as unknown as LocalHandlers);
        try {
          for (const bytes of said) {
            await new Promise<void>((resolve) => {
              const socket = connect(path, () => socket.end(bytes));
              socket
                .on('error', () => {})
                .on('close', () => resolve())
                .resume();
            });
          }
          equal(await askLocalApi(path, '/counters'), { agent: {}, networks: [] });
        } finally {
          await server.close();
          await rm(folder, { recursive: true, force: true });
        }
      },
    ),
};

export const CONTROL: readonly Property[] = [tables, configs, pushes, files, localSocket];
