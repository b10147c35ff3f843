import { formatColumns } from '../../shared/columns.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import type { LocalCounters } from '../control/local-api.ts';

/** For people, only what has counted something; `--json` has all. */
export function formatCounters({ agent, networks }: LocalCounters): string {
  const totals = [...rowsOf('-', agent), ...networks.flatMap(({ vni, counters }) => rowsOf(String(vni), counters))];
  if (totals.length === 0) return 'nothing was counted yet';
  const peers = networks.flatMap(({ vni, peers }) => peers.map((peer) => peerRow(vni, peer)));
  const tables = [[['VNI', 'COUNTER', 'TOTAL'], ...totals]];
  if (peers.length > 0) {
    tables.push([['VNI', 'PEER', 'RX FRAMES', 'RX BYTES', 'TX FRAMES', 'TX BYTES', 'TX DROPPED'], ...peers]);
  }
  return tables.map((table) => formatColumns(table)).join('\n\n');
}

function rowsOf(vni: string, counters: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counters)
    .filter(([, total]) => total > 0)
    .map(([name, total]) => [vni, name, String(total)]);
}

function peerRow(vni: number, peer: LocalCounters['networks'][number]['peers'][number]): string[] {
  const { rxFrames = 0, rxBytes = 0, txFrames = 0, txBytes = 0, ...drops } = peer.counters;
  const dropped = Object.values(drops).reduce((sum, count) => sum + count, 0);
  return [vni, formatVtep(peer), rxFrames, rxBytes, txFrames, txBytes, dropped].map(String);
}
