import { describe, expect, it } from 'vitest';
import { applyTable, MAX_NETWORKS } from '../../../agent/datapath/apply-table.ts';
import { createCounterMemory } from '../../../agent/datapath/counters.ts';
import { Forwarder } from '../../../agent/datapath/forwarder.ts';
import { LocalStations } from '../../../agent/datapath/local-stations.ts';
import { createPeerCounterMemory } from '../../../agent/datapath/peer-counters.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import { memoryOf } from '../bytes.ts';
import { BROADCAST, delta, frame, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const VNI = 9;
const A = station(1);
const B = station(2);
const MAC = '02:00:00:00:00:0a';
const M = station(10);

interface Scene {
  readonly site: OverlaySite;
  readonly fabric: InMemoryFabric;
  /** Where a frame to this destination goes: underlay addresses, in order. */
  readonly goesTo: (destination: number, vni?: number) => string[];
  readonly hears: (address: string, vni?: number) => boolean;
}

/** One site, and peers at 10.0.0.1 … 10.0.0.9 that only listen. */
function createScene(): Scene {
  const fabric = new InMemoryFabric();
  const site = new OverlaySite(fabric, 'self', '10.0.0.200');
  for (let i = 1; i < 10; i++) new OverlaySite(fabric, `peer${i}`, `10.0.0.${i}`);
  return {
    site,
    fabric,
    goesTo(destination, vni = VNI) {
      const before = fabric.carried.length;
      site.send(vni, frame(destination, B));
      return fabric.carried.slice(before).map(({ to }) => to);
    },
    hears(address, vni = VNI) {
      site.takeDatagram(address, vxlan(vni, frame(BROADCAST, A)));
      return site.frames(vni).length > 0;
    },
  };
}

describe('a snapshot', () => {
  it('is the whole truth: sites, stations and networks that it does not name go', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(
      snapshot(
        table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a', '02:00:00:00:00:0b': 'b' } }),
        table(10, { vteps: { a: '10.0.0.1' } }),
      ),
    );
    expect(goesTo(M)).toEqual(['10.0.0.1']);
    expect(hears('10.0.0.1', 10)).toBe(true);
    site.apply(snapshot(table(VNI, { vteps: { b: '10.0.0.2' } })));
    expect(site.forwarder.networks.has(10)).toBe(false);
    expect(hears('10.0.0.1')).toBe(false);
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect([...site.network(VNI).registryMacs]).toEqual([]);
    expect(site.underlay.destinationCount).toBe(1);
    site.apply(snapshot());
    expect(site.forwarder.networks.size).toBe(0);
    expect(site.underlay.destinationCount).toBe(0);
  });

  it('that says the same again changes nothing, and keeps what was learned', () => {
    const { site, goesTo, hears } = createScene();
    const same = snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'b' } }));
    site.apply(same);
    hears('10.0.0.1');
    site.apply(same);
    expect(goesTo(A)).toEqual(['10.0.0.1']);
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(site.underlay.destinationCount).toBe(2);
  });

  it('may swap the addresses of two sites', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a' } })));
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.2', b: '10.0.0.1' }, macs: { [MAC]: 'a' } })));
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect(hears('10.0.0.1')).toBe(true);
    expect(hears('10.0.0.2')).toBe(true);
    expect(site.underlay.destinationCount).toBe(2);
  });
});

