/** What a site reports of itself. */
import type { Heartbeat } from '../../src/contract/agent.ts';
import { MAX_REPORTED_PATHS, PATH_STATES, type PathReport } from '../../src/contract/path-report.ts';
import type { Datapath, DatapathCounters, PeerPath } from '../datapath/datapath.ts';
import { fitting, nonZero, shortened } from './report-size.ts';
import type { NetworkStatus } from './status.ts';

const ERROR_CHARACTERS = 500;

export function heartbeatOf(
  datapath: Pick<Datapath, 'counters' | 'paths'>,
  stands: Pick<Heartbeat, 'cursor' | 'version'> & {
    readonly watching: boolean;
    readonly networks: readonly NetworkStatus[];
  },
): Heartbeat {
  const { cursor, version, watching } = stands;
  const networks = networkReports(stands.networks, datapath.counters().networks);
  return {
    cursor,
    version,
    ...(watching ? { watching } : {}),
    networks,
    paths: fitting(pathReports(datapath.paths()), networks),
  };
}

/** The networks as they stand, with what each carried and dropped. */
function networkReports(
  networks: readonly NetworkStatus[],
  counters: DatapathCounters['networks'],
): Heartbeat['networks'] {
  const reports = networks.map(({ vni, revision, digest, mtu, transport, heldRemovals, error }) => ({
    vni,
    revision,
    digest,
    counters: nonZero(counters.get(vni)?.totals),
    // A gateway that has encrypted networks knows the field, too.
    ...(transport === 'plain' ? {} : { mtu }),
    ...(heldRemovals === undefined ? {} : { heldRemovals }),
    ...(error === undefined ? {} : { error: error.slice(0, ERROR_CHARACTERS) }),
  }));
  return shortened(reports);
}

/** The paths of which something is known; of too many those that are worst. */
function pathReports(paths: readonly PeerPath[]): PathReport[] {
  return paths
    .flatMap((path) => (path.state === 'new' ? [] : [{ ...path, state: path.state }]))
    .toSorted((a, b) => badnessOf(b) - badnessOf(a))
    .slice(0, MAX_REPORTED_PATHS)
    .map(({ site, transport, state, rttMs, asked, lost, mtu, neededMtu, carriesNeeded, hears }) => ({
      site,
      transport,
      state,
      ...(rttMs === undefined ? {} : { rttMs: Math.round(rttMs * 1000) / 1000 }),
      asked,
      lost,
      ...(mtu === undefined ? {} : { mtu }),
      neededMtu,
      ...(carriesNeeded === undefined ? {} : { carriesNeeded }),
      hears,
    }));
}

function badnessOf({ state, carriesNeeded, lost }: Pick<PathReport, 'state' | 'carriesNeeded' | 'lost'>): number {
  return PATH_STATES.indexOf(state) * 1000 + (carriesNeeded === false ? 500 : 0) + lost;
}
