/** Keeps a report within what the gateway takes, at a site of thousands of networks. */
import type { Counters, NetworkReport } from '../../src/contract/agent.ts';
import type { PathReport } from '../../src/contract/path-report.ts';
import { trafficOf } from '../../src/contract/traffic.ts';

/** Of all networks together, as JSON; the gateway takes a body of 1,000,000 bytes. */
const MAX_CHARACTERS = 900_000;
/** Of networks and paths together. */
const MAX_CHARACTERS_IN_ALL = 980_000;

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

/** @returns as many of the paths, from the first, as there is room for beside the networks. */
export function fitting(paths: readonly PathReport[], networks: readonly NetworkReport[]): PathReport[] {
  let room = MAX_CHARACTERS_IN_ALL - JSON.stringify(networks).length;
  const end = paths.findIndex((path) => {
    // A comma between them.
    room -= JSON.stringify(path).length + 1;
    return room < 0;
  });
  return end < 0 ? [...paths] : paths.slice(0, end);
}
