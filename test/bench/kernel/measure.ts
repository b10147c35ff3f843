/**
 * Inside a namespace, `measure.ts ADDRESS NETWORKS MACS`: puts a table in force by the kernel data path and by iproute2's batches, and
 * prints the seconds and the messages of each as JSON.
 */
import { execFileSync } from 'node:child_process';
import type { Delta } from '../../../src/contract/table.ts';
import { openEngine } from './engine.ts';
import { macRow, networkTable, snapshot, VTEPS } from './tables.ts';

/** Seconds, and how many changes the kernel was asked for. */
export interface Measured {
  readonly ours: ReturnType<typeof ours>;
  readonly iproute2: ReturnType<typeof iproute2>;
}

const [address = '', networkCount = '100', macCount = '100'] = process.argv.slice(2);
const networks = Number(networkCount);
const macs = Number(macCount);

function seconds(act: () => void): number {
  const start = performance.now();
  act();
  return (performance.now() - start) / 1000;
}

function ours() {
  const engine = openEngine(address);
  const empty = snapshot(networks, 0);
  const full = snapshot(networks, macs);
  const devices = seconds(() => engine.networks.apply(empty));
  const entries = seconds(() => expectNoErrors(engine.networks.apply(full).errors));
  const again = seconds(() => engine.networks.apply(full));
  engine.takeChanges();
  const moved = { ...networkTable(7 % networks, [{ ...macRow(7 % networks, 3, 5), seq: 2 }]), vteps: [] };
  const delta: Delta = { kind: 'delta', from: 'bench', cursor: 'bench2', networks: [moved] };
  const one = seconds(() => engine.networks.apply(delta));
  const messagesOfOne = engine.takeChanges();
  engine.networks.remove();
  const atOnce = seconds(() => expectNoErrors(engine.networks.apply(full).errors));
  engine.networks.remove();
  engine.close();
  return { devices, entries, again, one, messagesOfOne, atOnce };
}

/** The same devices and entries, without a filter. */
function iproute2() {
  const batch = (program: string, lines: readonly string[]): number =>
    seconds(() => execFileSync(program, ['-batch', '-'], { input: `${lines.join('\n')}\n` }));
  const all = Array.from({ length: networks }, (_, i) => networkTable(i, []));
  const devices = batch(
    'ip',
    all.flatMap(({ vni }, i) => [
      `link add n${i} mtu 1450 type bridge forward_delay 0 mcast_snooping 0`,
      `link add ovx${vni} mtu 1450 type vxlan id ${vni} local ${address} dstport 4789 nolearning df set`,
      `link set ovx${vni} master n${i}`,
      `link set ovx${vni} type bridge_slave learning off neigh_suppress off`,
      `link set ovx${vni} up`,
      `link set n${i} up`,
    ]),
  );
  const flood = all.flatMap(({ vni }) =>
    VTEPS.map((vtep) => `fdb append 00:00:00:00:00:00 dev ovx${vni} dst ${vtep.address} self permanent`),
  );
  batch('bridge', flood);
  const entries = batch(
    'bridge',
    all.flatMap(({ vni }, network) =>
      Array.from({ length: macs }, (_, i) => {
        const { mac } = macRow(network, i);
        return `fdb replace ${mac} dev ovx${vni} dst ${VTEPS[i % VTEPS.length]!.address} self master extern_learn dynamic`;
      }),
    ),
  );
  const one = batch('bridge', [
    `fdb replace ${macRow(0, 3).mac} dev ovx${all[0]!.vni} dst ${VTEPS[5]!.address} self master extern_learn dynamic`,
  ]);
  batch(
    'ip',
    all.flatMap(({ vni }, i) => [`link del ovx${vni}`, `link del n${i}`]),
  );
  return { devices, entries, one };
}

function expectNoErrors(errors: ReadonlyMap<number, string>): void {
  for (const [vni, error] of errors) throw new Error(`VNI ${vni}: ${error}`);
}

process.stdout.write(`${JSON.stringify({ ours: ours(), iproute2: iproute2() } satisfies Measured)}\n`);
