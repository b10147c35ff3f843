/**
 * An agent's figures in the text format that Prometheus reads (version 0.0.4), named by its conventions: what was carried between host
 * and agent (`port`) and between agent and other VTEPs (`vtep`), what was dropped and why, and how the agent stands.
 */
import { formatVtep } from '../../shared/format-vtep.ts';
import { formatMetric, type Labels, type Sample } from '../../shared/prometheus.ts';
import type { DatapathCounters, PeerCounters, PeerPath } from '../datapath/datapath.ts';
import type { AgentStatus } from './status.ts';

/** Which counter goes under which name, with which labels; drops are found by their prefix. */
const COUNTERS: readonly (readonly [metric: string, help: string, labels: Labels, counter: string])[] = [
  ['frames_total', 'Frames carried.', { side: 'port', direction: 'rx' }, 'portRxFrames'],
  ['frames_total', '', { side: 'port', direction: 'tx' }, 'portTxFrames'],
  ['frames_total', '', { side: 'vtep', direction: 'rx' }, 'vtepRxFrames'],
  ['frames_total', '', { side: 'vtep', direction: 'tx' }, 'vtepTxFrames'],
  ['bytes_total', 'Bytes of the frames carried.', { side: 'port', direction: 'rx' }, 'portRxBytes'],
  ['bytes_total', '', { side: 'port', direction: 'tx' }, 'portTxBytes'],
  ['bytes_total', '', { side: 'vtep', direction: 'rx' }, 'vtepRxBytes'],
  ['bytes_total', '', { side: 'vtep', direction: 'tx' }, 'vtepTxBytes'],
  ['flooded_frames_total', 'Frames that went to every other site.', {}, 'floodedFrames'],
  ['copied_frames_total', 'Copies of flooded frames beyond the first.', {}, 'copiedFrames'],
  ['cut_frames_total', 'Frames that large segments of a host came to, beyond the first.', {}, 'cutFrames'],
  ['merged_frames_total', 'Frames that were given to a host together with the one before.', {}, 'mergedFrames'],
  ['neighbors_answered_total', 'ARP requests and neighbour solicitations answered here.', {}, 'neighborsAnswered'],
  ['too_big_answered_total', 'Hosts told that their packet is too big.', {}, 'tooBigAnswered'],
  ['ecn_marked_frames_total', 'Frames that took over the underlay’s congestion mark.', {}, 'ecnMarkedFrames'],
  ['mss_clamped_total', 'TCP SYNs whose MSS was lowered.', {}, 'mssClamped'],
  ['macs_moved_total', 'Stations that were heard at another place than before.', {}, 'macsMoved'],
];
const PEER_COUNTERS: typeof COUNTERS = [
  ['peer_frames_total', 'Frames that came from and went to each other VTEP.', { direction: 'rx' }, 'rxFrames'],
  ['peer_frames_total', '', { direction: 'tx' }, 'txFrames'],
  ['peer_bytes_total', 'Bytes of those frames.', { direction: 'rx' }, 'rxBytes'],
  ['peer_bytes_total', '', { direction: 'tx' }, 'txBytes'],
];
const DROP = 'drop';

interface Counted {
  readonly labels: Labels;
  readonly values: Readonly<Record<string, number>>;
}

