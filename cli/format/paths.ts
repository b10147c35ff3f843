import type { PathSeen, Paths } from '../../src/contract/paths.ts';
import { type Columns, formatTable } from './table.ts';

type Item = Paths['items'][number];

/** A line for each peer: what goes there as the site that was asked for sees it, what comes back as the other one does. */
export function formatPaths(items: readonly Item[]): string {
  return items.length === 0 ? 'no paths are known' : formatTable(items, PATHS);
}

const PATHS: Columns<Item> = [
  ['PEER', ({ site }) => site.name],
  ['TRANSPORT', ({ transport }) => transport],
  ['THERE', ({ there }) => formatState(there)],
  ['ROUND TRIP', ({ there }) => (there?.rttMs === undefined ? undefined : `${there.rttMs.toFixed(2)} ms`)],
  ['LOST', ({ there }) => formatLoss(there)],
  ['MTU', ({ there }) => formatMtu(there)],
  ['BACK', ({ back }) => formatState(back)],
  ['LOST BACK', ({ back }) => formatLoss(back)],
  ['MTU BACK', ({ back }) => formatMtu(back)],
];

function formatState(seen: PathSeen | undefined): string | undefined {
  if (seen?.state !== 'unreachable') return seen?.state;
  return seen.hears ? 'lost, though heard' : 'unreachable';
}

function formatLoss(seen: PathSeen | undefined): string | undefined {
  if (seen === undefined || seen.state !== 'reachable' || seen.asked === 0) return undefined;
  return `${Math.round((100 * seen.lost) / seen.asked)}%`;
}

function formatMtu(seen: PathSeen | undefined): string | undefined {
  if (seen?.carriesNeeded === false) return `${seen.mtu ?? 'less'}, ${seen.neededMtu} needed`;
  return seen?.mtu?.toString();
}
