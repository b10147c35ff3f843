/** Keeps a report within what the gateway takes, at a site of thousands of networks. */
import type { Counters, NetworkReport } from '../../src/contract/agent.ts';
import { trafficOf } from '../../src/contract/traffic.ts';

/** Of all networks together, as JSON; the gateway takes a body of 1,000,000 bytes. */
const MAX_CHARACTERS = 900_000;

/** A counter that is not said is 0. */
export function nonZero(counters: Counters = {}): Counters {
  return Object.fromEntries(Object.entries(counters).filter(([, count]) => count !== 0));
}

/** @returns the same, or where that is too long, only what history and charts are made of, all drops as one. */
export function shortened(networks: readonly NetworkReport[]): NetworkReport[] {
  if (JSON.stringify(networks).length <= MAX_CHARACTERS) return [...networks];
  return networks.map((network) => {
    const { rxBytes, txBytes, rxFrames, txFrames, drops } = trafficOf(network.counters);
    const counters = {
      portTxBytes: rxBytes,
      portRxBytes: txBytes,
      portTxFrames: rxFrames,
      portRxFrames: txFrames,
      drops,
    };
    return { ...network, counters: nonZero(counters) };
  });
}
