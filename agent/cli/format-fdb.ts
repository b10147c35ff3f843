import { formatColumns } from '../../shared/columns.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import type { FdbEntry, NetworkFdb } from '../datapath/datapath.ts';

/** One line per MAC, and one per VTEP that flooded frames go to. */
export function formatFdb(networks: readonly NetworkFdb[]): string {
  const rows = networks.flatMap(({ vni, name, flood, entries }) => [
    ...entries.map((entry) => [String(vni), name, entry.mac, placeOf(entry), entry.origin, ageOf(entry)]),
    ...flood.map((vtep) => [String(vni), name, 'flood', formatVtep(vtep), 'registry', '']),
  ]);
  return rows.length === 0 ? 'no entries' : formatColumns([['VNI', 'NAME', 'MAC', 'TO', 'ORIGIN', 'AGE'], ...rows]);
}

function placeOf({ to }: FdbEntry): string {
  return 'port' in to ? to.port : formatVtep(to.vtep);
}

function ageOf({ ageSeconds }: FdbEntry): string {
  return ageSeconds === undefined ? '' : `${Math.floor(ageSeconds)} s`;
}
