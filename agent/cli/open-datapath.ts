/** Which data path carries the frames, and opening it. */
import { Failure } from '../../shared/failure.ts';
import { TUNNEL_VXLAN_PORT } from '../../src/contract/wireguard.ts';
import type { DatapathChoice } from '../config.ts';
import type { Log } from '../control/log.ts';
import type { Datapath, MovableDatapath, VtepSource } from '../datapath/datapath.ts';
import type { ForwardingRules } from '../datapath/forwarding-rules.ts';
import { openKernelDatapath } from '../kernel/kernel.ts';
import { removeKernelLeftovers } from '../kernel/leftovers.ts';
import { missingForKernel } from '../kernel/probe.ts';
import { removeLeftTaps } from '../ports/tap-device.linux.ts';
import { openUserspaceDatapath } from '../userspace/userspace.ts';
import { kernelHasWireguard } from '../wireguard/kernel-wireguard.linux.ts';

export type DatapathKind = 'userspace' | 'kernel';

export interface OpenDatapathOptions {
  readonly vtep: { readonly address: string | null; readonly port: number };
  /** The same across restarts, another for each agent of a host. */
  readonly identity: string;
  /** How many forward in userspace. */
  readonly threads: number;
  readonly rules: ForwardingRules;
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

/**
 * @returns what `auto` means for encrypted networks, where plain ones go by `kind`. What passes through wireguard-go is quicker as trains of
 * datagrams, which the userspace one sends; the kernel's VXLAN gives it single packets.
 */
export function chooseTunnelDatapath(choice: DatapathChoice, kind: DatapathKind): DatapathKind {
  return choice === 'auto' && !kernelHasWireguard() ? 'userspace' : kind;
}

/** What the other data path left of this agent's is removed. @throws DatapathError */
export async function openDatapath(kind: DatapathKind, options: OpenDatapathOptions): Promise<Datapath> {
  const { identity, vtep, rules, log } = options;
  if (kind === 'kernel') return openKernelDatapath({ vtep, identity, dscp: rules.dscp ?? 'zero', log });
  removeKernelLeftovers(identity, vtep.address?.includes(':') === true, vtep.port);
  return openUserspaceDatapath(options);
}

/**
 * Opens what carries encrypted networks, by a device of WireGuard alone: of the same kind as what carries the plain ones, and of a name of its
 * own, since what either left is not the other's to remove. @throws DatapathError
 */
export async function openTunnelDatapath(
  kind: DatapathKind,
  source: VtepSource,
  options: Omit<OpenDatapathOptions, 'vtep'>,
): Promise<MovableDatapath> {
  const { rules, log } = options;
  const identity = tunnelIdentity(options.identity);
  const vtep = { address: source.address, port: TUNNEL_VXLAN_PORT };
  if (kind === 'kernel') {
    return openKernelDatapath({ vtep, sources: [source], identity, dscp: rules.dscp ?? 'zero', log });
  }
  removeKernelLeftovers(identity, true, TUNNEL_VXLAN_PORT);
  const { device: name, index } = source;
  return openUserspaceDatapath({ ...options, identity, vtep, device: { name, index } });
}

/** Removes what an earlier run left of its data path for plain networks, whichever that was. */
export function removeLeft(identity: string, vtep: OpenDatapathOptions['vtep']): void {
  removeKernelLeftovers(identity, vtep.address?.includes(':') === true, vtep.port);
  removeLeftTaps(identity, () => false);
}

/** The same of its data path for encrypted networks. */
export function removeTunnelLeft(identity: string): void {
  removeLeft(tunnelIdentity(identity), { address: '::', port: TUNNEL_VXLAN_PORT });
}

function tunnelIdentity(identity: string): string {
  return `${identity} tunnel`;
}
