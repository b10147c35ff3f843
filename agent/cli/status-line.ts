import { oneLine } from '../../shared/failure.ts';
import type { AgentStatus } from '../control/status.ts';

/** How the agent stands, in one line: for the service manager's `status`. */
export function statusLine({ inStep, gateway, networks }: AgentStatus): string {
  const carried = networks.filter((network) => network.inStep).length;
  const peers = networks.reduce((sum, network) => sum + network.peers, 0);
  const facts = [`${carried} of ${networks.length} networks carried, ${peers} peers`];
  if (gateway !== undefined && gateway.state !== 'reachable') {
    facts.push(`gateway ${gateway.state}${gateway.error === undefined ? '' : `: ${oneLine(gateway.error)}`}`);
  }
  for (const { name, error } of networks) if (error !== undefined) facts.push(`${name}: ${error}`);
  return oneLine(`${inStep ? 'in step' : 'not in step'}: ${facts.join('; ')}`);
}
