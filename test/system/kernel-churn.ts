/**
 * Inside a namespace, `kernel-churn.ts ADDRESS SEED`: puts 10,000 entries in force, changes them at random 1,000 times by deltas, and prints as
 * JSON what the table came to, for `bridge fdb` to be held against.
 */
import type { Delta, MacRow, Vtep } from '../../src/contract/table.ts';
import { openEngine } from '../bench/kernel/engine.ts';
import { macRow, networkTable, snapshot, VTEPS } from '../bench/kernel/tables.ts';

const NETWORKS = 20;
const MACS = 500;
const DELTAS = 1000;
const CHANGES = 20;

const [address = '', seed = '1'] = process.argv.slice(2);
let state = Number(seed);

/** A linear congruential generator: the same changes for the same seed. */
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

interface Expected {
  readonly vteps: Map<string, Vtep>;
  readonly macs: Map<string, MacRow>;
}

const engine = openEngine(address);
const first = snapshot(NETWORKS, MACS);
const expected: Expected[] = first.networks.map(({ vteps, macs }) => ({
  vteps: new Map(vteps.map((vtep) => [vtep.site, vtep])),
  macs: new Map(macs.map((row) => [row.mac, row])),
}));
engine.networks.apply(first);
let seq = 2;
for (let i = 0; i < DELTAS; i++) {
  const network = random(NETWORKS);
  const { vteps, macs } = expected[network]!;
  const setMacs = new Map<string, MacRow>();
  const goneMacs = new Set<string>();
  for (let j = random(CHANGES); j >= 0; j--) {
    const row = { ...macRow(network, random(MACS + 50), random(VTEPS.length)), seq: seq++, sticky: random(10) === 0 };
    if (random(4) === 0) goneMacs.add(row.mac);
    else setMacs.set(row.mac, row);
  }
  const setVteps: Vtep[] = [];
  const goneVteps: string[] = [];
  const site = VTEPS[random(VTEPS.length)]!;
  const fate = random(20);
  if (fate === 0) goneVteps.push(site.site);
  else if (fate < 4) setVteps.push({ ...site, address: `10.77.2.${random(200) + 1}`, port: 4789 + random(2) });
  for (const mac of goneMacs) macs.delete(mac);
  for (const [mac, row] of setMacs) macs.set(mac, row);
  for (const gone of goneVteps) vteps.delete(gone);
  for (const vtep of setVteps) vteps.set(vtep.site, vtep);
  const change = {
    ...networkTable(network, [...setMacs.values()]),
    vteps: setVteps,
    gone: { vteps: goneVteps, macs: [...goneMacs] },
  };
  const delta: Delta = { kind: 'delta', from: `${i}`, cursor: `${i + 1}`, networks: [change] };
  for (const error of engine.networks.apply(delta).errors.values()) throw new Error(error);
}
engine.close();

const lines = expected.flatMap(({ vteps, macs }, network) => {
  const dev = `ovx${networkTable(network, []).vni}`;
  const to = ({ address: dst, port }: Vtep): string => `${dst}${port === 4789 ? '' : ` ${port}`}`;
  const flood = new Set([...vteps.values()].map((vtep) => `${dev} 00:00:00:00:00:00 ${to(vtep)}`));
  const entries = [...macs.values()].flatMap(({ mac, site, sticky }) => {
    const vtep = vteps.get(site);
    const kind = sticky ? ' sticky' : '';
    return vtep === undefined ? [] : [`${dev} ${mac} ${to(vtep)}${kind}`, `${dev} ${mac} n${network}${kind}`];
  });
  return [...flood, ...entries];
});
process.stdout.write(`${JSON.stringify(lines.sort())}\n`);
