/** Whatever can happen in a tenant, at random. */
import fc from 'fast-check';
import { purgeTombstones } from '../../../src/db/tombstones.ts';
import { FREEZE_SECONDS } from '../../../src/domain/mobility.ts';
import { MACS, NETWORKS, SITES, TICK_MS } from './model.ts';
import type { Said } from './registry.ts';
import type { World } from './world.ts';

const network = fc.nat(NETWORKS - 1);
const site = fc.nat(SITES - 1);
const mac = fc.nat(MACS - 1);
const said: fc.Arbitrary<Said> = fc.record({ n: network, m: mac, ip: fc.nat(2) });
const naming = ({ n, m }: Said) => `${n} ${m}`;
export type Step = (world: World) => Promise<void>;
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(network, site, fc.nat(1)).map(
      ([n, s, p]): Step =>
        (w) =>
          w.registry.attach(n, s, p),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(network, site).map(
      ([n, s]): Step =>
        (w) =>
          w.registry.detach(n, s),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(site, fc.constantFrom('move', 'disable', 'enable', 'describe', 'move and enable')).map(
      ([s, what]): Step =>
        (w) =>
          w.registry.patchSite(s, what),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(network, fc.constantFrom(null, 1400, 1450)).map(
      ([n, m]): Step =>
        (w) =>
          w.registry.patchNetwork(n, m),
    ),
  },
  {
    weight: 2,
    arbitrary: network.map(
      (n): Step =>
        (w) =>
          w.registry.dropNetwork(n),
    ),
  },
  {
    weight: 3,
    arbitrary: network.map(
      (n): Step =>
        (w) =>
          w.registry.makeNetwork(n),
    ),
  },
  {
    weight: 1,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.registry.dropSite(s),
    ),
  },
  {
    weight: 2,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.registry.makeSite(s),
    ),
  },
  {
    weight: 6,
    arbitrary: site.map(
      (s): Step =>
        (w) =>
          w.agents.pull(s),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>(async (w) => void (await purgeTombstones(w.db, w.model.tick()))) },
  {
    weight: 12,
    arbitrary: fc.tuple(site, fc.uniqueArray(said, { selector: naming, maxLength: 6 }), fc.nat(2)).map(
      ([s, all, gone]): Step =>
        (w) =>
          w.registry.report(s, all.slice(gone), all.slice(0, gone)),
    ),
  },
  {
    // One MAC, now here, now there.
    weight: 2,
    arbitrary: fc.tuple(network, mac, site, site).map(
      ([n, m, one, two]): Step =>
        async (w) => {
          for (const s of [one, two, one, two, one, two]) await w.registry.report(s, [{ n, m, ip: 0 }], []);
        },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(network, site, mac, fc.nat(2)).map(
      ([n, s, m, ip]): Step =>
        (w) =>
          w.registry.putMac(n, s, m, ip),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(network, mac).map(
      ([n, m]): Step =>
        (w) =>
          w.registry.deleteMac(n, m),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(network, mac).map(
      ([n, m]): Step =>
        (w) =>
          w.registry.unfreezeMac(n, m),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>(async (w) => w.model.pass(FREEZE_SECONDS / (TICK_MS / 1000))) },
);
