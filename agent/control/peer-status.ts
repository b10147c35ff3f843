/** How it goes with each peer, for people: what the data path counted with it, over all networks, and what the path to it is like. */
import type { DatapathCounters, PeerPath } from '../datapath/datapath.ts';

export interface PeerStatus {
  readonly address: string;
  readonly port: number;
  /** The VNIs that both carry, ascending. */
  readonly networks: readonly number[];
  readonly rxFrames: number;
  readonly rxBytes: number;
  readonly txFrames: number;
  readonly txBytes: number;
  /** What could not be sent to it, for any reason. */
  readonly txDropped: number;
  readonly path?: PeerPath;
}

/** @returns one entry for each VTEP, in the order in which they come. */
export function peerStatuses({ networks }: DatapathCounters, paths: readonly PeerPath[] = []): PeerStatus[] {
  const byVtep = new Map<string, PeerStatus>();
  for (const [vni, { peers }] of [...networks].sort(([a], [b]) => a - b)) {
    for (const { address, port, counters } of peers) {
      const { rxFrames = 0, rxBytes = 0, txFrames = 0, txBytes = 0, ...drops } = counters;
      const txDropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
      const key = `${address} ${port}`;
      const before = byVtep.get(key);
      byVtep.set(key, {
        address,
        port,
        networks: [...(before?.networks ?? []), vni],
        rxFrames: rxFrames + (before?.rxFrames ?? 0),
        rxBytes: rxBytes + (before?.rxBytes ?? 0),
        txFrames: txFrames + (before?.txFrames ?? 0),
        txBytes: txBytes + (before?.txBytes ?? 0),
        txDropped: txDropped + (before?.txDropped ?? 0),
      });
    }
  }
  const pathOf = new Map(paths.map((path) => [`${path.address} ${path.port}`, path]));
  return [...byVtep].map(([key, peer]) => {
    const path = pathOf.get(key);
    return path === undefined ? peer : { ...peer, path };
  });
}
