/** The paths to the other sites, as the agent that runs here finds them by probes, and as the others find theirs to here. */
import { formatVtep } from '../../shared/format-vtep.ts';
import type { Paths } from '../../src/contract/paths.ts';
import { pathVerdicts, tooSmall } from '../control/path-verdict.ts';
import type { PeerStatus } from '../control/peer-status.ts';
import type { PeerPath } from '../datapath/datapath.ts';
import type { Finding } from './finding.ts';

type Told = Paths['items'][number];

const CHECKS = { reachable: 'reachability', loss: 'loss', mtu: 'path MTU' } as const;

/**
 * @param peers as the status of the agent that runs has them.
 * @param told what the gateway has of both ends' words; none where it does not say.
 */
export function checkPaths(peers: readonly PeerStatus[], told: readonly Told[]): Finding[] {
  const paths = peers.flatMap(({ path }) => (path === undefined ? [] : [path]));
  if (paths.length === 0) return [];
  const toldOf = new Map(told.map((item) => [`${item.site.id} ${item.transport}`, item]));
  const seen = paths.map((path) => ({ path, item: toldOf.get(`${path.site} ${path.transport}`) }));
  const asked = seen.filter(({ path, item }) => path.state !== 'silent' || item?.site.kind !== 'static');
  return [summary(paths, paths.length - asked.length), ...asked.flatMap(({ path, item }) => checkPath(path, item))];
}

/** Of those that are well one line says enough. */
function summary(paths: readonly PeerPath[], silentStatics: number): Finding {
  const reachable = paths.filter(({ state }) => state === 'reachable').length;
  const statics = silentStatics === 0 ? '' : `; static VTEPs, which don’t: ${silentStatics}`;
  const says = `${reachable} of ${paths.length} answer probes${statics}`;
  if (reachable + silentStatics === paths.length) return { check: 'peers', verdict: 'pass', says };
  return { check: 'peers', verdict: 'warn', says, todo: 'what can be done about each of the others follows' };
}

function checkPath(path: PeerPath, item: Told | undefined): Finding[] {
  const name = item === undefined ? '' : ` (${item.site.name})`;
  const verdicts = pathVerdicts(path).map((verdict) => ({ ...verdict, says: `${verdict.says}${name}` }));
  // What goes the other way only the other end can know.
  const { back } = item ?? {};
  if (path.state === 'reachable' && back?.carriesNeeded === false) {
    verdicts.push(tooSmall(back, `the path from ${formatVtep(path)}${name} to here`, path.overhead));
  }
  return verdicts
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ of, verdict, says, todo }) => ({
      check: CHECKS[of],
      verdict,
      says,
      ...(todo === undefined ? {} : { todo }),
    }));
}
