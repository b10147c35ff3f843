/** What holds for any traffic while any tables come and go: nothing is lost uncounted, nothing crosses from one network to another. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTER_NAMES, type CounterName, readCounters } from '../../../agent/datapath/counters.ts';
import { InMemoryFabric } from '../../../agent/underlay/in-memory.ts';
import type { VirtioNetHeader } from '../../../agent/wire/virtio-net.ts';
import { formatMac, type Mac } from '../../../src/contract/mac.ts';
import { concat, viewOf } from '../bytes.ts';
import * as captures from '../captures.ts';
import { counting, ethernet, ipv4, macBytes, tcp, udp } from '../frames.ts';
import { BROADCAST, delta, OverlaySite, snapshot, station, table, vxlan } from './overlay.ts';

const VNIS = [9, 10] as const;
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const SITES = ['a', 'b', 'c'] as const;

type Step =
  | {
      readonly do: 'send';
      readonly vni: number;
      readonly port: number;
      readonly frame: Uint8Array;
      readonly header: VirtioNetHeader | null;
    }
  | { readonly do: 'take'; readonly from: string; readonly datagram: Uint8Array; readonly trafficClass: number }
  | {
      readonly do: 'table';
      readonly vni: number;
      readonly vteps: Record<string, string>;
      readonly macs: Record<string, string>;
      readonly gone: readonly string[];
      readonly antiSpoof: 'vtep' | 'strict' | 'off';
      readonly flood: 'headend' | 'none';
    }
  | { readonly do: 'snapshot'; readonly vnis: readonly number[]; readonly vteps: Record<string, string> }
  | { readonly do: 'leave'; readonly vni: number }
  | { readonly do: 'ports'; readonly vni: number; readonly count: number }
  | { readonly do: 'wait'; readonly seconds: number };

const vni = fc.constantFrom(...VNIS);
const stations = fc.nat(6).map(station);
const mac = fc.oneof(
  { weight: 8, arbitrary: stations },
  { weight: 1, arbitrary: fc.constantFrom(BROADCAST, 0, 0x0100_5e00_0001) },
);

/** Frames that end in their network's number, so that a wrong turn shows. */
const taggedFrame = fc
  .tuple(
    vni,
    mac,
    mac,
    fc.constantFrom(0x88b5, 0x0800, 0x86dd, 0x8100, 0x88a8),
    fc.uint8Array({ minLength: 8, maxLength: 60 }),
  )
  .map(([of, destination, source, type, rest]) => ({
    vni: of,
    frame: ethernet(destination, source, type, concat(rest, Uint8Array.of(of))),
  }));
const realFrame = fc
  .tuple(
    fc.constantFrom(
      captures.ARP_REQUEST,
      captures.TCP_SYN_IPV4,
      captures.UDP_IPV6,
      ethernet(0, 0, 0x0800, ipv4(tcp({ payload: counting(2500), checksum: 'incomplete' }))),
      ethernet(0, 0, 0x0800, ipv4(udp({ payload: counting(2500) }))),
    ),
    mac,
    mac,
  )
  .map(([of, destination, source]) => concat(macBytes(destination), macBytes(source), of.slice(12)));
const garbage = fc.uint8Array({ maxLength: 120 });
const cutFrame = fc.tuple(realFrame, fc.nat(80)).map(([whole, length]) => whole.slice(0, length));

const anyHeader = fc.option(
  fc.record({
    flags: fc.nat(1),
    gsoType: fc.constant(0),
    headerLength: fc.nat(0xffff),
    gsoSize: fc.constant(0),
    csumStart: fc.oneof(fc.nat(70), fc.nat(0xffff)),
    csumOffset: fc.oneof(fc.nat(20), fc.nat(0xffff)),
  }),
  { nil: null, freq: 3 },
);
const vteps = fc.dictionary(fc.constantFrom(...SITES), fc.constantFrom(...ADDRESSES), { maxKeys: 3 });
const macs = fc.dictionary(
  fc.nat(6).map((n) => formatMac(station(n) as Mac)),
  fc.constantFrom(...SITES, 'self'),
  { maxKeys: 3 },
);

const tableStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('table' as const),
      vni,
      vteps,
      macs,
      gone: fc.subarray([...SITES], { maxLength: 1 }),
      antiSpoof: fc.constantFrom('vtep' as const, 'vtep' as const, 'strict' as const, 'off' as const),
      flood: fc.constantFrom('headend' as const, 'headend' as const, 'none' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      vnis: fc.subarray([...VNIS], { minLength: 1 }),
      vteps,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), vni }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('ports' as const), vni, count: fc.constantFrom(1, 2, 2, 3, 0) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.nat(400) }) },
);