/** @returns all figures of this moment. */
export function formatAgentMetrics(
  status: AgentStatus,
  counters: DatapathCounters,
  paths: readonly PeerPath[] = [],
): string {
  const names = new Map(status.networks.map(({ vni, name }) => [vni, name]));
  const networks = [...counters.networks].map(([vni, { totals, peers }]) => {
    const labels = { vni, network: names.get(vni) ?? '' };
    return { labels, values: totals, peers: peers.map((peer) => countedOf(labels, peer)) };
  });
  const peers = networks.flatMap((network) => network.peers);
  const gauge = (value: (network: AgentStatus['networks'][number]) => number): Sample[] =>
    status.networks.map((network) => [{ vni: network.vni, network: network.name }, value(network)]);
  return [
    formatCounted(COUNTERS, networks),
    formatCounted(PEER_COUNTERS, peers),
    format('dropped_total', 'Frames and datagrams dropped, by reason.', 'counter', [
      ...dropsOf({ labels: {}, values: counters.agent }),
      ...networks.flatMap(dropsOf),
    ]),
    format(
      'peer_dropped_total',
      'Frames that could not be sent to a VTEP, by reason.',
      'counter',
      peers.flatMap(dropsOf),
    ),
    ...formatPaths(paths),
    format(
      'network_in_step',
      '1 where the network is carried as the table says.',
      'gauge',
      gauge((n) => Number(n.inStep)),
    ),
    format(
      'network_peers',
      'Other sites that carry the network.',
      'gauge',
      gauge((n) => n.peers),
    ),
    format(
      'network_macs',
      "Entries of the registry's MAC/IP table.",
      'gauge',
      gauge((n) => n.macs),
    ),
    format(
      'network_mtu_bytes',
      'The MTU in force on the port.',
      'gauge',
      gauge((n) => n.mtu),
    ),
    format('in_step', '1 where the gateway answers and every network is carried.', 'gauge', [
      [{}, Number(status.inStep)],
    ]),
    ...(status.gateway === undefined
      ? []
      : [
          format('gateway_reachable', '1 where the gateway answers.', 'gauge', [
            [{}, Number(status.gateway.state === 'reachable')],
          ]),
        ]),
    format('resident_memory_bytes', 'Resident memory of the agent.', 'gauge', [[{}, process.memoryUsage.rss()]]),
  ].join('');
}

/** Without those that never answered, of which nothing is known: static VTEPs are such. */
function formatPaths(paths: readonly PeerPath[]): string[] {
  const known = paths.filter(({ state }) => state === 'reachable' || state === 'unreachable');
  const gauge = (name: string, help: string, value: (path: PeerPath) => number | undefined): string =>
    format(
      name,
      help,
      'gauge',
      known.flatMap((path): Sample[] => {
        const figure = value(path);
        return figure === undefined ? [] : [[{ peer: formatVtep(path), transport: path.transport }, figure]];
      }),
    );
  return [
    gauge('peer_reachable', '1 where the VTEP answers probes, 0 where it did and does no more.', ({ state }) =>
      Number(state === 'reachable'),
    ),
    gauge('peer_round_trip_seconds', 'Smoothed round trip of probes to the VTEP.', ({ rttMs }) =>
      rttMs === undefined ? undefined : Math.round(rttMs * 1000) / 1e6,
    ),
    gauge('peer_loss_ratio', 'Share of the last probes to the VTEP that were lost.', ({ asked, lost }) =>
      asked === 0 ? undefined : lost / asked,
    ),
    gauge('peer_path_mtu_bytes', 'The largest IP packet that came to the VTEP.', ({ mtu }) => mtu),
  ];
}

function countedOf(network: Labels, { address, port, counters }: PeerCounters): Counted {
  return { labels: { ...network, peer: formatVtep({ address, port }) }, values: counters };
}

function formatCounted(names: typeof COUNTERS, counted: readonly Counted[]): string {
  const metrics = new Map<string, { readonly help: string; readonly samples: Sample[] }>();
  for (const [metric, help, labels, counter] of names) {
    const { samples } = metrics.get(metric) ?? metrics.set(metric, { help, samples: [] }).get(metric)!;
    for (const { labels: whose, values } of counted) samples.push([{ ...whose, ...labels }, values[counter] ?? 0]);
  }
  return [...metrics].map(([name, { help, samples }]) => format(name, help, 'counter', samples)).join('');
}

function dropsOf({ labels, values }: Counted): Sample[] {
  return Object.entries(values)
    .filter(([name]) => name.startsWith(DROP))
    .map(([name, count]) => [{ ...labels, reason: reasonOf(name) }, count]);
}

/** `dropUnlistedVtep` → `unlisted_vtep` */
function reasonOf(counter: string): string {
  return counter
    .slice(DROP.length)
    .replace(/[A-Z]/g, (letter, at: number) => `${at === 0 ? '' : '_'}${letter.toLowerCase()}`);
}

function format(name: string, help: string, type: 'counter' | 'gauge', samples: readonly Sample[]): string {
  return formatMetric({ name: `overlane_agent_${name}`, help, type, samples });
}
