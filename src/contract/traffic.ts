/** What a network carried at a site, as charts show it: few figures out of the agent's many. */
import * as v from 'valibot';
import type { Counters } from './agent.ts';

const AmountSchema = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Received: what other sites sent and the port was given. Transmitted: what the port took for other sites. Drops of any reason. */
export const TrafficSchema = v.object({
  rxBytes: AmountSchema,
  txBytes: AmountSchema,
  rxFrames: AmountSchema,
  txFrames: AmountSchema,
  drops: AmountSchema,
});
export type Traffic = v.InferOutput<typeof TrafficSchema>;

/** One network at one site: what it carried since the agent started, and the revision of the table it carries it by. */
export const NetworkTrafficSchema = v.object({ vni: v.number(), revision: v.number(), ...TrafficSchema.entries });
export type NetworkTraffic = v.InferOutput<typeof NetworkTrafficSchema>;

/** @returns the traffic that the counters of one network tell of: totals, like them. */
export function trafficOf(counters: Counters): Traffic {
  const { portTxBytes = 0, portRxBytes = 0, portTxFrames = 0, portRxFrames = 0 } = counters;
  let drops = 0;
  for (const [name, count] of Object.entries(counters)) if (name.startsWith('drop')) drops += count;
  return { rxBytes: portTxBytes, txBytes: portRxBytes, rxFrames: portTxFrames, txFrames: portRxFrames, drops };
}
