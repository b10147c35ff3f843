/** From a change in the registry to frames that go by it, at many sites at once. */
import type { Site } from '../../../src/contract/sites.ts';
import type { Fleet, Heard } from './fleet.ts';

export interface Propagation {
  /** Milliseconds from the request of a change to the moment it was in force, for each change at each agent. */
  readonly latenciesMs: readonly number[];
}

export interface Storm {
  /** Until the last agent had all the others. */
  readonly seconds: number;
  readonly heard: Heard;
}

/** No call for so long means that what a change left to be done, reports above all, is done. */
const QUIET_MS = 250;
const GIVE_UP_SECONDS = 180;

/** All sites enrol at the same moment. */
export async function joinStorm(fleet: Fleet, count: number): Promise<Storm> {
  const agents = await fleet.prepare(count);
  const before = { ...fleet.heard };
  const start = performance.now();
  await Promise.all(agents.map((agent) => agent.join()));
  await untilAll(fleet, (agent) => agent.hasPeers(count - 1));
  return { seconds: (performance.now() - start) / 1000, heard: since(before, fleet.heard) };
}

/** A site whose VTEP moves again and again: how long until each agent sends to the new address. */
export async function propagate(fleet: Fleet, changes: number): Promise<Propagation> {
  const operator = fleet.operator();
  const probe = await operator.made<Site>('POST', `${fleet.at}/sites`, {
    name: 'probe',
    kind: 'static',
    vtep: { address: '172.17.0.1' },
  });
  await operator.made('PUT', `${fleet.at}/sites/probe/networks/blue`, { port: { type: 'none' } });
  await untilAll(fleet, ({ datapath }) => datapath.addressOf(probe.id) === '172.17.0.1');
  await untilQuiet(fleet);
  const latenciesMs: number[] = [];
  for (let change = 1; change <= changes; change++) {
    const address = `172.${16 + (change >> 8)}.${change & 255}.2`;
    const start = performance.now();
    const arrived = fleet.agents.map(
      ({ datapath }) =>
        new Promise<number>((resolve) => {
          datapath.onApplied = () => {
            if (datapath.addressOf(probe.id) === address) resolve(performance.now() - start);
          };
        }),
    );
    await operator.made('PATCH', `${fleet.at}/sites/probe`, { vtep: { address } });
    latenciesMs.push(...(await Promise.all(arrived)));
    await untilQuiet(fleet);
  }
  for (const { datapath } of fleet.agents) datapath.onApplied = () => {};
  await operator.made('DELETE', `${fleet.at}/sites/probe`);
  return { latenciesMs };
}

/** The gateway is killed, away for so long on the agents' clock, and back with a change that they must all get. */
export async function outage(fleet: Fleet, awaySeconds: number): Promise<Storm> {
  const rate = 30;
  await fleet.killGateway();
  fleet.clock.run(rate);
  await pause((awaySeconds / rate) * 1000);
  fleet.clock.run(1);
  await fleet.startGateway();
  const before = { ...fleet.heard };
  const start = performance.now();
  await fleet.operator().made('PATCH', `${fleet.at}/networks/blue`, { mtu: 1400 });
  await untilAll(fleet, ({ datapath }) => [...datapath.networks.values()].every(({ mtu }) => mtu === 1400));
  const seconds = (performance.now() - start) / 1000;
  await fleet.operator().made('PATCH', `${fleet.at}/networks/blue`, { mtu: 1450 });
  return { seconds, heard: since(before, fleet.heard) };
}

async function untilAll(fleet: Fleet, holds: (agent: Fleet['agents'][number]) => boolean): Promise<void> {
  const end = performance.now() + GIVE_UP_SECONDS * 1000;
  while (!fleet.agents.every(holds)) {
    if (performance.now() > end) {
      const missing = fleet.agents.filter((agent) => !holds(agent)).length;
      throw new Error(`${missing} of ${fleet.agents.length} agents were not there after ${GIVE_UP_SECONDS} s`);
    }
    await pause(20);
  }
}

async function untilQuiet(fleet: Fleet): Promise<void> {
  for (let answers = -1; answers !== fleet.heard.answers; ) {
    answers = fleet.heard.answers;
    await pause(QUIET_MS);
  }
}

function since(before: Heard, now: Heard): Heard {
  const kinds = Object.keys(before) as (keyof Heard)[];
  return Object.fromEntries(kinds.map((kind) => [kind, now[kind] - before[kind]])) as unknown as Heard;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
