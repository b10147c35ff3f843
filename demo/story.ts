/** What the demo does, step by step, and how it tells it. */
import { createStyle, formatTable, median } from './report.ts';
import { pingAllPairs, proveIsolation, transferAcross } from './traffic.ts';
import {
  converge,
  giveAddresses,
  joinSites,
  makeTenant,
  type Operator,
  SITES,
  SUBNET,
  startAgents,
  startGateway,
  TENANT,
  type World,
} from './world.ts';

export interface StoryOptions {
  readonly world: World;
  readonly socketPath: string;
  readonly keyPath: string;
  readonly print: (text: string) => void;
  readonly colours: boolean;
}

/**
 * @returns who may do everything at the gateway.
 * @throws Error with what did not work.
 */
export async function tellStory({ world, socketPath, keyPath, print, colours }: StoryOptions): Promise<Operator> {
  const style = createStyle(colours);
  const startedAt = performance.now();

  async function step<Value>(act: Promise<Value>, describe: (value: Value) => string): Promise<Value> {
    const value = await act;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    print(`${style.faint(`${seconds.padStart(5)} s`)}  ${style.good('ok')}  ${describe(value)}`);
    return value;
  }

  const operator: Operator = await step(
    startGateway(world.lab, socketPath, keyPath),
    ({ url }) => `gateway up at ${url} on the underlay`,
  );
  await step(makeTenant(operator), () => `tenant ${TENANT}, networks blue and green, both ${SUBNET}`);
  await step(
    joinSites(operator, world),
    () => `${Object.keys(SITES).length} sites joined, each a network namespace with an underlay address of its own`,
  );
  await step(
    startAgents(world),
    () => 'agents running (userspace VXLAN; plain http to the gateway, on purpose: no TLS here)',
  );
  const sites = await step(converge(operator), () => 'tables converged: every site forwards by the newest revision');
  await giveAddresses(world);
  const pairs = await step(pingAllPairs(world), () => 'pings between all pairs of blue');
  const transfer = await step(transferAcross(world), () => 'TCP across blue');
  const isolation = await step(proveIsolation(world), () => 'green kept apart from blue');

  print('');
  const siteRows = sites.map(({ name, vtep, networks }) => [
    name,
    vtep.address,
    networks.map((network) => `${network.name} (VNI ${network.vni}, revision ${network.appliedRevision})`).join(', '),
  ]);
  print(formatTable([['site', 'VTEP', 'networks'], ...siteRows], style));
  print('');
  const pingRows = pairs.map(({ from, to, ping }) => {
    const rttsMs = ping.rttsMs.filter((rttMs) => rttMs !== null);
    const [least, middle, most] = [Math.min(...rttsMs), median(rttsMs), Math.max(...rttsMs)];
    return [
      'blue',
      `${from} → ${to}`,
      ...[least, middle, most].map((rttMs) => rttMs.toFixed(2)),
      `${ping.received}/${ping.sent}`,
    ];
  });
  print(formatTable([['network', 'ping', 'min ms', 'median', 'max', 'answered'], ...pingRows], style));
  print('');
  const { bytes, seconds, mbitPerSecond } = transfer;
  print(
    formatTable(
      [
        ['network', 'what', 'result'],
        [
          'blue',
          'TCP oslo → lima',
          `${bytes / 1e6} MB in ${seconds.toFixed(2)} s, ${mbitPerSecond.toFixed(0)} Mbit/s, SHA-256 equal at both ends`,
        ],
        ['green', 'quito pings blue’s addresses', `${isolation.answers} of ${isolation.pings} answered`],
        [
          'green',
          'quito’s frames',
          `${isolation.framesOnGreen} on green at kyoto, ${isolation.framesOnBlue} on blue anywhere`,
        ],
      ],
      style,
    ),
  );
  return operator;
}
