import type { PortSpec } from '../../src/contract/port.ts';
import type { AgentStatus, NetworkStatus } from '../control/status.ts';
import { formatColumns } from './columns.ts';
import { formatVtep } from './format-vtep.ts';

/** @param now milliseconds since 1970. */
export function formatStatus(status: AgentStatus, now: number): string {
  const { site, gateway, table } = status;
  const facts: string[][] = [];
  if (site !== undefined) facts.push(['site', `${site.name} (${site.id}) of tenant ${site.tenant}`]);
  facts.push(['vtep', `${formatVtep(status.vtep)}, ${status.datapath} datapath`]);
  if (gateway !== undefined) {
    facts.push(['gateway', `${gateway.url}, ${gateway.state} for ${age(gateway.since, now)}`]);
    if (gateway.error !== undefined) facts.push(['', gateway.error]);
    const { lastContactAt } = gateway;
    facts.push(['last contact', lastContactAt === undefined ? 'none yet' : `${age(lastContactAt, now)} ago`]);
  }
  facts.push(['table', table === null ? 'none yet' : `changed ${age(table.changedAt, now)} ago`]);
  facts.push(['in step', status.inStep ? 'yes' : 'no']);
  facts.push(['agent', `version ${status.version}, started ${age(status.startedAt, now)} ago`]);
  return [formatColumns(facts), formatNetworks(status.networks)].join('\n\n');
}

function formatNetworks(networks: readonly NetworkStatus[]): string {
  if (networks.length === 0) return 'no networks';
  const rows = networks.map(({ vni, name, port, mtu, peers, macs, revision, inStep, error }) => {
    const counts = [mtu, peers, macs, revision].map(String);
    return [String(vni), name, formatPort(port), ...counts, inStep ? 'carried' : (error ?? 'not carried')];
  });
  return formatColumns([['VNI', 'NAME', 'PORT', 'MTU', 'PEERS', 'MACS', 'REVISION', 'STATE'], ...rows]);
}

function formatPort(port: PortSpec): string {
  switch (port.type) {
    case 'host':
    case 'bridge':
      return `${port.type} ${port.name}`;
    case 'vlan':
      return `vlan ${port.interface}.${port.vid}`;
    case 'none':
      return 'none';
  }
}

function age(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
