import { formatAge } from '../../shared/format-age.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import { pathVerdicts } from '../control/path-verdict.ts';
import type { AgentStatus } from '../control/status.ts';

/** So many frames without one that came back are no chance: even a question that nobody answers is sent three times at most. */
const SILENT_AFTER_FRAMES = 10;

/** @returns what a person should know of, each in one line, the gravest first; none where all is well. @param now milliseconds since 1970. */
export function whatIsWrong(status: AgentStatus, now: number): string[] {
  return [...wrongBesidePaths(status, now), ...wrongPaths(status)];
}

function wrongPaths({ wireguard, peers = [] }: AgentStatus): string[] {
  const withoutSession = new Set(wireguard?.withoutSession.map(({ address }) => address));
  const verdicts = peers.flatMap(({ path }) =>
    path === undefined || withoutSession.has(path.address) ? [] : pathVerdicts(path).map((it) => ({ ...it, path })),
  );
  // A static VTEP never answers, and is none the worse for it.
  return verdicts
    .filter(({ verdict, path }) => verdict !== 'pass' && path.state !== 'silent')
    .map(({ says, todo }) => `${says}: ${todo}`);
}

/** The same without what probes tell of the paths to the peers. */
export function wrongBesidePaths({ gateway, networks, wireguard, peers = [] }: AgentStatus, now: number): string[] {
  const wrong: string[] = [];
  if (gateway?.state === 'refused') {
    wrong.push(
      `the gateway has refused this site for ${formatAge(gateway.since, now)}: ${gateway.error ?? 'no reason given'}`,
    );
  }
  if (gateway?.state === 'unreachable') {
    const reason = gateway.error ?? 'no reason given';
    wrong.push(
      `the gateway has not been reached for ${formatAge(gateway.since, now)}; frames pass by the last good table: ${reason}`,
    );
  }
  for (const { name, error } of networks) if (error !== undefined) wrong.push(`network ${name}: ${error}`);
  for (const { address, endpoint } of wireguard?.withoutSession ?? []) {
    const at = endpoint === null ? 'which nobody knows the place of' : `at ${formatVtep(endpoint)}`;
    wrong.push(
      `no WireGuard session with ${address} ${at}: if both sites are behind NATs, neither can reach the other until one of the NATs forwards the site's WireGuard ports (UDP 51820 and 51821 unless said) to it; else let them through`,
    );
  }
  for (const peer of peers) {
    if (wireguard?.withoutSession.some(({ address }) => address === peer.address)) continue;
    if (peer.rxFrames > 0 || peer.txFrames < SILENT_AFTER_FRAMES) continue;
    // Nobody there has something to say; or it is said of the path.
    if (peer.path?.state === 'reachable' || peer.path?.state === 'unreachable') continue;
    wrong.push(
      `nothing came from ${formatVtep(peer)}, though ${peer.txFrames} frames went there: is UDP ${peer.port} open both ways?`,
    );
  }
  for (const peer of peers) {
    if (peer.txDropped > 0)
      wrong.push(`${peer.txDropped} frames could not be sent to ${formatVtep(peer)}: see counters`);
  }
  return wrong;
}
