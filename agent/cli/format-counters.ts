import { formatColumns } from '../../shared/columns.ts';
import type { LocalCounters } from '../control/local-api.ts';

/** For people, only what has counted something; `--json` has all. */
export function formatCounters({ agent, networks }: LocalCounters): string {
  const rows = [...rowsOf('-', agent), ...networks.flatMap(({ vni, counters }) => rowsOf(String(vni), counters))];
  return rows.length === 0 ? 'nothing was counted yet' : formatColumns([['VNI', 'COUNTER', 'TOTAL'], ...rows]);
}

function rowsOf(vni: string, counters: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counters)
    .filter(([, total]) => total > 0)
    .map(([name, total]) => [vni, name, String(total)]);
}
