/** Which data path carries the frames, and opening it. */
import { Failure } from '../../shared/failure.ts';
import type { DatapathChoice } from '../config.ts';
import type { Log } from '../control/log.ts';
import type { Datapath } from '../datapath/datapath.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import { openKernelDatapath } from '../kernel/kernel.ts';
import { removeKernelLeftovers } from '../kernel/leftovers.ts';
import { missingForKernel } from '../kernel/probe.ts';
import { openUserspaceDatapath } from '../userspace/userspace.ts';

export type DatapathKind = 'userspace' | 'kernel';

export interface OpenDatapathOptions {
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** The same across restarts, another for each agent of a host. */
  readonly identity: string;
  /** How many forward in userspace. */
  readonly threads: number;
  readonly rules: ForwardingRules;
  /** On a stop, leave forwarding what forwards by itself. */
  readonly keep: boolean;
  readonly log: Log;
}

/**
 * @returns what `auto` means on this host: the kernel where it can, since it is the faster.
 * @throws Failure where the rules ask for what the chosen one can't do.
 */
export function chooseDatapath(choice: DatapathChoice, { clampMss }: ForwardingRules, log: Log): DatapathKind {
  if (choice === 'kernel' && clampMss === true) {
    throw new Failure('configuration', 'the kernel data path clamps no MSS: use userspace, or leave --clamp-mss out');
  }
  if (choice !== 'auto') return choice;
  const missing = clampMss === true ? 'the clamping of the MSS' : missingForKernel();
  if (missing === null) return 'kernel';
  log('info', `carrying frames in userspace, since the kernel's data path lacks ${missing}`);
  return 'userspace';
}

/** What the other data path left of this agent's is removed. @throws DatapathError */
export async function openDatapath(kind: DatapathKind, options: OpenDatapathOptions): Promise<Datapath> {
  const { identity, vtep, rules, keep, log } = options;
  if (kind === 'kernel') return openKernelDatapath({ vtep, identity, dscp: rules.dscp ?? 'zero', keep, log });
  removeKernelLeftovers(identity, vtep.address?.includes(':') === true, vtep.port);
  if (keep) log('warn', '--keep has no effect: the userspace data path forwards only while the agent runs');
  return openUserspaceDatapath(options);
}
