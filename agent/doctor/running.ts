/** How the agent that runs here stands. */
import { formatAge } from '../../shared/format-age.ts';
import type { AgentStatus } from '../control/status.ts';
import type { Finding } from './finding.ts';

/** A site that asks or listens hears more often than that. */
const STALE_SECONDS = 300;

/** @param wrong what its status says is wrong. @param now milliseconds since 1970. */
export function checkRunning(status: AgentStatus | null, wrong: readonly string[], now: number): Finding[] {
  if (status === null) {
    const todo = 'systemctl start overlane-agent, or overlane-agent run';
    return [{ check: 'agent', verdict: 'fail', says: 'no agent runs on this state folder', todo }];
  }
  const how = `${status.datapath} datapath, ${status.networks.length} networks`;
  const findings: Finding[] = [
    { check: 'agent', verdict: 'pass', says: `version ${status.version} runs: ${how}` },
    ...wrong.map((says): Finding => ({ check: 'status', verdict: 'fail', says, todo: 'see overlane-agent status' })),
  ];
  const { gateway, watching } = status;
  if (gateway !== undefined) findings.push(checkAge(gateway.lastContactAt, now));
  if (watching !== undefined) findings.push(checkWatching(watching));
  return findings;
}

function checkAge(lastContactAt: string | undefined, now: number): Finding {
  const check = 'table age';
  const todo = 'see what is said of the gateway';
  if (lastContactAt === undefined)
    return { check, verdict: 'warn', says: 'the gateway never answered since the start', todo };
  const age = formatAge(lastContactAt, now);
  if (now - Date.parse(lastContactAt) > STALE_SECONDS * 1000) {
    return { check, verdict: 'warn', says: `the gateway confirmed it ${age} ago: peers may have moved since`, todo };
  }
  return { check, verdict: 'pass', says: `the gateway confirmed it ${age} ago` };
}

function checkWatching(watching: boolean): Finding {
  const check = 'WebSocket';
  if (watching) return { check, verdict: 'pass', says: 'changes are told as they happen' };
  const todo = 'have the proxy in between let WebSockets through (Upgrade: websocket)';
  return { check, verdict: 'warn', says: 'none is open, so changes come some seconds late', todo };
}
