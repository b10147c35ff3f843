import type { PeerPath } from '../../../agent/datapath/datapath.ts';

/** A path that is well, but for what is said. */
export function peerPath(changes: { readonly [Name in keyof PeerPath]?: PeerPath[Name] | undefined } = {}): PeerPath {
  return {
    site: 'b',
    transport: 'plain',
    address: '10.0.0.2',
    port: 4789,
    state: 'reachable',
    rttMs: 0.2,
    asked: 32,
    lost: 0,
    mtu: 1500,
    neededMtu: 1500,
    overhead: 50,
    carriesNeeded: true,
    hears: true,
    ...(changes as Partial<PeerPath>),
  };
}