/**
 * @param frame what hosts and VTEPs send, with the network it is meant for
 * @param header what hosts leave to be done
 */
function stepsOf(
  frame: fc.Arbitrary<{ readonly vni: number; readonly frame: Uint8Array }>,
  header: fc.Arbitrary<VirtioNetHeader | null>,
): fc.Arbitrary<Step[]> {
  const send: fc.Arbitrary<Step> = fc
    .tuple(frame, fc.nat(2), header)
    .map(([sent, port, head]) => ({ do: 'send', port, header: head, ...sent }));
  const take: fc.Arbitrary<Step> = fc
    .tuple(frame, fc.constantFrom(...ADDRESSES, ...ADDRESSES, '10.9.9.9'), fc.constantFrom(0, 0, 1, 2, 3))
    .map(([sent, from, trafficClass]) => ({ do: 'take', from, datagram: vxlan(sent.vni, sent.frame), trafficClass }));
  const takeGarbage: fc.Arbitrary<Step> = fc
    .tuple(garbage, fc.constantFrom(...ADDRESSES))
    .map(([datagram, from]) => ({ do: 'take', from, datagram, trafficClass: 0 }));
  const step = fc.oneof(
    { weight: 8, arbitrary: send },
    { weight: 8, arbitrary: take },
    { weight: 1, arbitrary: takeGarbage },
    { weight: 2, arbitrary: tableStep },
  );
  const first: Step = { do: 'snapshot', vnis: VNIS, vteps: { a: ADDRESSES[0], b: ADDRESSES[1] } };
  return fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }).map((steps) => [first, ...steps]);
}

const anyFrame = fc.oneof(
  taggedFrame,
  fc.tuple(vni, fc.oneof(realFrame, cutFrame, garbage)).map(([of, frame]) => ({ vni: of, frame })),
);

interface World {
  readonly fabric: InMemoryFabric;
  readonly site: OverlaySite;
}

function createWorld(dirt: number): World {
  const fabric = new InMemoryFabric();
  const site = new OverlaySite(fabric, 'self', '10.0.0.100', { dirt });
  for (const address of [...ADDRESSES, '10.9.9.9']) new OverlaySite(fabric, address, address);
  return { fabric, site };
}

function perform({ site }: World, step: Step): void {
  const network = 'vni' in step ? site.forwarder.networks.get(step.vni) : undefined;
  switch (step.do) {
    case 'send':
      if (network !== undefined && network.ports.length > 0) {
        site.send(step.vni, step.frame, { port: step.port % network.ports.length, header: step.header });
      }
      break;
    case 'take':
      site.takeDatagram(step.from, step.datagram, step.trafficClass);
      break;
    case 'table': {
      const { vni: of, gone, ...options } = step;
      site.apply(delta([{ ...table(of, options), gone: { vteps: [...gone], macs: [] } }]));
      break;
    }
    case 'snapshot':
      site.apply(snapshot(...step.vnis.map((of) => table(of, { vteps: step.vteps }))));
      break;
    case 'leave':
      site.apply(delta([], [step.vni]));
      break;
    case 'ports':
      if (network !== undefined) site.setPorts(step.vni, step.count);
      break;
    case 'wait':
      site.now += step.seconds;
      for (const it of site.forwarder.networks.values()) it.macs.sweep(site.now);
  }
}

function totals({ site }: World): Record<CounterName, number> {
  const bases = [0, ...[...site.forwarder.networks.values()].map(({ counterBase }) => counterBase)];
  const all = bases.map((base) => readCounters(site.counterMemory, base));
  return Object.fromEntries(
    COUNTER_NAMES.map((name) => [name, all.reduce((sum, counters) => sum + counters[name], 0)]),
  ) as Record<CounterName, number>;
}

function deliveredOf({
  site,
}: World): { readonly vni: number; readonly frame: Uint8Array; readonly header: VirtioNetHeader }[] {
  return [...site.forwarder.networks.values()].flatMap(({ vni: of, ports }) =>
    ports.flatMap((_, port) => site.delivered(of, port).map((it) => ({ vni: of, ...it }))),
  );
}

/**
 * Who may be heard, by the plainest reading of the tables.
 * @returns a function that takes the next step, and gives what then answers for a VNI and an address.
 */
