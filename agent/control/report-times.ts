/** How often a site reports, and how far apart many do. */
import { HEARTBEAT_SECONDS, PULL_SECONDS, WATCHING_HEARTBEAT_SECONDS } from '../../src/contract/agent.ts';
import type { LastGood } from './merge.ts';

/** After a change that was pushed to many, their reports come spread over this or so long per site: a hundred in a second. */
export const REPORT_SPREAD_MS = 1000;
const REPORT_SPREAD_PER_PEER_MS = 10;
/** Paths change as peers come and go, and what loses comes and goes by itself: it is told that often at most. */
const PATHS_REPORT_SECONDS = 15;

/** How long lies between two reports that nothing is the reason for but time, and perhaps that a path became what it was not. */
export function reportSeconds(isWatching: boolean, pathsChanged: boolean): number {
  if (!isWatching) return HEARTBEAT_SECONDS - PULL_SECONDS;
  return pathsChanged ? PATHS_REPORT_SECONDS : WATCHING_HEARTBEAT_SECONDS;
}

export function reportSpreadMs(table: LastGood | null): number {
  const peers = [...(table?.networks.values() ?? [])].map(({ vteps }) => vteps.size);
  return Math.max(REPORT_SPREAD_MS, REPORT_SPREAD_PER_PEER_MS * Math.max(0, ...peers));
}
