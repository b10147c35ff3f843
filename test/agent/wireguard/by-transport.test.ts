import { beforeEach, expect, test } from 'vitest';
import type { ApplyReport, Datapath } from '../../../agent/datapath/datapath.ts';
import { DatapathByTransport } from '../../../agent/wireguard/by-transport.ts';
import type { NetworkTable, TableUpdate } from '../../../src/contract/table.ts';

/** Notes what it is told, and carries all of it. */
class Noted {
  readonly carried = new Set<number>();
  readonly #name: string;
  readonly #log: string[];
  /** An interface can be had by one of the two at a time. */
  static readonly taken = new Map<number, string>();

  constructor(name: string, log: string[]) {
    this.#name = name;
    this.#log = log;
  }

  async apply(update: TableUpdate): Promise<ApplyReport> {
    const named = update.networks.map(({ vni }) => vni);
    const gone =
      update.kind === 'snapshot'
        ? [...this.carried].filter((vni) => !named.includes(vni))
        : (update.goneNetworks ?? []);
    this.#log.push(`${this.#name} ${update.kind} +${named.join()} -${gone.join()}`);
    for (const vni of gone) {
      this.carried.delete(vni);
      Noted.taken.delete(vni);
    }
    for (const vni of named) this.carried.add(vni);
    return this.retry();
  }

  report: (report: ApplyReport) => void = () => {};

  onReport(listener: (report: ApplyReport) => void): void {
    this.report = listener;
  }

  async retry(): Promise<ApplyReport> {
    const errors = new Map<number, string>();
    for (const vni of this.carried) {
      if ((Noted.taken.get(vni) ?? this.#name) === this.#name) Noted.taken.set(vni, this.#name);
      else errors.set(vni, 'taken');
    }
    return { errors, mtus: new Map([...this.carried].filter((vni) => !errors.has(vni)).map((vni) => [vni, 1400])) };
  }
}

let log: string[];
let plain: Noted;
let encrypted: Noted;
let datapath: DatapathByTransport;

beforeEach(() => {
  log = [];
  Noted.taken.clear();
  plain = new Noted('plain', log);
  encrypted = new Noted('encrypted', log);
  datapath = new DatapathByTransport(plain as unknown as Datapath, encrypted as unknown as Datapath);
});

function table(vni: number, transport?: string): NetworkTable {
  return {
    vni,
    network: `n${vni}`,
    name: `n${vni}`,
    mtu: 1450,
    port: { type: 'host', name: `tap${vni}` },
    flood: 'headend',
    antiSpoof: 'vtep',
    arpSuppression: false,
    ...(transport === undefined ? {} : { transport }),
    revision: 1,
    digest: '000000000000',
    vteps: [],
    macs: [],
  };
}

function snapshot(...networks: NetworkTable[]): TableUpdate {
  return { kind: 'snapshot', cursor: 'c', networks };
}

function delta(networks: NetworkTable[], goneNetworks: number[] = []): TableUpdate {
  return { kind: 'delta', from: 'c', cursor: 'c', networks, goneNetworks };
}

test('each network is carried by the data path of its transport, and by it alone', async () => {
  const { mtus } = await datapath.apply(snapshot(table(1), table(2, 'wireguard'), table(3, 'plain')));
  expect([[...plain.carried], [...encrypted.carried]]).toEqual([[1, 3], [2]]);
  expect([...mtus.keys()].sort()).toEqual([1, 2, 3]);
  await datapath.apply(delta([table(4, 'wireguard')], [1, 2]));
  expect([[...plain.carried], [...encrypted.carried]]).toEqual([[3], [4]]);
});

test('a network of an unknown transport is carried by neither, and said so until it is another', async () => {
  const { errors } = await datapath.apply(snapshot(table(1, 'pigeon')));
  expect(errors.get(1)).toMatch(/pigeon.*update/);
  expect([...(await datapath.retry()).errors.keys()]).toEqual([1]);
  expect((await datapath.apply(delta([table(1)]))).errors.size).toBe(0);
  expect([...plain.carried]).toEqual([1]);
});

test('a network that changes its transport leaves one data path before it comes to the other; two that change places do, too', async () => {
  await datapath.apply(snapshot(table(1), table(2, 'wireguard')));
  log.length = 0;
  expect((await datapath.apply(delta([table(1, 'wireguard')]))).errors.size).toBe(0);
  expect(log).toEqual(['plain delta + -1', 'encrypted delta +1 -']);
  log.length = 0;
  expect((await datapath.apply(delta([table(1)]))).errors.size).toBe(0);
  expect(log).toEqual(['encrypted delta + -1', 'plain delta +1 -']);
  for (const update of [delta([table(1, 'wireguard'), table(2)]), snapshot(table(1), table(2, 'wireguard'))]) {
    const { errors, mtus } = await datapath.apply(update);
    expect([errors.size, mtus.size]).toEqual([0, 2]);
  }
});

test('what one of them says of itself is told together with how the other fared', async () => {
  const told: ApplyReport[] = [];
  datapath.onReport((report) => told.push(report));
  await datapath.apply({ kind: 'snapshot', cursor: 'c', networks: [table(1), table(2, 'wireguard')] });
  plain.report({ errors: new Map([[1, 'the bridge is gone']]), mtus: new Map() });
  encrypted.report({ errors: new Map([[2, 'no device']]), mtus: new Map() });
  expect(told.map(({ errors }) => [...errors])).toEqual([
    [[1, 'the bridge is gone']],
    [
      [1, 'the bridge is gone'],
      [2, 'no device'],
    ],
  ]);
});