function createAllowList(): (step: Step) => (vni: number, from: string) => boolean {
  const networks = new Map<number, { vteps: Record<string, string>; isOpen: boolean }>();
  return (step) => {
    if (step.do === 'leave') networks.delete(step.vni);
    if (step.do === 'snapshot') {
      networks.clear();
      for (const of of step.vnis) networks.set(of, { vteps: step.vteps, isOpen: false });
    }
    if (step.do === 'table') {
      const kept = Object.entries(networks.get(step.vni)?.vteps ?? {}).filter(([site]) => !step.gone.includes(site));
      networks.set(step.vni, {
        vteps: { ...Object.fromEntries(kept), ...step.vteps },
        isOpen: step.antiSpoof === 'off',
      });
    }
    return (of, from) => {
      const network = networks.get(of);
      return network !== undefined && (network.isOpen || Object.values(network.vteps).includes(from));
    };
  };
}

const DROPS = COUNTER_NAMES.filter((name) => name.startsWith('drop'));

describe('whatever is sent, taken and changed', () => {
  it('every frame goes out or is counted as dropped, as many times as it should', () => {
    fc.assert(
      fc.property(stepsOf(anyFrame, anyHeader), (steps) => {
        const world = createWorld(0xa5);
        for (const step of steps) {
          const before = totals(world);
          const carriedBefore = world.fabric.carried.length;
          perform(world, step);
          const delivered = deliveredOf(world).length;
          if (step.do !== 'send' && step.do !== 'take') continue;

          const after = totals(world);
          const grew = (name: CounterName): number => after[name] - before[name];
          const dropped = DROPS.reduce((sum, name) => sum + grew(name), 0);
          expect(grew('portTxFrames')).toBe(delivered);
          expect(grew('vtepTxFrames')).toBe(world.fabric.carried.length - carriedBefore);
          const network = 'vni' in step ? world.site.forwarder.networks.get(step.vni) : undefined;
          if (step.do === 'take') {
            expect(grew('vtepTxFrames')).toBe(0);
            expect(grew('vtepRxFrames')).toBeLessThanOrEqual(1);
            // Refused: dropped, once. Taken: to one port, or to each.
            if (grew('vtepRxFrames') === 0) expect([delivered, dropped]).toEqual([0, 1]);
            else expect(delivered + dropped).toBeGreaterThanOrEqual(1);
          } else if (network === undefined || network.ports.length === 0) {
            expect([delivered, dropped, grew('portRxFrames')]).toEqual([0, 0, 0]);
          } else {
            expect(grew('portRxFrames')).toBe(1);
            expect(grew('portRxBytes')).toBe(step.frame.length);
            // An answer to its sender is no copy of it.
            const copies = delivered - grew('tooBigAnswered') + grew('vtepTxFrames') + dropped;
            const others = network.ports.length - 1;
            const peers = network.floodDestinations.length;
            if (grew('floodedFrames') === 0) expect(copies).toBe(1);
            // What can't be encapsulated is dropped once, not once for each peer.
            else expect([others + peers, others + Math.min(peers, 1)]).toContain(copies);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('no frame ever appears in another network, nor from a VTEP that is not let in', () => {
    fc.assert(
      fc.property(stepsOf(taggedFrame, fc.constant(null)), (steps) => {
        const world = createWorld(0xa5);
        const listed = createAllowList();
        for (const step of steps) {
          const carriedBefore = world.fabric.carried.length;
          perform(world, step);
          const delivered = deliveredOf(world);
          for (const { vni: of, frame } of delivered) expect(frame.at(-1)).toBe(of);
          for (const { payload } of world.fabric.carried.slice(carriedBefore)) {
            expect(payload.at(-1)).toBe(viewOf(payload).getUint32(4) >>> 8);
            expect([0x8100, 0x88a8]).not.toContain(viewOf(payload).getUint16(8 + 12));
          }
          const mayBeHeard = listed(step);
          if (step.do === 'take') for (const { vni: of } of delivered) expect(mayBeHeard(of, step.from)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('nothing outside a frame is ever looked at: all goes the same way whatever surrounds it', () => {
    fc.assert(
      fc.property(stepsOf(anyFrame, anyHeader), (steps) => {
        const worlds = [0xa5, 0x00, 0xff].map(createWorld);
        for (const step of steps) for (const world of worlds) perform(world, step);
        const [one, ...others] = worlds.map((world) => ({
          totals: totals(world),
          carried: world.fabric.carried,
          delivered: deliveredOf(world),
        }));
        for (const other of others) expect(other).toEqual(one);
      }),
      { numRuns: 60 },
    );
  });
});
