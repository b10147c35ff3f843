import { formatColumns } from '../../shared/columns.ts';
import { formatAge } from '../../shared/format-age.ts';
import { formatPort } from '../../shared/format-port.ts';
import { formatVtep } from '../../shared/format-vtep.ts';
import { PULL_SECONDS } from '../../src/contract/agent.ts';
import type { PeerStatus } from '../control/peer-status.ts';
import type { AgentStatus, NetworkStatus, WireguardStatus } from '../control/status.ts';
import type { PeerPath } from '../datapath/datapath.ts';
import { whatIsWrong } from './what-is-wrong.ts';

/** @param now milliseconds since 1970. */
export function formatStatus(status: AgentStatus, now: number): string {
  const { site, gateway, table } = status;
  const wrong = whatIsWrong(status, now);
  const facts: string[][] = [['in step', status.inStep ? 'yes' : 'no']];
  if (site !== undefined) facts.push(['site', `${site.name} (${site.id}) of tenant ${site.tenant}`]);
  facts.push(['vtep', `${formatVtep(status.vtep)}, ${status.datapath} datapath`]);
  if (gateway !== undefined) {
    facts.push(['gateway', `${gateway.url}, ${gateway.state} for ${formatAge(gateway.since, now)}`]);
    if (gateway.error !== undefined) facts.push(['', gateway.error]);
    const { lastContactAt } = gateway;
    facts.push(['last contact', lastContactAt === undefined ? 'none yet' : `${formatAge(lastContactAt, now)} ago`]);
  }
  if (status.wireguard !== undefined) facts.push(['wireguard', formatWireguard(status.wireguard)]);
  if (status.watching !== undefined) {
    facts.push(['changes', status.watching ? 'told as they happen' : `asked for every ${PULL_SECONDS} s`]);
  }
  facts.push(['table', table === null ? 'none yet' : `changed ${formatAge(table.changedAt, now)} ago`]);
  facts.push(['agent', `version ${status.version}, started ${formatAge(status.startedAt, now)} ago`]);
  const parts = [formatColumns(facts), formatNetworks(status.networks), formatPeers(status.peers ?? [])];
  if (wrong.length > 0) parts.push(`WRONG\n${wrong.map((line) => `- ${line}`).join('\n')}`);
  return parts.filter((part) => part !== '').join('\n\n');
}

function formatWireguard({ publicKey, address, port, datapath, moving, error }: WireguardStatus): string {
  const at = address === null ? `port ${port}` : formatVtep({ address, port });
  const followers = moving?.waitingFor == null ? '' : `, ${moving.waitingFor} peers have to follow`;
  return [
    `${publicKey} at ${at}, ${datapath} datapath`,
    ...(moving === undefined ? [] : [`moving from or to ${moving.publicKey}${followers}`]),
    ...(error === undefined ? [] : [error]),
  ].join('; ');
}

function formatNetworks(networks: readonly NetworkStatus[]): string {
  if (networks.length === 0) return 'no networks';
  const rows = networks.map(({ vni, name, transport, port, mtu, peers, macs, revision, inStep, error }) => {
    const carried = transport === 'plain' ? 'carried' : 'carried, encrypted';
    const counts = [mtu, peers, macs, revision].map(String);
    return [String(vni), name, formatPort(port), ...counts, inStep ? carried : (error ?? 'not carried')];
  });
  return formatColumns([['VNI', 'NAME', 'PORT', 'MTU', 'PEERS', 'MACS', 'REVISION', 'STATE'], ...rows]);
}

function formatPeers(peers: readonly PeerStatus[]): string {
  if (peers.length === 0) return '';
  const rows = peers.map(({ networks, rxFrames, rxBytes, txFrames, txBytes, txDropped, path, ...vtep }) => {
    const counts = [rxFrames, rxBytes, txFrames, txBytes, txDropped].map(String);
    return [formatVtep(vtep), networks.join(' '), ...counts, path === undefined ? '' : formatPath(path)];
  });
  return formatColumns([
    ['PEER', 'VNIS', 'RX FRAMES', 'RX BYTES', 'TX FRAMES', 'TX BYTES', 'TX DROPPED', 'PATH'],
    ...rows,
  ]);
}

/** `0.42 ms, 0% lost, MTU 1500` */
function formatPath({ state, rttMs, asked, lost, mtu }: PeerPath): string {
  if (state === 'new') return 'not known yet';
  if (state === 'silent') return 'no answer to probes (a static VTEP?)';
  if (state === 'unreachable') return 'does not answer';
  const facts = [`${Math.round((100 * lost) / asked)}% lost`];
  if (rttMs !== undefined) facts.unshift(`${formatMs(rttMs)} ms`);
  if (mtu !== undefined) facts.push(`MTU ${mtu}`);
  return facts.join(', ');
}

function formatMs(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(0);
}