describe('a delta', () => {
  it('changes what it names and nothing else', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(
      snapshot(
        table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a' } }),
        table(10, { vteps: { a: '10.0.0.1' } }),
      ),
    );
    site.apply(delta([{ ...table(VNI, { vteps: { c: '10.0.0.3' } }), gone: { vteps: ['b'], macs: [] } }]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1', '10.0.0.3']);
    expect(goesTo(M)).toEqual(['10.0.0.1']);
    expect([1, 2, 3].map((i) => hears(`10.0.0.${i}`))).toEqual([true, false, true]);
    expect(goesTo(BROADCAST, 10)).toEqual(['10.0.0.1']);
  });

  it('that names nothing changes nothing', () => {
    const { site, goesTo } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' } })));
    site.apply(delta([]));
    site.apply(delta([{ ...table(VNI), gone: { vteps: [], macs: [] } }]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
  });

  it('that removes a station has it flooded, and one that moves it has it sent to the new site', () => {
    const { site, goesTo } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a' } })));
    site.apply(delta([table(VNI, { macs: { [MAC]: 'b' } })]));
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    site.apply(delta([{ ...table(VNI), gone: { vteps: [], macs: [MAC] } }]));
    expect(goesTo(M)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('may remove what is not there', () => {
    const { site, goesTo } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' } })));
    site.apply(delta([{ ...table(VNI), gone: { vteps: ['x'], macs: ['02:00:00:00:00:0f'] } }], [77]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
  });

  it('that changes how a network floods is in force at once', () => {
    const { site, goesTo } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' } })));
    site.apply(delta([table(VNI, { flood: 'none' })]));
    expect(goesTo(BROADCAST)).toEqual([]);
    expect(site.network(VNI).floodVteps).toEqual([]);
    site.apply(delta([table(VNI)]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
  });

  it('that takes a network away and gives its VNI to another leaves nothing of the first', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' }, macs: { [MAC]: 'a' } })));
    hears('10.0.0.1');
    const other = table(VNI, { network: 'other', vteps: { b: '10.0.0.2' } });
    site.apply(delta([other], [VNI]));
    expect(goesTo(A)).toEqual(['10.0.0.2']);
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect(hears('10.0.0.1')).toBe(false);
    expect(site.count(VNI, 'vtepRxFrames')).toBe(0);
  });

  it('that gives a VNI to another network without saying that the first went leaves nothing of it either', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' }, macs: { [MAC]: 'a' } })));
    site.apply(delta([table(VNI, { network: 'other', vteps: { b: '10.0.0.2' } })]));
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect(hears('10.0.0.1')).toBe(false);
    expect(site.underlay.destinationCount).toBe(1);
  });
});

describe('a site', () => {
  it('whose address changes takes all its stations along, learned and registered', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a' } })));
    hears('10.0.0.1');
    site.apply(delta([table(VNI, { vteps: { a: '10.0.0.5' } })]));
    expect(goesTo(A)).toEqual(['10.0.0.5']);
    expect(goesTo(M)).toEqual(['10.0.0.5']);
    expect(hears('10.0.0.1')).toBe(false);
    expect(hears('10.0.0.5')).toBe(true);
    expect(site.underlay.destinationCount).toBe(2);
  });

  it('that goes takes its stations along, and has the registered ones again when it is back', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' }, macs: { [MAC]: 'a' } })));
    hears('10.0.0.1');
    site.apply(delta([{ ...table(VNI), gone: { vteps: ['a'], macs: [] } }]));
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    expect(goesTo(A)).toEqual(['10.0.0.2']);
    site.apply(delta([table(VNI, { vteps: { a: '10.0.0.3' } })]));
    expect(goesTo(M)).toEqual(['10.0.0.3']);
    expect(goesTo(A)).toEqual(['10.0.0.2', '10.0.0.3']);
  });

  it('may be named by its stations before it is there', () => {
    const { site, goesTo } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { b: '10.0.0.2' }, macs: { [MAC]: 'a' } })));
    expect(goesTo(M)).toEqual(['10.0.0.2']);
    site.apply(delta([table(VNI, { vteps: { a: '10.0.0.1' } })]));
    expect(goesTo(M)).toEqual(['10.0.0.1']);
  });

  it('that is one of two behind one VTEP gets a flooded frame once, and stays when the other goes', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.1' } })));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
    site.apply(delta([{ ...table(VNI), gone: { vteps: ['b'], macs: [] } }]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
    expect(hears('10.0.0.1')).toBe(true);
  });

  it('of the other IP family is named as a problem, and all others are carried', () => {
    const { site, goesTo } = createScene();
    const problems = site.apply(
      snapshot(table(VNI, { vteps: { six: 'fd00::1', a: '10.0.0.1' } }), table(10, { vteps: { b: '10.0.0.2' } })),
    );
    expect([...problems.keys()]).toEqual([VNI]);
    expect(problems.get(VNI)).toContain('fd00::1');
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.1']);
    expect(goesTo(BROADCAST, 10)).toEqual(['10.0.0.2']);
  });

  it('that moves to the other IP family is no longer spoken to where it was', () => {
    const { site, goesTo, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1', b: '10.0.0.2' } })));
    site.apply(delta([table(VNI, { vteps: { a: 'fd00::1' } })]));
    expect(goesTo(BROADCAST)).toEqual(['10.0.0.2']);
    expect(hears('10.0.0.1')).toBe(false);
  });
});

describe('a network', () => {
  it('that leaves and comes again counts from zero', () => {
    const { site, hears } = createScene();
    site.apply(snapshot(table(VNI, { vteps: { a: '10.0.0.1' } })));
    hears('10.0.0.1');
    expect(site.count(VNI, 'vtepRxFrames')).toBe(1);
    site.apply(delta([], [VNI]));
    site.apply(delta([table(VNI, { vteps: { a: '10.0.0.1' } })]));
    expect(site.counters(VNI)).toEqual({});
  });

  it('never shares its counters with another', () => {
    const { site } = createScene();
    site.apply(snapshot(table(1), table(2), table(3)));
    site.apply(delta([table(4), table(5)], [2]));
    const bases = [...site.forwarder.networks.values()].map(({ counterBase }) => counterBase);
    expect(new Set(bases).size).toBe(4);
    expect(bases).not.toContain(0);
  });

  it('beyond those that there are counters for is named as a problem, and the others are carried', () => {
    const { site, goesTo } = createScene();
    const vnis = [1, 2, 3, 4, 5];
    const problems = site.apply(snapshot(...vnis.map((vni) => table(vni, { vteps: { a: '10.0.0.1' } }))));
    expect([...problems]).toEqual([[5, expect.stringContaining('at most')]]);
    expect(goesTo(BROADCAST, 4)).toEqual(['10.0.0.1']);
  });

  it('can be one of 4096 at one site', () => {
    const { underlay } = createScene().site;
    const memory = memoryOf(new Uint8Array());
    const counters = createCounterMemory(MAX_NETWORKS);
    const peerCounters = createPeerCounterMemory(MAX_NETWORKS, 0);
    const stations = new LocalStations();
    const forwarder = new Forwarder({
      memory,
      underlay,
      stations,
      counters,
      peerCounters,
      vxlanPort: 4789,
      scratch: 0,
      seed: 1,
    });
    const tables = Array.from({ length: MAX_NETWORKS }, (_, vni) => table(vni + 1));
    expect(applyTable({ forwarder, underlay, random: () => 1 }, snapshot(...tables)).size).toBe(0);
    expect(forwarder.networks.size).toBe(MAX_NETWORKS);
  });
});
