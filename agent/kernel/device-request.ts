/** What a network's settings ask of its devices. Pure. */
import type { DscpMode } from '../datapath/forwarding-rules.ts';
import type { BridgePortSettings, VxlanSettings } from '../sys/link-message.ts';
import type { NetworkSettings } from './wanted-network.ts';

export interface DeviceRequest {
  readonly vxlan: VxlanSettings;
  readonly port: { readonly type: 'host' | 'bridge'; readonly name: string };
  /** Of the network, in bytes of IP packet. */
  readonly mtu: number;
  readonly bridgePort: BridgePortSettings;
}

export interface HostSettings {
  /** UDP. */
  readonly vxlanPort: number;
  /** See `VxlanSettings`. */
  readonly local: string | null;
  readonly dscp: DscpMode;
  /** What the underlay leaves, in bytes of IP packet. */
  readonly mtuLimit: number;
}

/** @returns null for a kind of port that there are no devices for. */
export function requestOf(
  settings: NetworkSettings,
  { vxlanPort, local, dscp, mtuLimit }: HostSettings,
): DeviceRequest | null {
  const { vni, port, mtu, antiSpoof, arpSuppression } = settings;
  if (port.type !== 'host' && port.type !== 'bridge') return null;
  // Who is not in the registry can be answered only where it is learned; who is, has an entry.
  const learning = antiSpoof === 'off';
  return {
    vxlan: { vni, local, port: vxlanPort, learning, inheritsDscp: dscp === 'copy' },
    port,
    mtu: Math.min(mtu, mtuLimit),
    bridgePort: { learning, neighSuppress: arpSuppression },
  };
}

/** Whether an update leaves a network's devices as they are. */
export function isSameDevice(a: NetworkSettings, b: NetworkSettings): boolean {
  return (
    a.mtu === b.mtu &&
    a.antiSpoof === b.antiSpoof &&
    a.arpSuppression === b.arpSuppression &&
    JSON.stringify(a.port) === JSON.stringify(b.port)
  );
}
